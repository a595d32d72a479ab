"""What stands of several rows with the same time and meter, of sources that mark versions and devices.

A meter that is replaced in the middle of a day has two devices, and each has its own part of the day: neither
corrects the other, so what stands of each is added up, into one reading. They may both have energy at one
time of a day, that of the change. If there are more of them, no part of a day is seen but the same energy
twice, or another meter's: an error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import DAY
from gridwatch.errors import GridwatchError
from replay.files.rows import Row
from replay.files.values.cells import DECIMALS, flagged
from replay.files.versions import Marked

#: A row as it is ordered: its marks stand in columns of their own.
MarkedRow = tuple[int, str, float, int, str, int, str]
VERSION = 5
#: Times of a day at which two devices of a meter may both have energy.
_CHANGES_A_DAY = 1


def spread(rows: list[Row]) -> list[MarkedRow]:
    """Marked rows with their marks in columns of their own."""
    return [
        (time, meter, kwh, interval, str(members), members.version, members.device)
        for time, meter, kwh, interval, members in rows
        if isinstance(members, Marked)
    ]


def standing(blocks: Iterable[list[MarkedRow]]) -> Iterator[list[Row]]:
    """Marked rows in order → rows, the parts of several devices added up. GridwatchError for what is none."""
    days = _Days()
    held: list[MarkedRow] = []
    for block in blocks:
        done: list[Row] = []
        for row in block:
            if held and (row[0], row[1]) != (held[0][0], held[0][1]):
                _settle(held, done, days)
                held.clear()
            held.append(row)
        if done:
            yield done
    if held:
        done = []
        _settle(held, done, days)
        yield done


class _Days:
    """How often two devices of a meter had energy at once on the day that passes by."""

    def __init__(self) -> None:
        self._day = 0
        self._times: Counter[str] = Counter()

    def both(self, time: int, meter: str, devices: Iterable[str]) -> None:
        """Both have energy at a time. GridwatchError when that happens too often on a day."""
        if time // DAY != self._day:
            self._day = time // DAY
            self._times.clear()
        self._times[meter] += 1
        if self._times[meter] > _CHANGES_A_DAY:
            raise GridwatchError(
                f"{meter}: the devices {' and '.join(sorted(devices))} both have energy at several times of "
                f"{format_instant(time)[:10]}, {format_instant(time)} the latest: these are no parts of a "
                "day in which a meter was replaced, and added up they would count twice",
                "leave one of the devices out of the files",
            )


def _settle(held: list[MarkedRow], done: list[Row], days: _Days) -> None:
    """The rows of one time and meter, in the order of their versions."""
    if len(held) == 1:
        done.append(held[0][:5])
        return
    # A row that does not say its device is of the one before it.
    device = next((row[6] for row in held if row[6]), "")
    stands: dict[str, Row] = {}
    for row in held:
        device = row[6] or device
        stands[device] = row[:5]
    if len(stands) == 1:
        done += [row[:5] for row in held]
        return
    with_energy = {device: row for device, row in stands.items() if row[2]}
    if len(with_energy) > 1:
        days.both(held[0][0], held[0][1], with_energy)
    done.append(_sum(list((with_energy or stands).values())))


def _sum(parts: list[Row]) -> Row:
    last = parts[-1]
    if len(parts) == 1:
        return last
    members = [json.loads(f"{{{row[4][1:]}}}") for row in parts]
    flags = dict.fromkeys(flag for one in members for flag in one.pop("flags", []))
    further = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in members[-1].items())
    kwh = round(sum(row[2] for row in parts), DECIMALS)
    return last[0], last[1], kwh, last[3], further + flagged(list(flags))
