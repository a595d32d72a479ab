"""Reads what was detected in a replay from the database, and the readings around each difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.domain.registry.registration import HEARD, NEVER_HEARD
from gridwatch.topics import SMARTMETER, Flow
from replay.scoring.score import Difference, Found, FoundGap, FoundLate, Score, score
from replay.truth.manifest import Manifest
from sinks.database import connect
from sinks.tables.dead_letters import dead_letters
from sinks.tables.gap_alerts import gap_alerts
from sinks.tables.late_events import late_events
from sinks.tables.validated_readings import reading_revisions, validated_readings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FETCH_ROWS = 10_000
_BEFORE, _AFTER = 3, 6
#: Reasons of the gap of a meter before its first reading: the truth knows meters by their readings.
_UNHEARD = (NEVER_HEARD, HEARD)


@dataclass(frozen=True)
class NearbyReading:
    """A reading near a difference: time (µs), kWh, and its classification."""

    time: int
    kwh: float
    status: str
    delay_seconds: float
    flags: tuple[str, ...]

    def __str__(self) -> str:
        late = f" by {self.delay_seconds:g} s" if self.delay_seconds else ""
        flags = f" {' '.join(self.flags)}" if self.flags else ""
        return f"{format_instant(self.time)} {self.kwh:g} kWh {self.status}{late}{flags}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "timestamp": format_instant(self.time),
            "consumption_kwh": self.kwh,
            "status": self.status,
            "delay_seconds": self.delay_seconds,
            "flags": list(self.flags),
        }


def score_database(truth: Manifest, url: str, flow: Flow = SMARTMETER) -> Score:
    """Score what the database at `url` has of a flow. GridwatchError when it cannot be read."""
    with connect(url) as connection:
        return score(truth, detected(connection, truth, flow))


def detected(connection: Connection, truth: Manifest, flow: Flow = SMARTMETER) -> Found:
    """Everything of a flow in the database that the manifest covers."""
    reading, revision, event = validated_readings.c, reading_revisions.c, late_events.c
    late = select(reading.meter_id, reading.time).where(reading.status == "LATE", reading.flow == flow.name)
    revised = select(revision.meter_id, revision.time).where(revision.flow == flow.name)
    too_late = select(event.meter_id, event.time).where(event.flow == flow.name)
    return Found(
        list(_gaps(connection, truth, flow)),
        [FoundLate(*key) for key in _keys(connection, truth, too_late)],
        set(_keys(connection, truth, late)),
        set(_keys(connection, truth, revised)),
        _refused(connection, flow) if truth.refused else {},
    )


def nearby_readings(
    connection: Connection, difference: Difference, flow: Flow = SMARTMETER
) -> list[NearbyReading]:
    """The last readings of the meter before a difference and the first from its start on, late ones too."""
    found: list[NearbyReading] = []
    reading, event = validated_readings.c, late_events.c
    start = _moment(difference.start)
    for columns, status in (
        ((reading.time, reading.consumption_kwh, reading.status, reading.delay_seconds, reading.flags), None),
        ((event.time, event.consumption_kwh, event.delay_seconds, event.flags), "TOO_LATE"),
    ):
        table = validated_readings.c if status is None else late_events.c
        of_meter = select(*columns).where(table.meter_id == difference.meter, table.flow == flow.name)
        for query in (
            of_meter.where(table.time < start).order_by(table.time.desc()).limit(_BEFORE),
            of_meter.where(table.time >= start).order_by(table.time).limit(_AFTER),
        ):
            for row in connection.execute(query):
                reading_status = status or row.status
                found.append(
                    NearbyReading(
                        _micros(row.time),
                        row.consumption_kwh,
                        reading_status,
                        row.delay_seconds,
                        tuple(row.flags),
                    )
                )
    return sorted(found, key=lambda one: one.time)


def _gaps(connection: Connection, truth: Manifest, flow: Flow) -> Iterator[FoundGap]:
    table = gap_alerts.c
    query = select(
        table.meter_id,
        table.missing_from,
        table.missing_to,
        table.missing_intervals,
        table.state,
        table.detected_at,
        table.interval_minutes,
        table.interval_seconds,
        table.calendar,
        table.missing_ranges,
    ).where(
        table.flow == flow.name,
        table.time >= _moment(truth.first),
        table.reason.not_in(_UNHEARD),
    )
    if truth.settled_to is not None:
        query = query.where(table.time <= _moment(truth.settled_to))
    for row in connection.execute(query.execution_options(yield_per=_FETCH_ROWS)):
        yield FoundGap(
            row.meter_id,
            _micros(row.missing_from),
            _micros(row.missing_to),
            row.missing_intervals,
            row.state,
            _micros(row.detected_at),
            # Rows from before intervals below a minute have no seconds.
            row.interval_minutes * MINUTE if row.interval_seconds is None else row.interval_seconds * SECOND,
            tuple((parse_instant(start)[0], parse_instant(to)[0]) for start, to in row.missing_ranges),
            row.calendar or "",
        )


def _keys(connection: Connection, truth: Manifest, query: Select[Any]) -> Iterator[tuple[str, int]]:
    """(meter, time) of the rows within the replay's time range."""
    time = query.selected_columns["time"]
    within = query.where(time >= _moment(truth.first), time <= _moment(truth.last))
    for row in connection.execute(within.execution_options(yield_per=_FETCH_ROWS)):
        yield row[0], _micros(row[1])


def _refused(connection: Connection, flow: Flow) -> dict[tuple[str, str], int]:
    table = dead_letters.c
    query = (
        select(table.raw_encoding, table.raw, func.count())
        .where(table.topic == flow.raw.name)
        .group_by(table.raw_encoding, table.raw)
    )
    counted: Counter[tuple[str, str]] = Counter()
    for encoding, raw, count in connection.execute(query.execution_options(yield_per=_FETCH_ROWS)):
        counted[encoding, raw] += count
    return counted


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
