"""The watermark: how far event time has come in one partition. It never goes back.

A reading raises it to its time less ``max_out_of_orderness``, a tick to its instant. The first reading or
tick of a partition sets it.

**Jump guard.** A reading that would raise it by more than ``max_watermark_jump`` is not trusted from one
meter alone: it is validated (``AHEAD``), raises nothing and changes no meter; the partition holds it (at most
64, the oldest is dropped, after the next rule). Once a reading of another meter lies that far ahead too, the
watermark rises to the lower of the two, where a meter with several held readings counts with the highest of
them. A tick needs no confirmation.

A held reading is applied to its meter as soon as the watermark has reached its time less
``max_out_of_orderness``, whatever raised it: right after the watermark rose, before anything is
settled, in order of arrival. Until then it waits, also the higher one of the two that confirmed each other. A
later held reading of the same meter and stamp replaces the earlier one, so that its value counts; and a held
reading is dropped if one of its stamp was applied before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridwatch.domain.reading import HeldReading


def leaps(lead: int, watermark: int, max_watermark_jump: int) -> bool:
    """Whether a reading that would raise the watermark to ``lead`` needs a second meter to confirm it."""
    return lead - watermark > max_watermark_jump


def confirmed_time(held: Sequence[HeldReading], meter_id: str, time: int) -> int | None:
    """How far another meter confirms a reading of ``meter_id`` at ``time``; None if none does."""
    others = max((reading.time for reading in held if reading.meter_id != meter_id), default=None)
    return None if others is None else min(others, time)


def hold(
    held: Sequence[HeldReading], reading: HeldReading
) -> tuple[tuple[HeldReading, ...], HeldReading | None]:
    """``held`` with ``reading``: last, or in place of the one of its meter and stamp, returned too."""
    for place, old in enumerate(held):
        if old[:2] == reading[:2]:
            return (*held[:place], reading, *held[place + 1 :]), old
    return (*held, reading), None


def reached(held: Sequence[HeldReading], bound: int) -> tuple[list[HeldReading], tuple[HeldReading, ...]]:
    """The held readings up to the event time ``bound``, and the rest; each in order of arrival."""
    return [reading for reading in held if reading.time <= bound], tuple(
        reading for reading in held if reading.time > bound
    )
