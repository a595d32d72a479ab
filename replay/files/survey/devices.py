"""Which devices counted for which meter, and when: found while rows are read, in the order of the source.

Where two devices of one meter have readings of the same time it depends on those readings whether they are
parts of a day in which the meter was replaced (see `replay.order.standing`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError
from replay.files.rows import Row
from replay.files.versions import Marked


@dataclass
class Devices:
    """Meter → device → its first and last reading (µs)."""

    spans: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def see(self, block: list[Row]) -> None:
        """Take marked rows."""
        spans = self.spans
        for time, meter, _, _, members in block:
            if not isinstance(members, Marked) or not members.device:
                continue
            device, of_meter = members.device, spans.setdefault(meter, {})
            if device in of_meter:
                first, last = of_meter[device]
                if first <= time <= last:
                    continue
                of_meter[device] = (min(first, time), max(last, time))
            else:
                of_meter[device] = (time, time)

    @property
    def replaced(self) -> list[str]:
        """The meters that had several devices."""
        return sorted(meter for meter, devices in self.spans.items() if len(devices) > 1)

    @property
    def at_once(self) -> list[str]:
        """The meters of which several devices may have readings of one time."""
        return [
            meter
            for meter in self.replaced
            if any(one[1] >= other[0] for one, other in pairwise(sorted(self.spans[meter].values())))
        ]

    def refuse_parts(self) -> None:
        """GridwatchError for parts of a day: in the order of the file they would revise each other."""
        for meter in self.at_once:
            raise GridwatchError(
                f"{meter}: several devices have readings of one time ({self.described(meter)}); their parts "
                "of a day are added up only where rows go by time",
                "leave out --order file",
            )

    def described(self, meter: str) -> str:
        """Each device of a meter with its time, in words."""
        turns = sorted(self.spans[meter].items(), key=lambda item: item[1])
        return ", ".join(
            f"{name} {format_instant(first)} to {format_instant(last)}" for name, (first, last) in turns
        )
