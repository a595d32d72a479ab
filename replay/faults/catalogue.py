"""All kinds of faults by the names that files use, in the order in which they strike.

That order is the same for every plan, whatever the order in its file: a reading that is withheld is not
sent twice, and one that is sent twice may be late both times.
"""

from __future__ import annotations

from replay.faults.base.fault import Fault
from replay.faults.devices.clock import Clock
from replay.faults.devices.interval_change import IntervalChange
from replay.faults.devices.reboot_storm import RebootStorm
from replay.faults.devices.swap import Swap
from replay.faults.missing.burst import Burst
from replay.faults.missing.day import Day
from replay.faults.missing.gap import Gap
from replay.faults.missing.outage import Outage
from replay.faults.network.delay import Delay
from replay.faults.network.duplicate import Duplicate
from replay.faults.network.revision import Revision
from replay.faults.network.upload import Upload
from replay.faults.values.frozen import Frozen
from replay.faults.values.garbage import Garbage
from replay.faults.values.level_shift import LevelShift
from replay.faults.values.measures import Frequency, PowerFactor, Voltage
from replay.faults.values.reverse_flow import ReverseFlow
from replay.faults.values.scaled import Drop, Surge
from replay.faults.values.spike import Spike
from replay.faults.values.zero_run import ZeroRun

KINDS: dict[str, type[Fault]] = {
    # which readings there are
    "swap": Swap,
    "interval-change": IntervalChange,
    # what they say
    "level-shift": LevelShift,
    "surge": Surge,
    "drop": Drop,
    "frozen": Frozen,
    "zero-run": ZeroRun,
    "spike": Spike,
    "reverse-flow": ReverseFlow,
    "voltage": Voltage,
    "frequency": Frequency,
    "power-factor": PowerFactor,
    # what time they say
    "clock": Clock,
    # which are never sent
    "gap": Gap,
    "burst": Burst,
    "day": Day,
    "outage": Outage,
    # which are sent more than once
    "reboot-storm": RebootStorm,
    "duplicate": Duplicate,
    "revision": Revision,
    # when they are sent
    "delay": Delay,
    "upload": Upload,
    # what is left of them
    "garbage": Garbage,
}
