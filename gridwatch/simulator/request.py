"""What is asked of a simulation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gridwatch.domain.policy import SECOND, Policy
from gridwatch.simulator.events import Event
from gridwatch.topics import RAW
from replay.faults import FaultPlan
from replay.faults.base.fault import Fault
from replay.faults.missing.gap import Gap
from replay.faults.network.delay import Delay
from replay.faults.network.duplicate import Duplicate
from replay.order.emission import final_after

#: The model by number: an interrupted simulation is not resumed under another one.
_MODEL = 1


@dataclass(frozen=True)
class Request:
    """A fleet, a stretch of time, what happens in it, and how it is sent.

    `start` and `end` in µs, `end` None for ever; `every` in seconds; rates from 0 to 1. `speed` None is as
    fast as possible; 1 is the clock on the wall: what is past at once, then live. With `final` the last
    tick is so late that everything becomes final, but not so late that it would be refused. With `registry`
    the fleet is registered first. With `readings_only` there are no ticks at all, and nothing is registered.
    """

    meters: int
    every: int
    regions: int
    start: int
    end: int | None
    zone: str = "Europe/Berlin"
    seed: int = 0
    speed: float | None = None
    events: tuple[Event, ...] = ()
    drop: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    late_by: int = 300 * SECOND
    truth: Path | None = None
    settle: bool = True
    final: bool = False
    resume: bool = False
    registry: bool = True
    readings_only: bool = False
    topic: str = RAW.name

    @property
    def faults(self) -> FaultPlan:
        """What happens to readings on their way."""
        faults: list[Fault] = [
            Gap("outage", meters=event.pattern, start=event.start, end=event.end, rate=1.0)
            for event in self.events
            if event.kind == "outage"
        ]
        if self.drop:
            faults.append(Gap("gap", rate=self.drop))
        if self.duplicate:
            faults.append(Duplicate("duplicate", rate=self.duplicate))
        if self.late:
            faults.append(Delay("delay", rate=self.late, by=(SECOND, self.late_by)))
        return FaultPlan(seed=self.seed, faults=tuple(faults))

    @property
    def injected(self) -> tuple[Event, ...]:
        """The events that change what readings say."""
        return tuple(event for event in self.events if event.kind != "outage")

    @property
    def readings(self) -> int | None:
        """How many there are; None for ever."""
        if self.end is None:
            return None
        step = self.every * SECOND
        return max(0, -(-self.end // step) - -(-self.start // step)) * self.meters

    def settle_after(self, policy: Policy) -> int:
        """How far after the end the last tick is (µs)."""
        return final_after(policy, self.every * SECOND) if self.final else policy.grace

    def sequence_options(self, policy: Policy) -> dict[str, Any]:
        """Everything that decides which items there are, and in which order."""
        return {
            "model": _MODEL,
            "fleet": [self.seed, self.meters, self.regions, self.zone, self.every],
            "span": [self.start, self.end],
            "events": [asdict(event) for event in self.events],
            "rates": [self.drop, self.duplicate, self.late, self.late_by],
            "every_minute": self.speed is not None,
            "settle": self.settle_after(policy) if self.final else self.settle,
            "registry": self.registry,
            "partitions": policy.partitions,
            "out_of_orderness": policy.max_out_of_orderness,
            "grace": policy.grace,
            **({"readings_only": True} if self.readings_only else {}),
        }
