"""Cells to values, and values to the energy of an interval.

cells.py            texts to meters, numbers and quality codes
members.py          optional columns as members of the raw record
decimal_marks.py    points and commas: which of them is the decimal mark
value_cells.py      which columns hold values, of which series, in which unit
names.py            names of series, which are those of no other meter
samples.py          one value of one series, and the last stage: readings
stages.py           which stages the values of a file go through
registers.py        the energy between two values of a register
register_check.py   values that never fall: a register that the profile takes for energy?
steps.py            power to energy, over steps that vary or over one interval
long_intervals.py   local days and months, and seconds, as the intervals that rows give
in_order.py         samples of a meter in order of time, for registers and steps
"""
