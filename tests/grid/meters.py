"""A meter after each of its accepted readings: interval, grid, slots, and what is remembered.

Only meters of one constant interval are meant: given with the readings, by the registry, or by default.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.grid.numbers import HOUR, MINUTE, SECOND, down, instant, scaled

_MOST = 1e9
_LONGEST_TOLERANCE = 5 * MINUTE
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR}
_NO_SLOT = frozenset({"EXTRA", "OFF_GRID", "REVISED"})


class Kept(NamedTuple):
    """A remembered reading: its energy, the span of an energy over a gap, and its measures in whole units."""

    energy: int
    span: tuple[int, int] | None
    power: int | None
    voltage: int | None
    current: int | None
    power_factor: int | None


class Accepted(NamedTuple):
    """What a reading did: the slot that it filled, the energy that it added, and over which span if any."""

    time: int
    slot: int | None
    energy: int
    span: tuple[int, int] | None
    revised: bool
    extra: bool
    region: str | None


class Meter:
    """The state of one meter. `entry` is that of the registry which holds."""

    def __init__(self, name: str, default_interval: int) -> None:
        self.name = name
        self.interval = default_interval
        self.given = False
        self.start: int | None = None
        self.region: str | None = None
        self.entry: dict[str, Any] | None = None
        self.coming: list[tuple[int, dict[str, Any]]] = []
        self.kept: dict[int, Kept] = {}
        self.spans: list[int] = []
        self.reported: set[int] = set()
        self._default = default_interval
        self._last_slot = self._last_seen = -1
        self._by_minute: dict[int, list[int]] = defaultdict(list)

    @property
    def settled(self) -> bool:
        """Whether its interval is known."""
        if self.start is None:
            return False
        return self.given or self.interval != self._default or self._last_slot > self.start

    @property
    def lag(self) -> int:
        """How far before its stamp the time begins that a reading covers."""
        anchor = (self.entry or {}).get("anchor") or "start"
        return self.interval if anchor == "end" and self.settled else 0

    @property
    def expected_interval(self) -> int:
        """Its own once it was heard, else what the registry says."""
        if self.start is not None or self.entry is None:
            return self.interval
        text = self.entry.get("interval") or ""
        return int(text[:-1]) * _UNITS[text[-1]] if text[-1:] in _UNITS else self.interval

    def first_covered(self, time: int) -> int:
        """The first start of covered time on its grid that is not before `time`."""
        if self.start is None:
            return time
        return time + (self.start - self.lag - time) % self.interval

    def nearest(self, time: int) -> int | None:
        """The slot of a stamp, None beside the grid."""
        assert self.start is not None
        away = (time - self.start + self.interval // 2) % self.interval - self.interval // 2
        return time - away if abs(away) <= min(self.interval // 4, _LONGEST_TOLERANCE) else None

    def accept(self, record: dict[str, Any], *, given: bool) -> Accepted:
        """Take a validated reading."""
        time, flags = instant(record["timestamp"]), set(record["flags"])
        self.interval = record["interval_seconds"] * SECOND
        self.given = self.given or given
        slot: int | None = None
        if self.start is None:
            self.start = slot = time
        elif not flags & _NO_SLOT:
            slot = self.nearest(time)
            slot = None if slot is None or slot < self.start else slot
        if slot is not None:
            self._last_slot = max(self._last_slot, slot)
        own = record.get("region")
        if own is not None and time >= self._last_seen:
            self.region = own
        self._last_seen = max(self._last_seen, time)
        before = self.kept.get(time)
        energy = scaled(record["consumption_kwh"], 1_000_000_000)
        span = None
        if "GAP_ENERGY" in flags and "energy_from" in record:
            end = time - self.lag + self.interval
            span = end - (time - instant(record["energy_from"])), end
            self.spans.append(time)
        elif before is not None and before.span is not None:
            span = before.span
        if before is None:
            self._by_minute[down(time, MINUTE)].append(time)
        self.kept[time] = Kept(energy, span, *_measures(record))
        added = energy if before is None else energy - before.energy
        revised = "REVISED" in flags
        return Accepted(time, slot, added, span, revised, "EXTRA" in flags, own or self.region)

    def contained(self, start: int, length: int) -> Iterator[Kept]:
        """The remembered readings whose covered time begins in [start, start + length)."""
        first, end = start + self.lag, start + self.lag + length
        for minute in range(down(first, MINUTE), end, MINUTE):
            for time in self._by_minute.get(minute, ()):
                if first <= time < end:
                    yield self.kept[time]


def _measures(record: dict[str, Any]) -> Iterator[int | None]:
    for name, scale in (("power_kw", 10**6), ("voltage", 10**3), ("current", 10**3), ("power_factor", 10**6)):
        value = record.get(name)
        yield None if value is None or abs(value) > _MOST else scaled(value, scale)
