"""`regional_aggregates`: what a region used in a quarter of an hour, against what it can carry."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

RegionalState = Literal["PRELIMINARY", "UPDATED", "FINAL"]


class RegionalAggregate(Struct, frozen=True):
    """One region and window, as it stands at this revision. Energy kWh, power kW.

    `complete`: no source partition is missing. `completeness`: the share of the time of all meters for which
    readings came. `load_kw` is scaled up to all meters; it and `load_percentage` are null where too little is
    known, `quality` is `INSUFFICIENT` then. `power_kw_min` and `power_kw_max` are the lowest and highest
    measured power by minute. `prorated`: slots longer than the window were shared out. `uncovered`: meters
    that report too rarely to take part.
    """

    id: str
    region: str
    window_start: str
    window_end: str
    revision: int
    state: RegionalState
    complete: bool
    quality: Literal["OK", "INSUFFICIENT"]
    meters_active: int
    meters_reporting: int
    completeness: float | None
    energy_kwh_sum: float
    load_kw: float | None
    power_kw_min: float | None
    power_kw_max: float | None
    capacity_kw: float | None
    load_percentage: float | None
    prorated: bool
    uncovered: int
