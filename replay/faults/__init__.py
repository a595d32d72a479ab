"""Faults: what is done to readings on their way, and when; a kind a module, all behind one interface.

plan.py        what is wanted: a seed, the two rates of the command line, and further faults
catalogue.py   the kinds by name, and the order in which they strike
pipeline.py    all faults of a plan, one after the other, over one reading
file.py        plans from TOML files and presets

base/          the interface of a fault; options, chance, episodes, regions
missing/       readings that are withheld
network/       readings that come late, twice or with another value
devices/       clocks, intervals, meters that are replaced or restart
values/        what readings say
presets/       plans by name, as TOML

So the faults of a reading do not depend on its file, its place there, or which other meters are replayed.
Faults that remember something of a meter (a value that froze, a meter that was swapped) remember only what
readings in order of time make the same again.
"""

from replay.faults.base.sending import Fate, Sending
from replay.faults.pipeline import Faults
from replay.faults.plan import FaultPlan

__all__ = ["Fate", "FaultPlan", "Faults", "Sending"]
