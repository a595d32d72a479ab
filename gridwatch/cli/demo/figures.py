"""The figures of the demo's summary: what was sent, what is in the database, and how both agree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from gridwatch.cli.scoring.database import detected
from gridwatch.cli.scoring.sums import Sums, score_sums
from gridwatch.domain.instants import parse_instant
from gridwatch.durations import micros
from gridwatch.settings import Settings
from replay.run.summary import Summary
from replay.scoring.score import Rates, Score, score
from replay.truth.manifest import read_manifest
from sinks import tables
from sinks.database import connect
from sinks.tables.gap_alerts import gap_alerts
from sinks.tables.regional_aggregates_15m import regional_aggregates_15m
from sinks.tables.table import DatabaseTable
from sinks.tables.validated_readings import validated_readings

#: The states of a gap, in the order of its life cycle.
GAP_STATES = ("OPEN", "CLOSED", "PARTIAL", "FILLED", "EXPIRED", "RETRACTED")


@dataclass(frozen=True)
class Figures:
    """All figures of the summary. `late`: late readings within the allowed lateness; `loads`: the highest of
    each region, in percent; times in seconds."""

    meters: int
    days: int
    sent: int
    delayed: int
    withheld: int
    rows: dict[str, int]
    statuses: dict[str, int]
    gap_states: dict[str, int]
    late: Rates
    score: Score
    sums: Sums
    loads: dict[str, float]
    send_seconds: float
    whole_seconds: float

    @property
    def perfect(self) -> bool:
        """Every gap and every late reading found as it was injected, and nothing else; and every window and
        region is what its readings add up to."""
        return self.score.perfect and self.late.precision == self.late.recall == 1 and self.sums.exact

    @property
    def sent_per_second(self) -> float:
        return self.sent / self.send_seconds

    @property
    def stored_per_second(self) -> float:
        """From the first reading sent to the last row committed."""
        return self.sent / self.whole_seconds


def collect(settings: Settings, summary: Summary, truth: Path, days: int, whole_seconds: float) -> Figures:
    """Everything the summary needs. GridwatchError when database or manifest cannot be read."""
    manifest = read_manifest(truth)
    with connect(settings.database) as connection:
        return Figures(
            meters=summary.survey.meters,
            days=days,
            sent=summary.readings,
            delayed=summary.delayed,
            withheld=summary.withheld,
            rows={table.name: _count(connection, table) for table in tables.TABLES},
            statuses=_by(connection, validated_readings.c.status),
            gap_states=_by(connection, gap_alerts.c.state),
            late=_late(connection, truth),
            score=score(manifest, detected(connection, manifest)),
            sums=score_sums(connection, manifest, settings),
            loads=_loads(connection),
            send_seconds=summary.seconds,
            whole_seconds=whole_seconds,
        )


def _count(connection: Connection, table: DatabaseTable) -> int:
    return int(connection.scalar(select(func.count()).select_from(table.sql)) or 0)


def _by(connection: Connection, column: object) -> dict[str, int]:
    found = connection.execute(select(column, func.count()).group_by(column))  # type: ignore[call-overload]
    return {str(value): int(count) for value, count in found}


def _loads(connection: Connection) -> dict[str, float]:
    """The highest load of each region whose load is known, in percent."""
    columns = regional_aggregates_15m.c
    highest = func.max(columns.load_percentage)
    query = select(columns.region, highest).group_by(columns.region).order_by(columns.region)
    return {region: load for region, load in connection.execute(query) if load is not None}


def _late(connection: Connection, truth: Path) -> Rates:
    """Readings marked LATE against the delays of the manifest that make a reading late, by meter and time."""
    expected = set(late_readings(truth))
    columns = validated_readings.c
    query = select(columns.meter_id, func.extract("epoch", columns.time)).where(columns.status == "LATE")
    found = {(meter, round(float(seconds) * 1_000_000)) for meter, seconds in connection.execute(query)}
    return Rates(len(expected), len(found), len(expected & found))


def late_readings(truth: Path) -> list[tuple[str, int]]:
    """Meter and time (µs) of every reading that the manifest expects to be LATE."""
    with truth.open(encoding="utf-8") as lines:
        return [
            (line["meter_id"], parse_instant(line["from"], "UTC")[0])
            for line in map(json.loads, lines)
            if line["kind"] == "delay" and _status(line["expect"]) == "LATE"
        ]


def _status(expected: object) -> str | None:
    return expected["reading"]["status"] if isinstance(expected, dict) and "reading" in expected else None


def policy_line(settings: Settings) -> str:
    """The settings of lateness and gaps, in one line."""
    policy = settings.policy()
    minute = 60_000_000
    return (
        f"interval {policy.default_interval // minute} min, grace {policy.grace // minute} min, "
        f"allowed lateness {policy.allowed_lateness // minute} min, "
        f"out-of-orderness {micros(settings.max_out_of_orderness) / 1_000_000:g} s"
    )
