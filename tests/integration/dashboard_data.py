"""Two days of a few meters for the dashboards: what the worker would say, written by the sink's writer.

Among the meters are ids that are nobody's friends; of each kind of trouble there is some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg2

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated
from gridwatch.topics import (
    AGGREGATES_1M,
    AGGREGATES_15M,
    ANOMALIES,
    DEAD_LETTERS,
    GAP_ALERTS,
    INCIDENTS,
    LATE_EVENTS,
    METRICS,
    RAW,
    REGIONAL_AGGREGATES,
    VALIDATED,
)
from sinks.rows import Rows
from sinks.writer import Writer
from tests.integration import anomaly_data, home_data, window_data

METERS = (
    *("METER_0001", "METER_0002", "O'Brien", 'a "b" <i>/c\\', "Zähler €", "100%_$meter"),
    *("<script>alert(1)</script>", "a/b?c=d&e#f", "long " + "x" * 123),
)
REGIONS = ("north", "south'; --", None)
HALF_HOUR = timedelta(minutes=30)
PARTITIONS = 2


@dataclass(frozen=True)
class Source:
    topic: str
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    value: bytes | None = b""


@dataclass(frozen=True)
class Period:
    """Event time of the data, and the wall clock at which the system metrics were told."""

    start: datetime
    end: datetime
    now: datetime


def written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def readings(period: Period) -> Iterator[Validated]:
    """Every half hour but the 5th of a meter; each 7th late, each 11th revised, with electrical values."""
    offset = 0
    for number, meter in enumerate(METERS):
        slot, time = 0, period.start
        while time < period.end:
            slot, time, offset = slot + 1, time + HALF_HOUR, offset + 1
            if slot % 5 == 0:
                continue
            late = slot % 7 == 0
            given: dict[str, Any] = {
                "meter_id": meter,
                "timestamp": written(time),
                "interval_minutes": 30,
                "status": "LATE" if late else "OK",
                "delay_seconds": 90.0 * number + 30 if late else 0.0,
                "watermark": written(time),
                "partition": number % PARTITIONS,
                "index": 0,
                "region": REGIONS[number % 3],
                "voltage": 230.0,
            }
            yield Validated(id=f"r-{offset}", offset=offset, consumption_kwh=1.5, flags=[], **given)
            if slot % 11 == 0:
                again = offset + 1_000_000
                flags = ["REVISED"]
                yield Validated(id=f"r-{again}", offset=again, consumption_kwh=2.0, flags=flags, **given)


def gaps(period: Period) -> Iterator[GapAlert]:
    """The gap of every fifth slot: the last one of a meter open, the second taken back."""
    for number, meter in enumerate(METERS):
        starts = []
        time = period.start + 5 * HALF_HOUR
        while time <= period.end:
            starts.append(time)
            time += 5 * HALF_HOUR
        for n, start in enumerate(starts):
            state = "OPEN" if start == starts[-1] else "RETRACTED" if n == 1 else "CLOSED"
            end = start + HALF_HOUR
            yield GapAlert(
                gap_id=f"{meter}@{written(start)}",
                meter_id=meter,
                revision=2,
                state=state,  # type: ignore[arg-type]
                missing_from=written(start),
                missing_to=written(end),
                missing_intervals=0 if state == "RETRACTED" else 1,
                missing_ranges=[] if state == "RETRACTED" else [(written(start), written(end))],
                filled_intervals=0,
                gap_minutes=0.0 if state == "RETRACTED" else 30.0,
                interval_minutes=30,
                expected_at=written(start),
                detected_at=written(end),
                last_seen=written(start - HALF_HOUR),
                grace_seconds=900.0,
                reason=_reason(number, state),
                region=REGIONS[number % 3],
                partition=number % PARTITIONS,
                offset=n,
            )


def _reason(number: int, state: str) -> str:
    """Of the open gaps, one is of a meter that was never heard, and each third is planned."""
    if state != "OPEN":
        return "readings came again"
    return "NEVER_HEARD" if number == 0 else "PLANNED" if number % 3 == 1 else "no reading by its deadline"


def late_events(period: Period) -> Iterator[LateEvent]:
    for number, meter in enumerate(METERS):
        time = written(period.start + HALF_HOUR * (number + 1))
        yield LateEvent(f"l-{number}", meter, time, 9.0, 8000.0, time, 3600.0, [], number % 2, number, 0)


def dead_letters(period: Period) -> Iterator[DeadLetter]:
    for number, reasons in enumerate((["NOT_JSON"], ["NEGATIVE", "BAD_TIMESTAMP"], ["NOT_JSON"])):
        yield DeadLetter(
            id=f"d-{number}",
            reasons=reasons,
            message="bad",
            field=None,
            raw="{",
            raw_encoding="utf-8",
            raw_size=1,
            raw_truncated=False,
            topic=RAW.name,
            partition=number % PARTITIONS,
            offset=number,
            index=0,
            record_timestamp=written(period.start + HALF_HOUR),
            meter_id=None,
        )


#: Of each window and partition.
EVENT_VALUES = {
    "readings_received": 10.0,
    "readings_validated": 8.0,
    "readings_late": 1.0,
    "readings_too_late": 1.0,
    "readings_invalid": 1.0,
    "readings_duplicate": 0.0,
    "gaps_opened": 1.0,
    "gaps_closed": 1.0,
    "missing_intervals": 2.0,
    "active_meters": 3.0,
}
SYSTEM_VALUES = {
    "watermark_lag_seconds": 45.0,
    "consumer_lag_records": 7.0,
    "batch_seconds": 0.25,
    "batch_records": 500.0,
    "state_meters": 3.0,
    "open_gaps": 3.0,
    "sink_rows": 100.0,
    "sink_commit_seconds": 0.05,
}


def metrics(period: Period) -> Iterator[Metric]:
    """Event metrics in windows of five minutes, system metrics of the last ten minutes by the wall clock."""
    yield from _told(EVENT_VALUES, "event", period.start, period.end, timedelta(minutes=5))
    ten = timedelta(seconds=10)
    yield from _told(SYSTEM_VALUES, "system", period.now - timedelta(minutes=10), period.now, ten)


def _told(
    values: dict[str, float], scope: Any, start: datetime, end: datetime, window: timedelta
) -> Iterator[Metric]:
    while start < end:
        for name, value in values.items():
            for partition in range(PARTITIONS):
                begun = written(start)
                yield Metric(
                    f"{name}@{begun}/{partition}",
                    name,
                    value,
                    begun,
                    written(start + window),
                    1,
                    scope,
                    partition,
                    {},
                )
        start += window


def records(period: Period) -> dict[str, list[Any]]:
    """All records by topic."""
    return {
        VALIDATED.name: list(readings(period)),
        GAP_ALERTS.name: list(gaps(period)),
        LATE_EVENTS.name: list(late_events(period)),
        METRICS.name: list(metrics(period)),
        DEAD_LETTERS.name: list(dead_letters(period)),
        **windows(period),
        **home_data.records(period.start, period.now),
    }


def windows(period: Period) -> dict[str, list[Any]]:
    """Of the meters and regions above; windows of a minute for two hours only, as there are many."""
    places = {meter: REGIONS[number % 3] for number, meter in enumerate(METERS)}
    regions = [region for region in REGIONS if region is not None]
    start, end, soon = period.start, period.end, period.start + timedelta(hours=2)
    return {
        AGGREGATES_1M.name: list(window_data.aggregates(places, start, soon, window_data.MINUTE)),
        AGGREGATES_15M.name: list(window_data.aggregates(places, start, end, window_data.QUARTER)),
        ANOMALIES.name: list(anomaly_data.anomalies(places, start, end)),
        REGIONAL_AGGREGATES.name: list(window_data.regional_aggregates(regions, start, end)),
        INCIDENTS.name: list(window_data.incidents(regions[0], list(METERS[:4]), start, end)),
    }


STATUSES = ("active", "installed", "suspended", "planned", "removed")
CLASSES = ("household", "industry", None)


def register(url: str, period: Period) -> None:
    """The book of record: all meters, a region, planned outages that are over, now and to come, and changes
    that were published, but for two."""
    now, hour = period.now, timedelta(hours=1)
    session = psycopg2.connect(url)
    with session, session.cursor() as cursor:
        cursor.execute(
            "INSERT INTO regions (region, capacity_kw, version, updated_at) VALUES ('north', 900, 1, %s)"
            " ON CONFLICT DO NOTHING",
            (now - hour,),
        )
        for number, meter in enumerate(METERS):
            cursor.execute(
                "INSERT INTO meters (meter_id, flow, status, region, customer_class, version, updated_at)"
                " VALUES (%s, 'smartmeter', %s, %s, %s, 1, %s) ON CONFLICT DO NOTHING",
                (
                    *(meter, STATUSES[number % 5], REGIONS[number % 3], CLASSES[number % 3]),
                    now - number * hour,
                ),
            )
        for number, start in enumerate((now - 9 * hour, now - hour, now + 9 * hour)):
            cursor.execute(
                "INSERT INTO planned_outages (outage_id, scope, target, outage_from, outage_until, version)"
                " VALUES (%s, 'region', 'north', %s, %s, 1) ON CONFLICT DO NOTHING",
                (f"works-{number}", start, start + 5 * hour),
            )
        for number in range(6):
            made = now - number * hour
            cursor.execute(
                "INSERT INTO outbox (value, entity, created_at, published_at)"
                " VALUES ('{}', 'meter:M', %s, %s)",
                (made, made + timedelta(seconds=2) if number > 1 else None),
            )
    session.close()


def rows(period: Period) -> list[Rows]:
    """All records, as the sink's writer takes them."""
    return [Rows(topic, of_it, [Source(topic)] * len(of_it)) for topic, of_it in records(period).items()]


def write(url: str, period: Period) -> None:
    """Into the database at `url`, as the sink does it."""
    writer = Writer(url)
    assert writer.write(rows(period)) == []
    writer.disconnect()
    register(url, period)
