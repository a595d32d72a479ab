"""The remembered readings of a meter: the newest few in its state, older ones in blocks.

A meter that reports every second has 3600 readings that may still be revised. They would be written again
with every change of the meter, so its state keeps the newest few only. The others are in blocks, each the
state of a name of its own, which are read for late readings only. Blocks are numbered, and cover the stamps
up to ``cold_last`` of the meter, ascending. Before a commit, readings beyond the limit move into the newest
block or the next one, and blocks whose readings can no longer be late are removed.

How readings are parted into blocks depends on where commits are cut. What is remembered does not: from the
``horizon`` on, as far back as a reading can be late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import (
    READING_BYTES,
    Recent,
    key_of,
    last_stamp,
    part_within,
    recall,
    remember,
    seen_within,
    since,
    stamp_before,
    stamps_of,
)
from gridwatch.domain.meter.usage import Measures, measures_within, parted_measures, with_measures
from gridwatch.domain.policy import NEVER, Policy

COLD: Final = "\x02"
"""Begins the name of a block, and stands before the meter id in it."""


class Block(NamedTuple):
    """Some older readings, the energies counted for them where those are derived, and their measures."""

    readings: Recent
    energies: Recent
    measures: Measures = b""


def block_name(meter_id: str, number: int) -> str:
    """The name of a block's state."""
    return f"{COLD}{number}{COLD}{meter_id}"


