"""`incidents`: many meters that fell silent together."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

IncidentKind = Literal["storm", "feeder", "transformer"]


class Incident(Struct, frozen=True):
    """One incident, as it stands at this revision.

    `target` is the region, feeder or transformer. `meters` are the first ones by id of those that are silent
    now, all of which `meters_open` counts; `meters_peak` is their highest number. `parent_id` is the incident
    of a wider scope that this one belongs to.
    """

    id: str
    kind: IncidentKind
    region: str
    target: str
    state: Literal["OPEN", "CLOSED"]
    revision: int
    started_at: str
    updated_at: str
    ended_at: str | None
    meters_open: int
    meters_active: int
    meters_peak: int
    meters: list[str]
    parent_id: str | None
