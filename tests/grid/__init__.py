"""Windows, regions and incidents of a whole run, against an exact and slow computation.

fleet.py       the input: meters, what goes wrong with them, the registry; from one seed
numbers.py     exact arithmetic: half even, cumulative floor, instants
log.py         what the topics hold, as steps of a partition
plan.py        planned outages, and where meters hang in the grid
meters.py      what a meter is after each of its readings
windows.py     its windows of consumption
regional.py    the sums, members and silent meters of the regions in one partition
partition.py   one partition, step by step
regions.py     the rows of the regions, from all partitions
incidents.py   many silent meters at once
compare.py     what the topics have against it
run.py         a fleet through the real worker; `python -m tests.grid` runs it at any size

The computation takes what was accepted, and which gaps there are, from the topics of the worker; all else is
its own, in plain integers, and nothing of it is the worker's code.
"""
