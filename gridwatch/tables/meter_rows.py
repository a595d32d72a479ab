"""A meter's row: its state as plain values, by position.

The deadline of the meter comes first, so that the deadline index can be rebuilt from a million rows by
reading one number of each. Version 1 wrote the remembered readings as stamp, value, stamp …; from version 3
on a list stands in their place where energy is derived, or older readings are in blocks, and slots filled
ahead are runs. From version 4 on a list with its terms and its calendar stands in the place of ``given`` for
a meter that has one of them; from version 5 on what windows and regions know of it is in that list, too, and
from version 6 on what it usually uses. Measures have a frequency from version 6 of meters on, 3 of blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.archive import Block
from gridwatch.domain.meter.energy import Derived, Register
from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.meter.grid import Grid, runs_of, slots_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.terms import Terms
from gridwatch.domain.meter.timeliness import recent_of
from gridwatch.domain.meter.usage import Place, Usage, with_frequency
from gridwatch.domain.policy import NEVER
from gridwatch.tables.anomaly_rows import habit_of, plain_habit
from gridwatch.tables.row_kind import RowKind, decode_plain

_FIELDS: Final = 17
_WITH_RUNS: Final = 3
_WITH_FREQUENCY: Final = 6
_BLOCK_WITH_FREQUENCY: Final = 3
_USAGE: Final = 8
"""Values of a usage, before those of a habit."""
#: A msgpack array of so many elements.
_HEAD: Final = b"\xdc" + struct.pack(">H", _FIELDS)


def _plain(meter: MeterState) -> tuple[Any, ...]:
    gaps, older = meter.gaps, meter.older
    return (
        meter.due,
        meter.last_seen,
        meter.start,
        meter.interval,
        meter.cursor,
        meter.last_slot,
        runs_of(meter.ahead, meter.interval, meter.calendar) if meter.ahead else (),
        meter.recent if meter.derived is None and not meter.cold_next else _plain_readings(meter),
        tuple(plain_gap(gap) for gap in gaps) if gaps else (),  # most meters have none
        tuple(_plain_grid(grid) for grid in older) if older else (),
        meter.run,
        meter.off_run,
        meter.gap_count,
        meter.late_count,
        meter.region,
        _plain_terms(meter) if _has_more(meter) else meter.given,
        meter.forgotten,
    )


def _state(row: Any, version: int) -> MeterState:
    meter = MeterState(0, 1)
    (
        meter.due,
        meter.last_seen,
        meter.start,
        meter.interval,
        meter.cursor,
        meter.last_slot,
        ahead,
        recent,
        gaps,
        older,
        run,
        off_run,
        meter.gap_count,
        meter.late_count,
        meter.region,
        given,
        meter.forgotten,
    ) = row
    if isinstance(given, list):
        given, terms, calendar, *usage = given
        meter.terms = None if terms is None else Terms(*terms)
        meter.calendar = None if calendar is None else Calendar(*calendar)
        if usage:
            meter.usage = _usage(version, *usage[:_USAGE])
            meter.habit = habit_of(usage[_USAGE]) if len(usage) > _USAGE else None
    meter.given = given
    meter.ahead = _ahead(ahead, meter.interval, meter.calendar, version)
    if version == 1:
        recent = recent_of(zip(recent[::2], recent[1::2], strict=True))
    elif isinstance(recent, list):
        recent, derived, meter.cold_first, meter.cold_next, meter.cold_last = recent
        if derived is not None:
            register, energies = derived
            meter.derived = Derived(None if register is None else Register(*register), energies)
    meter.recent = recent
    meter.gaps = tuple(gap_of(gap) for gap in gaps)
    meter.older = tuple(_grid(grid, version) for grid in older)
    meter.run = tuple(run)
    meter.off_run = tuple(off_run)
    meter.update_calm()
    return meter


def _plain_readings(meter: MeterState) -> tuple[Any, ...]:
    derived = None if meter.derived is None else (meter.derived.register, meter.derived.energies)
    return meter.recent, derived, meter.cold_first, meter.cold_next, meter.cold_last


def _plain_terms(meter: MeterState) -> tuple[Any, ...]:
    terms, usage, habit = meter.terms, meter.usage, meter.habit
    plain = (meter.given, None if terms is None else tuple(terms), meter.calendar)
    if habit is not None and usage is None:
        usage = Usage()
    if usage is None or (habit is None and not has_usage(usage)):
        return plain
    reported = usage.reported.to_bytes((usage.reported.bit_length() + 7) // 8, "big")
    joined = 0 if usage.place is None else usage.joined
    known = (*plain, usage.measures, usage.spans, usage.place, joined, usage.reported_last, reported)
    if habit is not None:
        return (*known, usage.lag, usage.lag_since, plain_habit(habit))
    return (*known, usage.lag, usage.lag_since) if usage.lag or usage.lag_since != -NEVER else known


def _has_more(meter: MeterState) -> bool:
    """Whether a meter is not given by the plainest of rows."""
    return bool(meter.terms or meter.calendar or meter.habit is not None or has_usage(meter.usage))


def has_usage(usage: Usage | None) -> bool:
    """Whether there is something to store of what windows and regions know of a meter."""
    return usage is not None and (
        usage.place is not None
        or bool(usage.measures)
        or bool(usage.spans)
        or bool(usage.reported)
        or usage.lag != 0
        or usage.lag_since != -NEVER
    )


def _usage(  # noqa: PLR0917 - all that is in the row
    version: int,
    measures: bytes,
    spans: Sequence[Sequence[int]],
    place: Sequence[Any] | None,
    joined: int,
    last: int,
    reported: bytes,
    lag: int = 0,
    lag_since: int = -NEVER,
) -> Usage:
    usage = Usage()
    usage.lag, usage.lag_since, usage.joined = lag, lag_since, joined
    usage.reported_last, usage.reported = last, int.from_bytes(reported, "big")
    usage.measures = measures if version >= _WITH_FREQUENCY else with_frequency(measures)
    usage.spans = tuple((time, first, last, energy) for time, first, last, energy in spans)
    usage.place = None if place is None else place_of(place)
    return usage


def place_of(plain: Sequence[Any]) -> Place:
    """A place from its plain values. A million meters share a few of them, so they share the text, too."""
    region, feeder, transformer, covered = plain
    return _place(region, feeder, transformer, covered)


@lru_cache(maxsize=100_000)
def _place(region: str, feeder: str | None, transformer: str | None, covered: bool) -> Place:
    return Place(region, feeder, transformer, covered)


def _plain_block(block: Block) -> tuple[bytes, ...]:
    return tuple(block) if block.measures else (block.readings, block.energies)


def _block(plain: Sequence[bytes], version: int) -> Block:
    block = Block(*plain)
    if version < _BLOCK_WITH_FREQUENCY and block.measures:
        return block._replace(measures=with_frequency(block.measures))
    return block


def _plain_register(register: Register) -> tuple[int, ...]:
    return tuple(register)


def _register(plain: Sequence[int], version: int) -> Register:
    return Register(*plain)


def plain_gap(gap: Gap) -> tuple[Any, ...]:
    """The plain values of a gap in a meter's row."""
    plain = (gap.first, gap.last, gap.interval, gap.detected, gap.missing, gap.state, gap.revision)
    return plain if gap.calendar is None and not gap.planned else (*plain, gap.planned, gap.calendar)


