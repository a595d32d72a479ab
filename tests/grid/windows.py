"""The windows of consumption of one partition: when they are emitted, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.grid.meters import Accepted, Kept, Meter
from tests.grid.numbers import MINUTE, SECOND, down, half_even, share, text_of

Plan = Callable[[Meter, int], bool]
"""Whether a slot of a meter lies in a planned outage."""


class Key(NamedTuple):
    """A window of a meter."""

    meter: str
    length: int
    start: int

    @property
    def id(self) -> str:
        """As the records have it."""
        return f"{self.meter}@{text_of(self.start)}/{self.length // MINUTE}m"


class Windows:
    """Those of a partition; `last` has the newest revision of each that was emitted."""

    def __init__(self, lengths: tuple[int, ...], lateness: int, planned: Plan) -> None:
        self.last: dict[str, dict[str, Any]] = {}
        self._lengths = lengths
        self._lateness = lateness
        self._planned = planned
        self._pending: dict[Key, Meter] = {}

    def take(self, meter: Meter, accepted: Accepted, watermark: int) -> None:
        """A reading was accepted, with the watermark before it."""
        for length in self._lengths:
            touched = {down(accepted.time - meter.lag, length)}
            if accepted.span is not None:
                since, to = accepted.span
                touched |= set(range(down(since, length), to, length))
            for start in touched:
                if start + length + self._lateness > watermark:
                    self._pending[Key(meter.name, length, start)] = meter

    def cross(self, watermark: int) -> None:
        """The watermark passes a minute: what has ended and changed is emitted."""
        due = [key for key in self._pending if key.start + key.length <= watermark]
        for key in due:
            meter = self._pending.pop(key)
            if key.length < meter.interval and meter.settled:
                continue
            fields = self._fields(meter, key)
            if fields is not None:
                revision = self.last[key.id]["revision"] + 1 if key.id in self.last else 1
                self.last[key.id] = {"revision": revision, **fields}

    def _fields(self, meter: Meter, key: Key) -> dict[str, Any] | None:
        start, length = key.start, key.length
        readings = list(meter.contained(start, length))
        energy = sum(one.energy for one in readings if one.span is None)
        shares = [
            share(one.energy, *one.span, start, start + length)
            for time in meter.spans
            if (one := meter.kept[time]).span is not None
        ]
        energy += sum(shares)
        if not readings and not any(shares):
            return None
        expected = self._expected(meter, start, length)
        return {
            "meter_id": meter.name,
            "window_start": text_of(start),
            "window_end": text_of(start + length),
            "reading_count": len(readings),
            "expected_readings": expected,
            "completeness": completeness(len(readings), expected),
            "energy_kwh_sum": energy / 1e9,
            **_power(readings, meter),
            "voltage_avg": _mean([one.voltage for one in readings], 1e3),
            "current_avg": _mean([one.current for one in readings], 1e3),
            "power_factor_avg": _mean([one.power_factor for one in readings], 1e6),
        }

    def _expected(self, meter: Meter, start: int, length: int) -> int | None:
        if not meter.settled:
            return None
        assert meter.start is not None
        first = max(start + meter.lag, meter.start)
        first += (meter.start - first) % meter.interval
        slots = range(first, start + meter.lag + length, meter.interval)
        return sum(not self._planned(meter, slot) for slot in slots)


def completeness(part: int, whole: int | None) -> float | None:
    """The part of the whole, four digits, never more than 1."""
    return min(10_000, half_even(10_000 * part, whole)) / 10_000 if whole else None


def _power(readings: list[Kept], meter: Meter) -> dict[str, float | None]:
    """Of readings that have a power. All as multiples of 1 / (interval in s × 1000) mW, which are whole."""
    unit = meter.interval // SECOND * 1000
    powers = [
        one.power * unit if one.power is not None else one.energy * 3600
        for one in readings
        if one.power is not None or (meter.settled and one.span is None)
    ]
    if not powers:
        return {"power_kw_avg": None, "power_kw_min": None, "power_kw_max": None}
    return {
        "power_kw_avg": half_even(sum(powers), unit * len(powers)) / 1e6,
        "power_kw_min": half_even(min(powers), unit) / 1e6,
        "power_kw_max": half_even(max(powers), unit) / 1e6,
    }


def _mean(values: list[int | None], scale: float) -> float | None:
    known = [value for value in values if value is not None]
    return half_even(sum(known), len(known)) / scale if known else None
