"""Public data sets through replay, worker and database: the energy of the files is what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import pytest

from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from tests.processes import Site, gridwatch, new_database, query
from tests.unit.replay import public_sets
from tests.unit.replay.public_sets import Truth

pytestmark = pytest.mark.integration

#: File and its content, oldest first: what came before the end of another set would be late.
SETS = {
    "nem12.csv": public_sets.nem12,
    "File1.txt": public_sets.cer,
    "solar.csv": lambda: public_sets.ausgrid("%d/%m/%Y"),
    "LD2011_2014.txt": public_sets.uci,
    "green.xml": public_sets.green_button,
    "block_0.csv": public_sets.kaggle_wide,
    "LCL.csv": public_sets.london,
    "LoadProfile.csv": public_sets.simbench,
    "0a1b2c.csv": public_sets.goiener,
    "HDF.csv": public_sets.esb,
}


class Run(NamedTuple):
    """What the files hold and the database that came of it."""

    truths: dict[str, Truth]
    database: str


@pytest.fixture(scope="module")
def run(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("datasets")
    truths: dict[str, Truth] = {}
    with (
        new_database(postgres) as database,
        Site(kafka.bootstrap, folder, database=database) as site,
    ):
        site.worker().start(ready=False)
        site.sink().start(ready=False)
        for name, make in SETS.items():
            text, truths[name] = make()
            (folder / name).write_bytes(text.encode())
            replayed = gridwatch("replay", name, "--profile", "auto", env=site.env(), folder=folder)
            assert replayed.returncode == 0, replayed.stderr
        site.wait_worked()
        site.wait_stored()
        yield Run(truths, database)


def stored(run: Run, meters: set[str]) -> dict[tuple[str, datetime], Decimal]:
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


def by_day(readings: dict[tuple[str, datetime], Decimal]) -> dict[tuple[str, str], Decimal]:
    """Micro-kWh by meter and day."""
    days: dict[tuple[str, str], Decimal] = {}
    for (meter, time), kwh in readings.items():
        day = (meter, f"{time:%Y-%m-%d}")
        days[day] = days.get(day, Decimal(0)) + kwh * 1_000_000
    return days


@pytest.mark.parametrize("name", SETS)
def test_the_energy_of_a_set_is_stored_by_meter_and_day(run: Run, name: str) -> None:
    truth = {
        key: kwh
        for key, kwh in run.truths[name].items()
        # The two editions of London have a meter in common.
        if not (key[0] == "MAC000002" and (key[1].month == 10) != (name == "block_0.csv"))
    }
    found = stored(run, {meter for meter, _ in truth})
    assert by_day({key: found[key] for key in found if key in truth}) == by_day(truth)
    assert set(truth) <= set(found)


def test_nothing_is_refused(run: Run) -> None:
    assert query(run.database, "SELECT raw, message FROM dead_letters") == []


def test_the_day_of_50_half_hours_has_them_all_and_the_day_of_46_no_gap(run: Run) -> None:
    for local_day, count in (("2023-10-29", 50), ("2023-03-26", 46)):
        assert query(
            run.database,
            "SELECT count(*) FROM validated_readings WHERE meter_id = '10000000001' "
            f"AND (time AT TIME ZONE 'Europe/Dublin')::date = '{local_day}'",
        ) == [(count,)]
    between = "missing_from > '2023-03-25T00:00Z' AND missing_to < '2023-03-27T22:00Z'"
    assert query(run.database, f"SELECT * FROM gap_alerts WHERE {between}") == []
