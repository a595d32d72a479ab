"""The watermark: how far event time has certainly come in one partition. It never goes back.

A reading raises it to its time less ``max_out_of_orderness``, a tick to its instant. The first reading or
tick of a partition sets it.

**Jump guard.** A reading that would raise it by more than ``max_watermark_jump`` is not believed from one
meter alone: it is validated (``AHEAD``), raises nothing and touches no meter; the partition keeps it (at
most 64, oldest out, after what follows). Once a reading of another meter lies that far ahead too, the
watermark rises to the lower of the two, where a meter with several kept readings stands for the highest
of them. A tick needs no confirmation.

A kept reading is applied to its meter as soon as the watermark has reached its time less
``max_out_of_orderness``, by whatever raised it: right after the watermark rose, before anything is
settled, in the order in which they came. Until then it waits, also the higher one of the two that
confirmed each other. A later kept reading of the same meter and stamp takes the place of the earlier one, so
that its value stands; and a kept reading gives way to one of its stamp that was applied before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridwatch.domain.reading import KeptReading


def leaps(lead: int, watermark: int, max_watermark_jump: int) -> bool:
    """Whether a reading that would put the watermark at ``lead`` needs a second meter to be believed."""
    return lead - watermark > max_watermark_jump


def confirmed_time(kept: Sequence[KeptReading], meter_id: str, time: int) -> int | None:
    """How far another meter agrees with a reading of ``meter_id`` at ``time``; None if none does."""
    others = max((reading.time for reading in kept if reading.meter_id != meter_id), default=None)
    return None if others is None else min(others, time)


def keep(
    kept: Sequence[KeptReading], reading: KeptReading
) -> tuple[tuple[KeptReading, ...], KeptReading | None]:
    """``kept`` with ``reading``: last, or in the place of the one of its meter and stamp, given too."""
    for place, old in enumerate(kept):
        if old[:2] == reading[:2]:
            return (*kept[:place], reading, *kept[place + 1 :]), old
    return (*kept, reading), None


def reached(kept: Sequence[KeptReading], bound: int) -> tuple[list[KeptReading], tuple[KeptReading, ...]]:
    """The kept readings up to the event time ``bound``, and the rest; each in order of arrival."""
    return [reading for reading in kept if reading.time <= bound], tuple(
        reading for reading in kept if reading.time > bound
    )
