"""Energy that came against energy that was meant, by series and local day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from tests.differential.case import Case
from tests.differential.clocks import shown

_MICROSECONDS = 60_000_000


class Difference(NamedTuple):
    """The first series and day, or instant, that differ; mWh."""

    where: str
    expected: int
    got: int


def difference(case: Case, rows: Iterable[tuple[int, str, float]]) -> Difference | None:
    """The first difference. `rows`: µs, series, kWh as they are sent; the later replaces the earlier."""
    stands = {(series, time): Fraction(kwh) * 1_000_000 for time, series, kwh in rows}
    days: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for (series, time), mwh in stands.items():
        days[series, _day(case, time // _MICROSECONDS)] += mwh
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for (series, start), meant in case.energy.items():
        expected[series, _day(case, start)] += meant
    for key in sorted({*expected, *days}):
        if expected.get(key, 0) != round(days.get(key, Fraction(0))):
            got = round(days.get(key, Fraction(0)))
            return Difference(f"{key[0]} on {key[1]}", expected.get(key, 0), got)
    if not case.placed:
        return None
    placed = {
        (series, Fraction(time, _MICROSECONDS)): round(mwh)
        for (series, time), mwh in stands.items()
        if round(mwh)
    }
    meant_at = {(series, Fraction(start)): mwh for (series, start), mwh in case.energy.items()}
    for at in sorted({*placed, *meant_at}):
        if placed.get(at, 0) != meant_at.get(at, 0):
            where = f"{at[0]} at {shown(int(at[1]), case.zone):%Y-%m-%d %H:%M %z} (the day's sum is right)"
            return Difference(where, meant_at.get(at, 0), placed.get(at, 0))
    return None


def _day(case: Case, minute: int) -> str:
    return shown(minute, case.zone).date().isoformat()
