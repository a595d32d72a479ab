"""What is wanted of a replay: no faults, the two rates of the command line, or further faults too."""

from __future__ import annotations

from dataclasses import dataclass

from replay.faults.base.fault import Fault


@dataclass(frozen=True)
class FaultPlan:
    """How many readings are withheld (`gap_rate`) or delayed (`delay_rate`, up to `max_delay` µs).

    `faults` come after that, in the order of their kinds in the catalogue.
    """

    seed: int = 0
    delay_rate: float = 0.0
    max_delay: int = 300_000_000
    gap_rate: float = 0.0
    faults: tuple[Fault, ...] = ()

    @property
    def active(self) -> bool:
        """Whether any reading can have a fault."""
        return self.delay_rate > 0 or self.gap_rate > 0 or bool(self.faults)
