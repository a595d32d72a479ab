"""What is in the files, for the dry run and before anything is sent.

survey.py     rows, meters, times and order, from one pass
devices.py    which devices counted for which meter, and when
census.py     intervals, duplicates, energy, changes of the clocks, for the dry run
hints.py      what is not plausible of a meter
refusals.py   what the worker would refuse
"""
