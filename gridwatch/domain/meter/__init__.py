"""One meter: the rules that need to know nothing of any other.

state.py       everything that is remembered about it
grid.py        its slots
intervals.py   how its interval is known, learned and changed
arrival.py     a reading meets it: which slot that fills, and what it does to a gap
timeliness.py  on time, late, too late; duplicates and revisions
settlement.py  slots become missing; a silent meter is dropped
gaps.py        the life of one gap
deadlines.py   the index over all meters: which one is due next
"""
