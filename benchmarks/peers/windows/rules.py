"""The minutes as the peers see them: which one a reading is in, when one is over, and its record.

Times in seconds since the epoch; a minute is named by its start.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from benchmarks.peers.rules import instant_of

LENGTH = 60
#: How far readings may be out of order: a minute is over this long after its end.
WAIT = 10

#: The stamps of a slot are those of all meters.
time_of = cache(instant_of)


def minute_of(time: float) -> int:
    """The minute that contains a time."""
    return int(time) // LENGTH * LENGTH


def over_at(time: float) -> int:
    """The newest minute that is over when the highest time seen is this one."""
    return minute_of(time - WAIT) - LENGTH


@cache
def _text(minute: int) -> str:
    return datetime.fromtimestamp(minute, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(meter: str, minute: int, energy: float) -> dict[str, Any]:
    """The record of a minute of one meter; energy in kWh."""
    return {"meter_id": meter, "window_start": _text(minute), "energy_kwh_sum": energy}
