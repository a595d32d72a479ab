"""All kinds of faults by the names that files use."""

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
    "gap": Gap,
    "burst": Burst,
    "day": Day,
    "outage": Outage,
    "delay": Delay,
    "upload": Upload,
    "duplicate": Duplicate,
    "revision": Revision,
    "clock": Clock,
    "interval-change": IntervalChange,
    "swap": Swap,
    "frozen": Frozen,
    "spike": Spike,
    "zero-run": ZeroRun,
    "reboot-storm": RebootStorm,
    "garbage": Garbage,
}
