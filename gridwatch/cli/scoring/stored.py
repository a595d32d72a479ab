"""Readings, windows and quarters as they are in the database, by meter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, select, text

from gridwatch.cli.scoring.readings import Reading, micro_watt_hours
from gridwatch.cli.scoring.usual import Days
from gridwatch.domain.policy import MINUTE, SECOND
from sinks.tables.anomalies import anomalies
from sinks.tables.regional_aggregates_15m import regional_aggregates_15m
from sinks.tables.validated_readings import reading_revisions, validated_readings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FETCH_ROWS = 10_000

Row = Mapping[str, Any]


class FoundAnomaly(NamedTuple):
    """An anomaly, `start` ≤ time < `end` (µs); `end` is None while it is open."""

    meter: str
    kind: str
    severity: str
    confidence: str
    start: int
    end: int | None

    def overlaps(self, first: int, to: int) -> bool:
        """Whether any of its time is within `first` ≤ time < `to`."""
        return self.start < to and (self.end is None or self.end > first)


class Stored:
    """What the database has of a flow in [first, until), µs; of these `meters` only, if they are given."""

    def __init__(
        self,
        connection: Connection,
        flow: str,
        first: int,
        until: int,
        meters: Collection[str] | None = None,
    ) -> None:
        self._connection = connection
        self._flow = flow
        self._meters = meters
        self._span = _EPOCH + first * _MICROSECOND, _EPOCH + until * _MICROSECOND

    def readings(self) -> Iterator[tuple[str, Reading]]:
        """Every reading with its meter, by meter."""
        revisions = self._revisions()
        query = self._of_flow(validated_readings).order_by(validated_readings.c.meter_id)
        for row in self._rows(query):
            time = _micros(row["time"])
            values = revisions.get((row["meter_id"], time), ())
            yield row["meter_id"], _reading(row, time, values)

    def windows(self, table: Table) -> Iterator[tuple[str, Row]]:
        """Every window in a table with its meter, by meter; `start` is its start in µs."""
        for row in self._rows(self._of_flow(table).order_by(table.c.meter_id)):
            yield row["meter_id"], {**row, "start": _micros(row["time"])}

    def anomalies(self) -> Iterator[tuple[str, FoundAnomaly]]:
        """Every anomaly with its meter, but those that were taken back."""
        query = self._of_flow(anomalies).where(anomalies.c.state != "RETRACTED")
        for row in self._rows(query):
            ended = row["ended_at"]
            yield (
                row["meter_id"],
                FoundAnomaly(
                    row["meter_id"], row["kind"], row["severity"], row["confidence"],
                    _micros(row["window_start"]),
                    None if ended is None else max(_micros(ended), _micros(row["window_end"])),
                ),
            )  # fmt: skip

    def quarters(self) -> Iterator[Row]:
        """Every quarter of every region; `start` is its start in µs."""
        table = regional_aggregates_15m
        for row in self._rows(self._within(select(table), table)):
            yield {**row, "start": _micros(row["time"])}

    def _revisions(self) -> dict[tuple[str, int], list[int]]:
        """The later values of readings that have any, in the order of the log."""
        columns = reading_revisions.c
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        order = (columns.source_offset, columns.source_index)
        for row in self._rows(self._of_flow(reading_revisions).order_by(*order)):
            found[row["meter_id"], _micros(row["time"])].append(micro_watt_hours(row["consumption_kwh"]))
        return found

    def _of_flow(self, table: Table) -> Select[Any]:
        query = self._within(select(table).where(table.c.flow == self._flow), table)
        return query if self._meters is None else query.where(table.c.meter_id.in_(self._meters))

    def _within(self, query: Select[Any], table: Table) -> Select[Any]:
        first, until = self._span
        return query.where(table.c.time >= first, table.c.time <= until)

    def _rows(self, query: Select[Any]) -> Iterator[Row]:
        for row in self._connection.execute(query.execution_options(yield_per=_FETCH_ROWS)):
            yield row._asdict()


def anchors(connection: Connection) -> dict[str, str]:
    """The anchors that the registry gives meters."""
    rows = connection.execute(text("SELECT meter_id, anchor FROM meters WHERE anchor IS NOT NULL"))
    return {row.meter_id: row.anchor for row in rows}


class Book:
    """The calendars of meters, by the book of record, then by what is `given` for all of them."""

    def __init__(self, connection: Connection, given: str | None, usual: str) -> None:
        meters = connection.execute(text("SELECT meter_id, timezone FROM meters WHERE timezone IS NOT NULL"))
        self._zones: dict[str, str] = {row.meter_id: row.timezone for row in meters}
        regions = connection.execute(text("SELECT region, timezone, holidays FROM regions"))
        self._regions = {
            row.region: (row.timezone, frozenset(day.isoformat() for day in row.holidays or ()))
            for row in regions
        }
        self._given = given
        self._usual = usual

    def days(self, meter: str, region: str | None) -> Days:
        """The calendar of a meter in a region."""
        zone, holidays = self._regions.get(region or "", (None, frozenset()))
        return Days(self._zones.get(meter) or self._given or zone or self._usual, holidays)


def _reading(row: Row, time: int, later: list[int] | tuple[int, ...]) -> Reading:
    # Rows from before intervals below a minute have no seconds.
    seconds = row["interval_seconds"]
    first = row["first_offset"] is not None and row["first_offset"] >= 0
    return Reading(
        time,
        micro_watt_hours(row["consumption_kwh"]),
        round(row["interval_minutes"] * MINUTE) if seconds is None else seconds * SECOND,
        _micros(row["watermark"]),
        (row["first_offset"], row["first_index"]) if first else (row["source_offset"], row["source_index"]),
        frozenset(row["flags"]),
        row["region"],
        None if row["energy_from"] is None else _micros(row["energy_from"]),
        row["calendar"] is not None,
        row["energy_register_kwh"] is not None,
        (micro_watt_hours(row["first_kwh"]), *later) if first else (),
        row["power_kw"],
        row["voltage"],
        row["current"],
        row["power_factor"],
        row["frequency"],
    )


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
