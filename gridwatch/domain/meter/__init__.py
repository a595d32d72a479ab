"""One meter: the rules that depend on no other meter.

state.py       its whole state
grid.py        its slots
intervals.py   how its interval is given, learned and changed
regrid.py      gives it another grid, and makes its gaps follow
terms.py       what the registry says of it
arrival.py     applies a reading to it: which slot it fills, and what that does to a gap
timeliness.py  on time, late, too late; duplicates and revisions
archive.py     its older remembered readings, in blocks of their own
energy.py      the energy of a reading: of its interval, its register or its power
settlement.py  slots become missing; a silent meter is dropped
gaps.py        the life of one gap
changes.py     the gaps that one step changed
deadlines.py   the timer index over all meters: which one is due next
"""