class Archive:
    """The remembered readings of one meter.

    find: the state of a name. changed: gets the blocks that change; None removes one. horizon: readings of
    earlier stamps are not remembered. oldest: those of earlier stamps are remembered for windows only, and
    no other rule knows them; so none depends on whether there are windows.
    """

    def __init__(  # noqa: PLR0917 - all that it is
        self,
        meter_id: str,
        meter: MeterState,
        find: Callable[[str], Any],
        changed: dict[str, Any],
        horizon: int,
        oldest: int = -NEVER,
    ) -> None:
        self._meter_id = meter_id
        self._meter = meter
        self._find = find
        self._changed = changed
        self._horizon = horizon
        self._oldest = max(horizon, oldest)

    def recall(self, time: int) -> float | None:
        """The value of the stamp ``time``, None if it is not remembered."""
        if time > self._meter.cold_last:
            return recall(self._meter.recent, time)
        return recall(self._block_of(time).readings, time)

    def energy_at(self, time: int) -> float | None:
        """The energy counted for a remembered stamp, kWh."""
        meter = self._meter
        energies = b"" if meter.derived is None else meter.derived.energies
        block = Block(meter.recent, energies) if time > meter.cold_last else self._block_of(time)
        energy = recall(block.energies, time)
        return recall(block.readings, time) if energy is None else energy

    def stamp_before(self, time: int) -> int | None:
        """The last remembered stamp before ``time``."""
        meter = self._meter
        found = stamp_before(meter.recent, time)
        if found is None and meter.cold_first < meter.cold_next:
            number = self._number_of(time)
            found = stamp_before(self._block(number).readings, time)
            if found is None and number > meter.cold_first:
                found = last_stamp(self._block(number - 1).readings)
        return None if found is None or found < self._oldest else found

    def seen_within(self, start: int, end: int) -> bool:
        """Whether a stamp in [start, end) is remembered."""
        meter = self._meter
        if seen_within(meter.recent, start, end):
            return True
        return start <= meter.cold_last and seen_within(self._block_of(start).readings, start, end)

    def stamps(self) -> list[int]:
        """All remembered stamps, ascending."""
        meter = self._meter
        horizon = min(self._oldest, meter.off_run[0]) if meter.off_run else self._oldest
        numbers = range(meter.cold_first, meter.cold_next) if horizon <= meter.cold_last else ()
        parts: Iterable[Recent] = (*(self._block(number).readings for number in numbers), meter.recent)
        return [stamp for part in parts for stamp in stamps_of(part) if stamp >= horizon]

    def between(self, start: int, end: int) -> Block:
        """The remembered readings with stamps in [start, end)."""
        meter = self._meter
        low, high = key_of(max(start, self._horizon)), key_of(end)
        energies = b"" if meter.derived is None else meter.derived.energies
        measured = b"" if meter.usage is None else meter.usage.measures
        parts = [Block(meter.recent, energies, measured)]
        if start <= meter.cold_last:
            numbers = range(self._number_of(start), meter.cold_next)
            parts = [*(self._block(number) for number in numbers), *parts]
        return Block(
            b"".join([part_within(part.readings, low, high) for part in parts]),
            b"".join([part_within(part.energies, low, high) for part in parts]),
            b"".join([measures_within(part.measures, low, high) for part in parts]),
        )

    def first_from(self, start: int) -> int | None:
        """The first remembered stamp from ``start`` on."""
        meter = self._meter
        if start <= meter.cold_last:
            for number in range(self._number_of(start), meter.cold_next):
                for stamp in stamps_of(self._block(number).readings):
                    if stamp >= start:
                        return stamp
        return next((stamp for stamp in stamps_of(meter.recent) if stamp >= start), None)

    def note(self, time: int, value: float, energy: float) -> None:
        """Remember a reading that was applied; forget those in the state from before the horizon."""
        meter = self._meter
        if time > meter.cold_last:
            meter.note(time, value, energy, self._horizon)
            return
        number = self._number_of(time)
        block = self._block(number)
        readings, energies = remember(block.readings, time, value, -NEVER), block.energies
        if meter.derived is not None:
            energies = remember(energies, time, energy, -NEVER)
        self._changed[block_name(self._meter_id, number)] = Block(readings, energies, block.measures)

    def measure(self, time: int, values: bytes) -> None:
        """Remember what else a remembered reading measured, as ``measures_of``; nothing if empty."""
        if time > self._meter.cold_last:
            usage = self._meter.use()
            if values or usage.measures:
                usage.measures = with_measures(usage.measures, time, values, key_of(self._horizon))
            return
        number = self._number_of(time)
        block = self._block(number)
        block = block._replace(measures=with_measures(block.measures, time, values, b""))
        self._changed[block_name(self._meter_id, number)] = block

    def seal(self, policy: Policy) -> None:
        """Move readings beyond the limit into blocks, and remove the blocks before the horizon."""
        meter = self._meter
        kept = policy.hot_readings // 4 * READING_BYTES
        moved = meter.recent[:-kept]
        meter.recent = meter.recent[-kept:]
        meter.cold_last = last_stamp(moved)
        energies: Recent = b""
        if meter.derived is not None:
            energies, meter.derived.energies = _parted(meter.derived.energies, meter.cold_last)
        measured: Measures = b""
        if (usage := meter.usage) is not None:
            measured, usage.measures = parted_measures(usage.measures, key_of(meter.cold_last + 1))
        most = (policy.block_readings + 1) // (2 if meter.is_wide else 1) * READING_BYTES
        begun, short = meter.cold_next, most // 4  # a short block is written again, so that there are fewer
        if meter.cold_first < begun and len(moved) < short:
            newest = self._block(begun - 1)
            if len(newest.readings) < short:
                moved, energies = newest.readings + moved, newest.energies + energies
                measured = newest.measures + measured
                meter.cold_next -= 1
        while moved:
            readings, moved = moved[:most], moved[most:]
            last = last_stamp(readings)
            own, energies = _parted(energies, last)
            known, measured = parted_measures(measured, key_of(last + 1))
            self._changed[block_name(self._meter_id, meter.cold_next)] = Block(readings, own, known)
            meter.cold_next += 1
        if meter.cold_next > begun:
            self._remove_before(self._horizon)

    def join(self) -> None:
        """Move all remembered readings into the state, as if there were no blocks: to be looked at."""
        meter = self._meter
        blocks = [self._block(number) for number in range(meter.cold_first, meter.cold_next)]
        horizon = key_of(self._horizon)
        meter.recent = since(b"".join([*(block.readings for block in blocks), meter.recent]), horizon)
        if meter.derived is not None:
            energies = b"".join([*(block.energies for block in blocks), meter.derived.energies])
            meter.derived.energies = since(energies, horizon)
        if meter.usage is not None:
            measured = b"".join([*(block.measures for block in blocks), meter.usage.measures])
            meter.usage.measures = parted_measures(measured, horizon)[1]
        meter.cold_first = meter.cold_next = 0
        meter.cold_last = -NEVER

    def remove(self) -> None:
        """Remove all blocks."""
        self._remove_before(NEVER)

    def _remove_before(self, horizon: int) -> None:
        meter = self._meter
        while meter.cold_first < meter.cold_next:
            if last_stamp(self._block(meter.cold_first).readings) >= horizon:
                return
            self._changed[block_name(self._meter_id, meter.cold_first)] = None
            meter.cold_first += 1
        meter.cold_last = -NEVER

    def _block(self, number: int) -> Block:
        found: Block | None = self._find(block_name(self._meter_id, number))
        return Block(b"", b"") if found is None else found

    def _block_of(self, time: int) -> Block:
        return self._block(self._number_of(time))

    def _number_of(self, time: int) -> int:
        """The first block that ends at or after ``time``, else the last one."""
        low, high = self._meter.cold_first, self._meter.cold_next - 1
        while low < high:
            middle = (low + high) // 2
            if last_stamp(self._block(middle).readings) < time:
                low = middle + 1
            else:
                high = middle
        return low


def _parted(recent: Recent, last: int) -> tuple[Recent, Recent]:
    """The readings up to the stamp ``last``, and those after it."""
    rest = since(recent, key_of(last + 1))
    return recent[: len(recent) - len(rest)], rest
