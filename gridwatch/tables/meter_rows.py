"""A meter's row: its state as plain values, by position.

The deadline of the meter comes first, so that the deadline index can be rebuilt from a million rows by
reading one number of each. Version 1 wrote the remembered readings as stamp, value, stamp …; from version 3
on a list stands in their place where energy is derived, or older readings are in blocks, and slots filled
ahead are runs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from gridwatch.domain.meter.archive import Block
from gridwatch.domain.meter.energy import Derived, Register
from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.meter.grid import Grid, runs_of, slots_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import recent_of
from gridwatch.tables.row_kind import RowKind, decode_plain

_FIELDS: Final = 17
_WITH_RUNS: Final = 3
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
        runs_of(meter.ahead, meter.interval) if meter.ahead else (),
        meter.recent if meter.derived is None and not meter.cold_next else _plain_readings(meter),
        tuple(_plain_gap(gap) for gap in gaps) if gaps else (),  # most meters have none
        tuple(_plain_grid(grid) for grid in older) if older else (),
        meter.run,
        meter.off_run,
        meter.gap_count,
        meter.late_count,
        meter.region,
        meter.given,
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
        meter.given,
        meter.forgotten,
    ) = row
    meter.ahead = _ahead(ahead, meter.interval, version)
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


def _block(plain: Sequence[bytes], version: int) -> Block:
    return Block(*plain)


def _plain_register(register: Register) -> tuple[int, ...]:
    return tuple(register)


def _register(plain: Sequence[int], version: int) -> Register:
    return Register(*plain)


def _plain_gap(gap: Gap) -> tuple[Any, ...]:
    return (gap.first, gap.last, gap.interval, gap.detected, gap.missing, gap.state, gap.revision)


def gap_of(plain: Sequence[Any]) -> Gap:
    """A gap, from its plain values in a meter's row."""
    first, last, interval, detected, missing, state, revision = plain
    return Gap(first, last, interval, detected, missing=tuple(missing), state=state, revision=revision)


def _plain_grid(grid: Grid) -> tuple[Any, ...]:
    return (grid.start, grid.interval, grid.cursor, grid.end, runs_of(grid.ahead, grid.interval))


def _grid(plain: Sequence[Any], version: int) -> Grid:
    start, interval, cursor, end, ahead = plain
    return Grid(start, interval, cursor, end, _ahead(ahead, interval, version))


def _ahead(plain: Sequence[int], interval: int, version: int) -> tuple[int, ...]:
    return slots_of(plain, interval) if version >= _WITH_RUNS else tuple(plain)


METER: Final = RowKind("meter", _WITH_RUNS, _plain, _state, head=_HEAD)
#: Older readings of a meter.
BLOCK: Final = RowKind("block", 1, tuple, _block)
#: The register of a meter whose state was dropped.
REGISTER: Final = RowKind("register", 1, _plain_register, _register)

#: The same where the due time is an unsigned integer of eight bytes, as it is since 1970.
_DUE_FIRST: Final = bytes([METER.version]) + _HEAD + b"\xcf"
_DUE: Final = struct.Struct(">Q")


def due_of(row: bytes) -> int:
    """A meter's earliest deadline, µs; the rest of the row is not decoded."""
    if row.startswith(_DUE_FIRST):
        return int(_DUE.unpack_from(row, len(_DUE_FIRST))[0])
    return int(decode_plain(METER.body_of(row))[0])


def due_times(rows: Sequence[tuple[bytes, bytes]]) -> list[tuple[int, str]]:
    """(due, meter id) of each row: the entries of the deadline index."""
    return [(due_of(row), key.decode()) for key, row in rows]
