"""What every kind of fault is made of.

fault.py      the interface: options, scope, and what a fault does to a reading
episodic.py   faults that come in episodes
options.py    how options are written in a file, and checked
sending.py    a reading on its way, as faults see and change it
chance.py     every decision, drawn from seed, fault, meter and time
region.py     the region of a meter
given.py      the interval that a reading gives
members.py    what a reading says besides its consumption
"""
