"""All kinds of faults by the names that files use, in the order in which they strike.

That order is the same for every plan, whatever the order in its file: a reading that is withheld is not
sent twice, and one that is sent twice may be late both times.
"""

from __future__ import annotations

from replay.faults.burst import Burst
from replay.faults.clock import Clock
from replay.faults.day import Day
from replay.faults.delay import Delay
from replay.faults.duplicate import Duplicate
from replay.faults.fault import Fault
from replay.faults.frozen import Frozen
from replay.faults.gap import Gap
from replay.faults.garbage import Garbage
from replay.faults.interval_change import IntervalChange
from replay.faults.outage import Outage
from replay.faults.reboot_storm import RebootStorm
from replay.faults.revision import Revision
from replay.faults.spike import Spike
from replay.faults.swap import Swap
from replay.faults.upload import Upload
from replay.faults.zero_run import ZeroRun

KINDS: dict[str, type[Fault]] = {
    # which readings there are
    "swap": Swap,
    "interval-change": IntervalChange,
    # what they say
    "frozen": Frozen,
    "zero-run": ZeroRun,
    "spike": Spike,
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
