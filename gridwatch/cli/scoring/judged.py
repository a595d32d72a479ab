"""The windows and slots of one meter that are judged for anomalies, in the order in which they were. Pure.

The database has each window at its highest revision, and a window is judged as it is first emitted. So one
that has changed, or has a reading from after its end, is not `sure`: with other values another thing may
have begun. Meters of local days or months, and those whose interval has changed, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from gridwatch.cli.scoring.beginnings import Judged
from gridwatch.cli.scoring.readings import Reading, Stretch, stretches
from gridwatch.cli.scoring.windows import power_of, scaled
from gridwatch.domain.policy import MINUTE

#: Flags of readings that fill no slot, or whose energy is of more than one.
_LEFT_OUT = frozenset({"EXTRA", "OFF_GRID", "GAP_ENERGY"})


def judged_of(
    readings: Sequence[Reading], rows: Mapping[int, Mapping[str, Any]], longest: int, *, end_anchor: bool
) -> list[Judged] | None:
    """The windows of a meter, `rows` by their start, or its slots where its interval is longer than `longest`
    (µs); None where it is left out."""
    parts = stretches(readings)
    part = parts[-1]
    if len(parts) > 1 or any(one.calendar for one in part.readings):
        return None
    lag = part.interval if end_anchor else 0
    if part.interval > longest:
        return list(_slots(part, lag))
    return _windows(part, rows, longest, lag)


def _slots(part: Stretch, lag: int) -> Iterator[Judged]:
    """By their readings in the order of the log."""
    for one in sorted(part.readings, key=lambda reading: reading.position):
        slot = part.slot_of(one.time)
        if slot is None or one.time in part.unsettled or _LEFT_OUT & one.flags:
            continue
        revised = "REVISED" in one.flags
        first = one._replace(energy=one.versions[0]) if revised and one.versions else one
        power = power_of(first, part.interval)
        if power is None:
            continue
        yield Judged(
            slot - lag, part.interval, round(power),
            _mean((first.voltage,), 1000), _mean((first.frequency,), 1000),
            _mean((first.power_factor,), 1_000_000), not revised,
        )  # fmt: skip


def _windows(part: Stretch, rows: Mapping[int, Mapping[str, Any]], length: int, lag: int) -> list[Judged]:
    """By when they were emitted: at their end, or in the minute after their last reading came."""
    contained: dict[int, list[Reading]] = {}
    for one in part.readings:
        covered = one.time - lag
        contained.setdefault(covered - covered % length, []).append(one)
    found: list[tuple[int, Judged]] = []
    for start, row in rows.items():
        expected, power = row["expected_readings"], row["power_kw_avg"]
        if not expected or 5 * row["reading_count"] < 4 * expected or power is None:
            continue
        own = contained.get(start, [])
        end = start + length
        came = max((one.watermark for one in own), default=end)
        late = came >= end
        window = Judged(
            start, length, round(power * 1_000_000),
            _whole(row["voltage_avg"], 1000), _mean([one.frequency for one in own], 1000),
            _whole(row["power_factor_avg"], 1_000_000), row["revision"] == 1 and not late,
        )  # fmt: skip
        found.append((came - came % MINUTE + MINUTE if late else end, window))
    return [window for _, window in sorted(found)]


def _whole(value: float | None, scale: int) -> int | None:
    return None if value is None else round(value * scale)


def _mean(values: Sequence[float | None], scale: int) -> int | None:
    """The mean of those that there are; a half goes to the even neighbour."""
    known = scaled(values, scale)
    return round(sum(known, Fraction(0)) / len(known)) if known else None
