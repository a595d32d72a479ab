"""The order of rows, and the one sequence in which readings and ticks are sent.

time_order.py    rows in order of time, whatever the order and size of the files
row_order.py     what rows are sorted by
packed.py        rows kept in memory in a fifth of their size
sorted_runs.py   sorted runs on disk, merged
run_folder.py    the folder of these runs, and who holds it
standing.py      which of several rows with one time and meter stands, where sources mark versions
emission.py      readings and ticks in the order of sending, with faults
undisturbed.py   the same order where there are no faults, many readings at once
"""
