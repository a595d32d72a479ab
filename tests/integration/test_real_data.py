"""Real meters: hours taken out by hand are the gaps that are found, no more and no less.

One meter says its interval in the file, the other's has to be learned. The time spans a change of clocks.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from tests.processes import Site, gridwatch, query

pytestmark = pytest.mark.integration

SAMPLES = Path(__file__).parent.parent / "data" / "eemeter"
GIVEN, LEARNED = "il-electricity-cdd-hdd", "il-electricity-cdd-only"
HOURS = 150 * 24
#: (meter, first hour taken out, how many): single ones, runs, a whole day, around the change of clocks (the
#: 13th of March is hour 2690), and the very end of one meter.
TAKEN = [
    (GIVEN, 30, 1),
    (GIVEN, 700, 3),
    (GIVEN, 705, 1),
    (GIVEN, 2688, 4),
    (GIVEN, 3000, 24),
    (LEARNED, 40, 2),
    (LEARNED, 1000, 1),
    (LEARNED, 1002, 1),
    (LEARNED, 2690, 1),
    (LEARNED, 3500, 5),
    (LEARNED, HOURS - 3, 3),
]

Reading = tuple[datetime, str]


class Run(NamedTuple):
    """The readings of the files, the one that is sent, and the database that came of it."""

    readings: dict[str, list[Reading]]
    sent: dict[str, list[Reading]]
    database: str


def sample(meter: str) -> list[Reading]:
    """(time, kWh as it stands in the file) of the first hours of a meter."""
    with gzip.open(SAMPLES / f"{meter}-hourly.csv.gz", "rt", encoding="utf-8") as file:
        rows = [(datetime.fromisoformat(row["start"]), row["value"]) for row in csv.DictReader(file)]
    return rows[:HOURS]


@pytest.fixture(scope="module")
def run(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("real")
    readings = {meter: sample(meter) for meter in (GIVEN, LEARNED)}
    taken = {(meter, hour) for meter, first, count in TAKEN for hour in range(first, first + count)}
    sent = {
        meter: [one for hour, one in enumerate(of_meter) if (meter, hour) not in taken]
        for meter, of_meter in readings.items()
    }
    with (folder / "meters.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "timestamp", "kwh", "interval_minutes"])
        for meter, of_meter in sent.items():
            table.writerows(
                [meter, time.isoformat(), kwh, "60" if meter == GIVEN else ""] for time, kwh in of_meter
            )
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, folder, database=database) as site,
    ):
        site.worker().start()
        site.sink().start()
        replayed = gridwatch("replay", "meters.csv", env=site.environment(), folder=folder)
        assert replayed.returncode == 0, replayed.stderr
        site.wait_processed()
        site.wait_stored()
        yield Run(readings, sent, database)


def instant(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def gaps(run: Run, meter: str) -> list[tuple[datetime, int, str]]:
    """(first missing hour, how many, state) of the gaps that stand, in order."""
    return query(
        run.database,
        "SELECT missing_from, missing_intervals, state FROM gap_alerts "
        f"WHERE meter_id = '{meter}' AND state <> 'RETRACTED' ORDER BY time",
    )  # type: ignore[return-value]


def taken_out(run: Run, meter: str) -> list[tuple[datetime, int, str]]:
    """The gaps that must be found, after the hours in which the interval is not known yet."""
    return [
        (instant(run.readings[meter][first][0]), count, "OPEN" if first + count == HOURS else "CLOSED")
        for of_meter, first, count in TAKEN
        if of_meter == meter
    ]


@pytest.mark.parametrize("meter", [GIVEN, LEARNED])
def test_the_hours_taken_out_are_the_gaps_that_are_found(run: Run, meter: str) -> None:
    assert gaps(run, meter) == taken_out(run, meter)


@pytest.mark.parametrize("meter", [GIVEN, LEARNED])
def test_every_reading_is_stored_as_it_was(run: Run, meter: str) -> None:
    stored = query(
        run.database,
        f"SELECT time, consumption_kwh FROM validated_readings WHERE meter_id = '{meter}' ORDER BY time",
    )
    assert stored == [(instant(time), float(kwh)) for time, kwh in run.sent[meter]]


def test_nothing_is_late_or_refused(run: Run) -> None:
    assert query(run.database, "SELECT * FROM late_events") == []
    assert query(run.database, "SELECT * FROM dead_letters") == []
    assert query(run.database, "SELECT DISTINCT status FROM validated_readings") == [("OK",)]


def test_the_interval_is_learned_within_a_few_readings(run: Run) -> None:
    changed = query(
        run.database,
        "SELECT time, interval_minutes FROM validated_readings "
        f"WHERE meter_id = '{LEARNED}' AND 'INTERVAL_CHANGED' = ANY(flags)",
    )
    assert changed == [(instant(run.readings[LEARNED][6][0]), 60)]
