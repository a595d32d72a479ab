"""Faults: what is done to readings on their way, and when; a kind a module, all behind one interface.

    plan      what is wanted: a seed, the two rates of the command line, and further faults
    catalogue the kinds, and the order in which they strike
    fault     the interface: a fault says what it does to one reading on its way (`Sending`)
    chance    every decision: drawn from seed, fault, meter (or region) and time, and from nothing else
    pipeline  all faults of a plan, one after the other, over one reading
    file      plans from TOML files and presets

So the faults of a reading do not depend on its file, its place there, or which other meters are replayed.
Faults that remember something of a meter (a value that froze, a meter that was swapped) remember only what
readings in order of time make the same again.
"""

from replay.faults.base.sending import Fate, Sending
from replay.faults.pipeline import Faults
from replay.faults.plan import FaultPlan

__all__ = ["Fate", "FaultPlan", "Faults", "Sending"]
