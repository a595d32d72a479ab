"""The rows of the regions, from what all partitions said: PRELIMINARY of the first, FINAL of the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.grid.numbers import MINUTE, QUARTER, half_even, text_of
from tests.grid.partition import Bundle
from tests.grid.regional import Entry
from tests.grid.windows import completeness

_ENOUGH = (4, 5)

Row = dict[str, Any]


class Regions:
    """The rows of every region and quarter."""

    def __init__(self, sources: Sequence[Sequence[Bundle]], lateness: int) -> None:
        self._lateness = lateness
        self._reached = min(bundles[-1].watermark if bundles else 0 for bundles in sources)
        self._initial: dict[tuple[str, int], list[Entry]] = {}
        self._newest: dict[tuple[str, int], dict[int, Entry]] = {}
        self._capacities: dict[str, list[tuple[int, int | None, float]]] = {}
        for number, bundles in enumerate(sources):
            for bundle in bundles:
                for key, entry in bundle.entries.items():
                    self._newest.setdefault(key, {})[number] = entry
                    if entry.initial:
                        self._initial.setdefault(key, []).append(entry)
                for limit in bundle.limits:
                    known = self._capacities.setdefault(limit.region, [])
                    known.append((bundle.watermark, limit.valid_from, limit.capacity_kw))

    def rows(self) -> Iterator[tuple[str, Row, Row | None]]:
        """(id, PRELIMINARY, FINAL or None where that is not due)."""
        for (region, quarter), entries in sorted(self._initial.items()):
            end = quarter + QUARTER
            if end > self._reached:
                continue
            name = f"{region}@{text_of(quarter)}"
            newest = list(self._newest[region, quarter].values())
            final = None
            if end + self._lateness <= self._reached:
                final = self._row(region, quarter, "FINAL", newest, 1)
            yield name, self._row(region, quarter, "PRELIMINARY", entries, 0), final

    def newest(self, name: str) -> Mapping[str, Any]:
        """The row of the last words, whatever its state."""
        region, _, start = name.rpartition("@")
        for (of, quarter), entries in self._newest.items():
            if of == region and text_of(quarter) == start:
                return self._row(region, quarter, "UPDATED", list(entries.values()), 0)
        raise KeyError(name)

    def _row(self, region: str, quarter: int, state: str, entries: list[Entry], more: int) -> Row:
        received, expected = sum(one.received for one in entries), sum(one.expected for one in entries)
        minutes = [sum(values) for values in zip(*(one.minutes for one in entries), strict=True)]
        flat = sum(one.flat for one in entries)
        capacity = self._capacity(region, quarter)
        return {
            "id": f"{region}@{text_of(quarter)}",
            "region": region,
            "window_start": text_of(quarter),
            "window_end": text_of(quarter + QUARTER),
            "revision": sum(one.revision for one in entries) + more,
            "state": state,
            "complete": True,
            **load(flat + sum(minutes), received, expected, capacity),
            **_powers(flat, minutes, received),
            "meters_active": sum(one.active for one in entries),
            "meters_reporting": sum(one.reporting for one in entries),
            "completeness": completeness(received, expected),
            "energy_kwh_sum": (flat + sum(minutes)) / 1e9,
            "capacity_kw": capacity,
            "prorated": any(one.prorated for one in entries),
            "uncovered": sum(one.uncovered for one in entries),
        }

    def _capacity(self, region: str, quarter: int) -> float | None:
        capacity = None
        for watermark, valid_from, capacity_kw in self._capacities.get(region, ()):
            if (valid_from is None or quarter >= valid_from) and quarter + QUARTER > watermark:
                capacity = capacity_kw
        return capacity


def load(energy: int, received: int, expected: int, capacity_kw: float | None) -> Row:
    """Power over the quarter, scaled up to all meters, and what share of the capacity that is."""
    enough, of = _ENOUGH
    if not received or received * of < expected * enough:
        return {"load_kw": None, "load_percentage": None, "quality": "INSUFFICIENT"}
    # µWh in a quarter of an hour are 4 times as many µW.
    microwatts, unit = (4 * energy * expected, received) if expected > received else (4 * energy, 1)
    load_kw = half_even(microwatts, unit * 1000) / 1e6
    if capacity_kw is None:
        return {"load_kw": load_kw, "load_percentage": None, "quality": "INSUFFICIENT"}
    numerator, denominator = capacity_kw.as_integer_ratio()
    # As tenths of a percent: µW × 1000 / (kW × 10⁹).
    share = half_even(microwatts * 1000 * denominator, unit * numerator * 10**9)
    return {"load_kw": load_kw, "load_percentage": share / 10, "quality": "OK"}


def _powers(flat: int, minutes: Iterable[int], received: int) -> Row:
    if not received:
        return {"power_kw_min": None, "power_kw_max": None}
    powers = [flat + QUARTER // MINUTE * minute for minute in minutes]
    return {
        "power_kw_min": half_even(min(powers), 250) / 1e6,
        "power_kw_max": half_even(max(powers), 250) / 1e6,
    }
