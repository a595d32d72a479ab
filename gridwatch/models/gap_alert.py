"""`smartmeter_gap_alerts`: one revision in the life of a gap."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

GapState = Literal["OPEN", "CLOSED", "PARTIAL", "FILLED", "EXPIRED", "RETRACTED"]


class GapAlert(Struct, frozen=True):
    """A run of missing slots of one meter, as it stands at this revision.

    `missing_to` is exclusive. `missing_ranges` lists the slots still missing as [from, to) pairs.
    `detected_at` is the watermark at which its first slot became missing, `received_at` the timestamp of the
    raw record that this revision comes from. `calendar` is of an interval of local days or months, such as
    `1d Europe/Berlin`: `interval_seconds` is its nominal length then, `gap_minutes` the true one of the gap.
    """

    gap_id: str
    meter_id: str
    revision: int
    state: GapState
    missing_from: str
    missing_to: str
    missing_intervals: int
    missing_ranges: list[tuple[str, str]]
    filled_intervals: int
    gap_minutes: float
    interval_minutes: float
    expected_at: str
    detected_at: str
    last_seen: str
    grace_seconds: float
    reason: str
    region: str | None
    partition: int
    offset: int
    interval_seconds: int | None = None
    received_at: str | None = None
    calendar: str | None = None
