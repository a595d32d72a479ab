"""What is newest in the grid, beyond `window_data`: a region near its limit, one of which little is known, a
storm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from gridwatch.models.aggregate import Aggregate
from gridwatch.models.incident import Incident
from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.topics import AGGREGATES_15M, INCIDENTS, REGIONAL_AGGREGATES

QUARTER = timedelta(minutes=15)
SILENT = 25


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _window(region: str, start: datetime, **other: Any) -> RegionalAggregate:
    return RegionalAggregate(
        id=f"{region}@{_written(start)}",
        region=region,
        window_start=_written(start),
        window_end=_written(start + QUARTER),
        meters_active=4,
        meters_reporting=3,
        energy_kwh_sum=200.0,
        power_kw_min=500.0,
        power_kw_max=900.0,
        prorated=False,
        uncovered=2,
        **other,
    )


def windows(near: str, unknown: str, at: datetime) -> Iterator[RegionalAggregate]:
    """The window at `at` of two regions, and an update of the one before."""
    known = {"complete": True, "quality": "OK", "completeness": 0.9, "capacity_kw": 900.0}
    lacking = {"complete": False, "quality": "INSUFFICIENT", "completeness": 0.5, "capacity_kw": None}
    yield _window(
        near, at - QUARTER, revision=9, state="UPDATED", load_kw=450.0, load_percentage=50.0, **known
    )
    yield _window(near, at, revision=1, state="PRELIMINARY", load_kw=855.0, load_percentage=95.0, **known)
    yield _window(unknown, at, revision=1, state="PRELIMINARY", load_kw=None, load_percentage=None, **lacking)


def meters(places: dict[str, str | None], at: datetime) -> Iterator[Aggregate]:
    """The window at `at` of each meter, one more kWh each."""
    for number, (meter, region) in enumerate(places.items()):
        yield Aggregate(
            id=f"{meter}@{_written(at)}/15m",
            meter_id=meter,
            window_start=_written(at),
            window_end=_written(at + QUARTER),
            revision=1,
            region=region,
            reading_count=15,
            expected_readings=15,
            completeness=1.0,
            energy_kwh_sum=float(number),
            power_kw_avg=4.0 * number,
            power_kw_min=1.0,
            power_kw_max=50.0,
            voltage_avg=None,
            current_avg=None,
            power_factor_avg=None,
            partition=0,
            received_at=_written(at + QUARTER),
        )


def storm(region: str, listed: Sequence[str], at: datetime) -> Incident:
    """Begun at `at`, with more meters than are listed."""
    return Incident(
        id=f"storm:{region}@{_written(at)}",
        kind="storm",
        region=region,
        target=region,
        state="OPEN",
        revision=2,
        started_at=_written(at),
        updated_at=_written(at + timedelta(minutes=2)),
        ended_at=None,
        meters_open=SILENT,
        meters_active=90,
        meters_peak=SILENT + 5,
        meters=list(listed),
        parent_id=None,
    )


def records(places: dict[str, str | None], near: str, unknown: str, at: datetime) -> dict[str, list[Any]]:
    """All of it by topic."""
    return {
        REGIONAL_AGGREGATES.name: list(windows(near, unknown, at)),
        AGGREGATES_15M.name: list(meters(places, at)),
        INCIDENTS.name: [storm(unknown, list(places)[:3], at)],
    }
