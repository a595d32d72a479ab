"""What is asked of a replay."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gridwatch.domain.policy import Policy
from gridwatch.topics import RAW
from replay.faults import FaultPlan
from replay.files.job import Selection
from replay.files.profile import Profile
from replay.files.profiles.spec import SPEC
from replay.order.emission import final_after

#: The rule for values that come twice, by number: an interrupted replay is not resumed under another one.
_WHAT_STANDS = 2


@dataclass(frozen=True)
class Request:
    """What to replay and how.

    `files` may be folders, patterns and archives; `profile` None finds out. `speed` None is as fast as
    possible; `interval` (seconds) is given with readings that have none. With `final` the last tick is so
    late that everything becomes final, but not so late that it would be refused. `memory` (bytes) bounds the
    whole replay, None for what suits most machines. `rejected` is a file for the rows that were not taken.
    """

    files: tuple[Path, ...]
    profile: Profile | None = SPEC
    speed: float | None = None
    by_time: bool = True
    faults: FaultPlan = field(default_factory=FaultPlan)
    selection: Selection = field(default_factory=Selection)
    interval: int = 0
    truth: Path | None = None
    settle: bool = True
    final: bool = False
    resume: bool = False
    skip_bad: bool = False
    topic: str = RAW.name
    memory: int | None = None
    rejected: Path | None = None

    def settle_after(self, policy: Policy) -> int:
        """How far after the end the last tick is (µs)."""
        return final_after(policy, policy.allowed_lateness) if self.final else policy.grace

    def sequence_options(self, profile: Profile, zone: str, policy: Policy) -> dict[str, Any]:
        """Everything but the files that decides which items there are, and in which order."""
        return {
            "what_stands": _WHAT_STANDS,
            "profile": profile.fingerprint,
            "zone": zone,
            "by_time": self.by_time,
            "every_minute": self.speed is not None,
            "faults": asdict(self.faults),
            "selection": asdict(self.selection),
            "interval": self.interval,
            "settle": self.settle_after(policy) if self.final else self.settle,
            "skip_bad": self.skip_bad,
            "partitions": policy.partitions,
            "out_of_orderness": policy.max_out_of_orderness,
            "grace": policy.grace,
        }