def gap_of(plain: Sequence[Any]) -> Gap:
    """A gap, from its plain values in a meter's row."""
    first, last, interval, detected, missing, state, revision, *more = plain
    planned, calendar = more or (False, None)
    return Gap(
        *(first, last, interval, detected),
        calendar=None if calendar is None else Calendar(*calendar),
        planned=planned,
        missing=tuple(missing),
        state=state,
        revision=revision,
    )


def _plain_grid(grid: Grid) -> tuple[Any, ...]:
    runs = runs_of(grid.ahead, grid.interval, grid.calendar)
    plain = (grid.start, grid.interval, grid.cursor, grid.end, runs)
    return plain if grid.calendar is None else (*plain, grid.calendar)


def _grid(plain: Sequence[Any], version: int) -> Grid:
    start, interval, cursor, end, ahead, *more = plain
    calendar = Calendar(*more[0]) if more else None
    return Grid(start, interval, cursor, end, _ahead(ahead, interval, calendar, version), calendar)


def _ahead(plain: Sequence[int], interval: int, calendar: Calendar | None, version: int) -> tuple[int, ...]:
    return slots_of(plain, interval, calendar) if version >= _WITH_RUNS else tuple(plain)


METER: Final = RowKind("meter", _WITH_FREQUENCY, _plain, _state, head=_HEAD)
#: Older readings of a meter.
BLOCK: Final = RowKind("block", _BLOCK_WITH_FREQUENCY, _plain_block, _block)
#: The register of a meter whose state was dropped.
REGISTER: Final = RowKind("register", 1, _plain_register, _register)

#: The same where the due time and the time of the last reading are unsigned integers of eight bytes, as they
#: are since 1970.
_DUE_FIRST: Final = bytes([METER.version]) + _HEAD + b"\xcf"
_DUE: Final = struct.Struct(">Q")
_SEEN_NEXT: Final = 0xCF
_SEEN: Final = struct.Struct(">QBQ")


def due_of(row: bytes, kind: RowKind[Any] = METER) -> int:
    """The earliest deadline in a row that begins with it, µs."""
    if row.startswith(_DUE_FIRST):
        return int(_DUE.unpack_from(row, len(_DUE_FIRST))[0])
    return int(decode_plain(kind.body_of(row))[0])


def due_and_seen(row: bytes) -> tuple[int, int]:
    """The earliest deadline in a meter's row, and when it was seen last, µs."""
    if row.startswith(_DUE_FIRST):
        due, kind, seen = _SEEN.unpack_from(row, len(_DUE_FIRST))
        if kind == _SEEN_NEXT:
            return int(due), int(seen)
    plain = decode_plain(METER.body_of(row))
    return int(plain[0]), int(plain[1])
