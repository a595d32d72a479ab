"""Windows, the load of the regions and incidents of a period, to be written beside the readings of
`dashboard_data`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gridwatch.models.aggregate import Aggregate
from gridwatch.models.incident import Incident
from gridwatch.models.regional_aggregate import RegionalAggregate

MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _starts(start: datetime, end: datetime, step: timedelta) -> Iterator[tuple[int, datetime]]:
    number = 0
    while start < end:
        yield number, start
        number, start = number + 1, start + step


def aggregates(
    places: dict[str, str | None], start: datetime, end: datetime, length: timedelta
) -> Iterator[Aggregate]:
    """A window of each meter, given with its region, every half hour; each 5th of an unknown interval, each
    7th once revised."""
    for meter, region in places.items():
        for number, begun in _starts(start, end, timedelta(minutes=30)):
            known = number % 5 != 4
            for revision in range(1, 3 if number % 7 == 6 else 2):
                yield Aggregate(
                    id=f"{meter}@{_written(begun)}/{length // MINUTE}m",
                    meter_id=meter,
                    window_start=_written(begun),
                    window_end=_written(begun + length),
                    revision=revision,
                    region=region,
                    reading_count=revision,
                    expected_readings=2 if known else None,
                    completeness=revision / 2 if known else None,
                    energy_kwh_sum=0.25 * revision,
                    power_kw_avg=1.5,
                    power_kw_min=1.0,
                    power_kw_max=2.0,
                    voltage_avg=230.0,
                    current_avg=None,
                    power_factor_avg=None,
                    partition=0,
                    received_at=_written(begun + length + revision * MINUTE),
                )


def regional_aggregates(regions: list[str], start: datetime, end: datetime) -> Iterator[RegionalAggregate]:
    """Every quarter of an hour of each region, first and final; each 6th has too little to say its load."""
    for region in regions:
        for number, begun in _starts(start, end, QUARTER):
            enough = number % 6 != 5
            for revision, state in ((1, "PRELIMINARY"), (2, "FINAL")):
                yield RegionalAggregate(
                    id=f"{region}@{_written(begun)}",
                    region=region,
                    window_start=_written(begun),
                    window_end=_written(begun + QUARTER),
                    revision=revision,
                    state=state,  # type: ignore[arg-type]
                    complete=True,
                    quality="OK" if enough else "INSUFFICIENT",
                    meters_active=4,
                    meters_reporting=4 if enough else 1,
                    completeness=1.0 if enough else 0.25,
                    energy_kwh_sum=150.0,
                    load_kw=600.0 if enough else None,
                    power_kw_min=580.0,
                    power_kw_max=625.5,
                    capacity_kw=900.0,
                    load_percentage=66.7 if enough else None,
                    prorated=number % 2 == 1,
                    uncovered=1,
                )


def incidents(region: str, meters: list[str], start: datetime, end: datetime) -> Iterator[Incident]:
    """A feeder that was silent for an hour, and one that is silent still with a transformer within it."""
    hour = timedelta(hours=1)
    feeder = f"feeder:{region}/F2@{_written(end - hour)}"
    for kind, target, begun, ended, parent in (
        ("feeder", "F1", start + hour, start + 2 * hour, None),
        ("feeder", "F2", end - hour, None, None),
        ("transformer", "T7", end - 2 * hour, None, feeder),
    ):
        open_now = [] if ended else meters
        yield Incident(
            id=f"{kind}:{region}/{target}@{_written(begun)}",
            kind=kind,  # type: ignore[arg-type]
            region=region,
            target=target,
            state="CLOSED" if ended else "OPEN",
            revision=3,
            started_at=_written(begun),
            updated_at=_written(ended or end),
            ended_at=_written(ended) if ended else None,
            meters_open=len(open_now),
            meters_active=5,
            meters_peak=len(meters),
            meters=open_now,
            parent_id=parent,
        )
