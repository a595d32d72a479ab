"""Meter files, as published and as described, through replay, worker and database, and out again.

The energy of a file is what is stored, by meter and day, in micro-kWh: validated and late events together.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.domain.reading import FLAG_NAMES
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading.reader import read_rows
from replay.files.tally import Tally
from tests.processes import Site, gridwatch, query
from tests.unit.replay import public_sets, real_sets
from tests.unit.replay.public_sets import UTC, Truth

pytestmark = pytest.mark.integration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HDD, CDD = "il-electricity-cdd-hdd-hourly", "il-electricity-cdd-only-hourly"
Make = Callable[[], tuple[str | bytes, Truth]]
#: The files of one command, and its options; oldest first: what came before the end of another set is late.
COMMANDS: list[tuple[dict[str, Make], list[str]]] = [
    (
        {
            "NEM12_meters.csv": lambda: real_sets.nem12("multiple_meters"),
            "NEM12_actual.csv": lambda: real_sets.nem12("actual_interval"),
            "NEM12_qualities.csv": lambda: real_sets.nem12("multiple_quality"),
            "NEM12_written.csv": public_sets.nem12,
        },
        [],
    ),
    ({"File1.txt": public_sets.cer}, []),
    ({"solar.csv": lambda: public_sets.ausgrid("%d/%m/%Y")}, []),
    ({"LD2011_2014.txt": public_sets.uci}, []),
    ({"green.xml": public_sets.green_button}, []),
    ({"block_0.csv": public_sets.kaggle_wide}, []),
    ({"LCL.csv": public_sets.london}, []),
    (
        {f"{name}.csv.gz": partial(real_sets.eemeter, name) for name in (HDD, CDD)},
        ["--end", f"{real_sets.EEMETER_END:%Y-%m-%d}"],
    ),
    ({"LoadProfile.csv": real_sets.simbench}, []),
    ({"0a1b2c.csv": public_sets.goiener}, []),
    ({"HDF.csv": public_sets.esb}, []),
]
FILES = [name for files, _ in COMMANDS for name in files]


class Run(NamedTuple):
    """What the files hold, the database that came of it, and what was exported from that."""

    truths: dict[str, Truth]
    database: str
    exported: Path


@pytest.fixture(scope="module")
def run(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("datasets")
    truths: dict[str, Truth] = {}
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, folder, database=database) as site,
    ):
        site.worker().start()
        site.sink().start()
        for files, options in COMMANDS:
            for name, make in files.items():
                data, truths[name] = make()
                (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
            replayed = gridwatch(
                "replay", *files, "--profile", "auto", *options, env=site.environment(), folder=folder
            )
            assert replayed.returncode == 0, replayed.stderr
        site.wait_processed()
        site.wait_stored()
        exported = gridwatch("export", "-o", "all.csv", env=site.environment(), folder=folder)
        assert exported.returncode == 0, exported.stderr
        yield Run(truths, database, folder / "all.csv")


def stored(run: Run, meters: set[str]) -> Truth:
    """Validated readings and late events of some meters."""
    names = ", ".join(f"'{meter}'" for meter in meters)
    rows = query(
        run.database,
        f"SELECT meter_id, time, consumption_kwh FROM validated_readings WHERE meter_id IN ({names}) "
        f"UNION ALL SELECT meter_id, time, consumption_kwh FROM late_events WHERE meter_id IN ({names})",
    )
    found = {(meter, time): Decimal(repr(kwh)) for meter, time, kwh in rows}
    assert len(found) == len(rows)
    return found


def by_day(readings: Truth) -> dict[tuple[str, str], Decimal]:
    """Micro-kWh by meter and day."""
    days: dict[tuple[str, str], Decimal] = {}
    for (meter, time), kwh in readings.items():
        day = (meter, f"{time:%Y-%m-%d}")
        days[day] = days.get(day, Decimal(0)) + kwh * 1_000_000
    return days


@pytest.mark.parametrize("name", FILES)
def test_the_energy_of_a_set_is_stored_by_meter_and_day(run: Run, name: str) -> None:
    truth = run.truths[name]
    found = stored(run, {meter for meter, _ in truth})
    assert by_day({key: found[key] for key in found if key in truth}) == by_day(truth)
    assert set(truth) <= set(found)


def test_nothing_is_refused(run: Run) -> None:
    assert query(run.database, "SELECT raw, message FROM dead_letters") == []


def test_nothing_is_stored_that_is_in_no_file(run: Run) -> None:
    ((count,),) = query(
        run.database, "SELECT (SELECT count(*) FROM validated_readings) + (SELECT count(*) FROM late_events)"
    )
    assert count == len({key for name in FILES for key in run.truths[name]})


CODES = {
    "CCCC123456-E1": {"NEM12_A": 4, "NEM12_F14": 20, "NEM12_S14": 24},
    "6001000163-B1": {"NEM12_A": 68, "NEM12_E52": 20, "NEM12_S14": 48},
    "9b6c-01": {"ESPI_8": 24, "ESPI_17": 24},
    "1-GG": {"AUSGRID_NA": 48},
    "MT_001": {"DST_SPLIT": 8},
    "0a1b2c": {"GOIENER_IMPUTED": 7},
}


@pytest.mark.parametrize("meter", CODES)
def test_quality_codes_of_the_files_stand_among_the_flags(run: Run, meter: str) -> None:
    """In the database and in what is exported from it."""
    found = query(
        run.database,
        "SELECT flag, count(*) FROM validated_readings, unnest(flags) AS flag "
        f"WHERE meter_id = '{meter}' GROUP BY flag",
    )
    assert {flag: count for flag, count in found if flag not in FLAG_NAMES} == CODES[meter]
    with run.exported.open(newline="", encoding="utf-8") as file:
        exported = Counter(
            flag for row in csv.DictReader(file) if row["meter_id"] == meter for flag in row["flags"].split()
        )
    assert exported == Counter(dict(found))


def test_the_day_of_50_half_hours_has_them_all_and_the_day_of_46_no_gap(run: Run) -> None:
    for local_day, count in (("2023-10-29", 50), ("2023-03-26", 46)):
        assert query(
            run.database,
            "SELECT count(*) FROM validated_readings WHERE meter_id = '10000000001' "
            f"AND (time AT TIME ZONE 'Europe/Dublin')::date = '{local_day}'",
        ) == [(count,)]
    between = "missing_from > '2023-03-25T00:00Z' AND missing_to < '2023-03-27T22:00Z'"
    assert query(run.database, f"SELECT * FROM gap_alerts WHERE {between}") == []


def test_what_is_exported_is_replayed_as_the_same_readings(run: Run) -> None:
    blocks = read_rows(run.exported, PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False)
    again = {
        (meter, EPOCH + timedelta(microseconds=time)): Decimal(repr(kwh))
        for block in blocks
        for time, meter, kwh, _, _ in block
    }
    assert again == stored(run, {meter for meter, _ in again})
    assert by_day(again) == by_day({key: kwh for name in FILES for key, kwh in run.truths[name].items()})
