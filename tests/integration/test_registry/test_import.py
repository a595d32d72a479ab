"""Importing a file: all or nothing, once however often, and every error by line and field."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from gridwatch.deployment.polling import until
from gridwatch.domain.registry.records import MeterRecord, OutageRecord, RegionRecord
from gridwatch.registry import staging
from gridwatch.registry.book import set_fields
from gridwatch.registry.entities import ENTITIES, METER, OUTAGE, REGION, VERSION
from gridwatch.settings import load_settings
from sinks.database import connect
from tests.integration.test_registry.conftest import Book, Query

pytestmark = pytest.mark.integration

TWO = """\
meter_id,region,interval,installed_at
M1,R01,15m,2024-01-01T00:00:00+02:00
M2,R02,1d,2024-02-01T00:00:00Z
"""


def test_the_tables_have_the_columns_that_are_declared(query: Query, database: str) -> None:
    for entity in ENTITIES:
        found = dict(
            query(
                "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s",
                entity.table,
            )
        )
        names = {"double precision": "float8", "date[]": "_date", "boolean": "bool"}
        declared = {column.stored: names.get(column.sql_type, column.sql_type) for column in entity.columns}
        for name in ("register_digits",) if entity is METER else ():
            declared[name] = "int4"
        assert found == declared | {VERSION: "int8", "updated_at": "timestamptz"}


def test_an_import_is_rows_and_outbox_rows(book: Book, query: Query) -> None:
    assert book.meters(TWO)["new"] == 2
    assert query("SELECT meter_id, status, flow, version FROM meters ORDER BY 1") == [
        ("M1", "active", "smartmeter", 1),
        ("M2", "active", "smartmeter", 1),
    ]
    assert book.outbox()[2:] == [
        (
            "meter:M1",
            "smartmeter_raw",
            {
                "meter_id": "M1",
                "version": 1,
                "status": "active",
                "flow": "smartmeter",
                "region": "R01",
                "interval": "15m",
                "installed_at": "2023-12-31T22:00:00Z",
            },
        ),
        (
            "meter:M2",
            "smartmeter_raw",
            {
                "meter_id": "M2",
                "version": 1,
                "status": "active",
                "flow": "smartmeter",
                "region": "R02",
                "interval": "1d",
                "installed_at": "2024-02-01T00:00:00Z",
            },
        ),
    ]


def test_importing_again_changes_nothing_and_says_so(book: Book) -> None:
    book.meters(TWO)
    before = book.contents()
    again = book.meters(TWO)
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert book.run("registry", "import", book.file(TWO)) == 0
    assert "nothing to change" in book.printed
    assert book.contents() == before


def test_only_rows_that_differ_get_a_version(book: Book, query: Query) -> None:
    book.meters(TWO)
    outcome = book.meters(TWO.replace("15m", "30m"))
    assert outcome["changed"] == 1
    assert outcome["columns"] == {"interval": 1}
    assert query("SELECT meter_id, version, interval FROM meters ORDER BY 1") == [
        ("M1", 2, "30m"),
        ("M2", 1, "1d"),
    ]


def test_a_dry_run_says_what_would_change_and_writes_nothing(book: Book) -> None:
    before = book.contents()
    outcome = book.meters(TWO, "--dry-run")
    assert (outcome["new"], outcome["dry_run"]) == (2, True)
    assert book.contents() == before


def test_a_column_that_is_not_given_stays_and_an_empty_cell_clears(book: Book, query: Query) -> None:
    book.meters("meter_id,region,feeder,status\nM1,R01,F1,suspended\n")
    book.meters("meter_id,feeder,status\nM1,,\n")
    assert query("SELECT region, feeder, status FROM meters") == [("R01", None, "suspended")]


@pytest.mark.parametrize(
    ("row", "field", "what"),
    [
        ("M1,on,,,,,R01", "status", "must be one of planned"),
        ("M1,active,,,Mars/Olympus,,R01", "timezone", "no known time zone"),
        ("M1,active,,,,,R99", "region", "no region of the book: 'R99'"),
        ("M1,active,2024-01-02T00:00:00Z,2024-01-01T00:00:00Z,,,R01", "removed_at", "not after installed_at"),
        ("M1,active,yesterday,,,,R01", "installed_at", "not an RFC 3339 instant"),
        ("M1,active,,,,often,R01", "interval", "is no interval"),
        ("M1,active,,,,33d,R01", "interval", "is no interval"),
        ("M1,active", "row", "has 2 cells instead of 7"),
        (",active,,,,,R01", "meter_id", "is missing"),
        ("M\x07,active,,,,,R01", "meter_id", "no meter id"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(book: Book, row: str, field: str, what: str) -> None:
    before = book.contents()
    head = "meter_id,status,installed_at,removed_at,timezone,interval,region"
    file = book.file(f"{head}\nM0,active,,,,,R01\n{row}\n")
    assert book.run("registry", "import", file, "--json") == 1
    refused = json.loads(book.printed)
    assert refused["errors"] == 1
    [problem] = refused["problems"]
    assert (problem["line"], problem["field"]) == (3, field)
    assert what in problem["message"]
    assert f"line 3, {field}" in book.errors
    assert book.contents() == before, "nothing was imported"


def test_all_errors_are_found_at_once(book: Book) -> None:
    rows = "M1,R01,active\nM2,R09,on\nM1,R01,active\nM3,R01\nM2,R01,active\n"
    assert book.run("registry", "import", book.file(f"meter_id,region,status\n{rows}"), "--json") == 1
    problems = json.loads(book.printed)["problems"]
    assert [(one["line"], one["field"]) for one in problems] == [
        (3, "region"),
        (3, "status"),
        (4, "meter_id"),
        (5, "row"),
        (6, "meter_id"),
    ]


def test_fifty_errors_are_shown_and_all_are_counted(book: Book) -> None:
    rows = "".join(f"M{number},on\n" for number in range(1200))
    twice = "".join(f"M{number},on\n" for number in range(100))
    assert book.run("registry", "import", book.file(f"meter_id,status\n{rows}{twice}")) == 1
    assert "1,400 errors" in book.errors
    assert book.errors.count("  line ") == 50
    assert "… and 1,350 more" in book.errors


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("meter,status\nM1,active\n", "unknown column 'meter'"),
        ("meter_id,feder\nM1,F\n", "did you mean feeder?"),
        ("status\nactive\n", "column meter_id is missing"),
        ("meter_id,status,status\nM1,active,active\n", "column status is there twice"),
        ("", "no column names"),
    ],
)
def test_columns_are_checked_before_anything_is_read(book: Book, text: str, what: str) -> None:
    assert book.run("registry", "import", book.file(text)) == 1
    assert what in book.errors


def test_a_line_that_is_not_utf8_is_named(book: Book) -> None:
    file = book.file("meter_id,feeder\nM1,F1\nM2,Br\xfcssel\n".encode("latin-1"))
    assert book.run("registry", "import", file) == 1
    assert "line 3, row: is not UTF-8" in book.errors


def test_semicolons_and_a_byte_order_mark_are_read(book: Book, query: Query) -> None:
    book.meters("\ufeffmeter_id;feeder\nM1;Brüssel, Süd\n")
    assert query("SELECT feeder FROM meters") == [("Brüssel, Süd",)]


def test_text_comes_back_as_it_was(book: Book, query: Query) -> None:
    book.meters('meter_id,feeder\nM\\1,"a\\b ""c"", %s {d}"\n')
    assert query("SELECT meter_id, feeder FROM meters") == [("M\\1", 'a\\b "c", %s {d}')]
    assert book.outbox()[-1][2]["feeder"] == 'a\\b "c", %s {d}'
    assert book.json("registry", "show", "M\\1")["feeder"] == 'a\\b "c", %s {d}'


def test_a_row_of_an_older_version_is_refused(book: Book) -> None:
    book.meters("meter_id,region\nM1,R01\n")
    book.json("registry", "set", "M1", "region=R02")
    file = book.file("meter_id,region,version\nM1,R01,1\n")
    assert book.run("registry", "import", file) == 1
    assert "line 2, version: is 1, the book has 2" in book.errors
    assert book.meters("meter_id,region,version\nM1,R01,2\n")["changed"] == 1


def test_an_export_imported_elsewhere_gives_the_same_book_with_its_versions(
    book: Book, query: Query, tmp_path: Any
) -> None:
    book.meters(TWO)
    book.json("registry", "set", "M1", "max_kw=17.25", "grace=2h", "register_digits=6")
    out = str(tmp_path / "out.csv")
    assert book.run("registry", "export", "-o", out) == 0
    assert book.json("registry", "import", out)["unchanged"] == 2
    rows = "SELECT to_jsonb(m) - 'updated_at' FROM meters AS m ORDER BY meter_id"
    before = query(rows)
    query("DELETE FROM meters")
    book.json("registry", "import", out)
    assert query(rows) == before
    assert book.outbox()[-2][2]["version"] == 2


def test_a_meter_that_moves_is_removed_from_its_old_flow_first(
    book: Book, query: Query, flows: Callable[..., None]
) -> None:
    flows("smartmeter", "daily")
    book.meters("meter_id,region,interval\nM1,R01,1d\n")
    outcome = book.json("registry", "set", "M1", "flow=daily", "--valid-from", "2030-01-01")
    assert outcome["moved"] == 1
    assert query("SELECT flow, version FROM meters") == [("daily", 3)]
    [removed, moved] = book.outbox()[-2:]
    assert removed == (
        "meter:M1",
        "smartmeter_raw",
        {
            "meter_id": "M1",
            "version": 2,
            "status": "removed",
            "flow": "smartmeter",
            "valid_from": "2030-01-01T00:00:00Z",
        },
    )
    assert (moved[1], moved[2]["version"], moved[2]["status"]) == ("daily_raw", 3, "active")


def test_a_flow_that_there_is_not_is_refused(book: Book) -> None:
    assert book.run("registry", "set", "M1", "flow=elsewhere") == 1
    assert "is no flow: 'elsewhere'" in book.errors


def test_valid_from_belongs_to_a_change_and_is_no_change_by_itself(book: Book, query: Query) -> None:
    book.meters("meter_id,region\nM1,R01\n", "--valid-from", "2030-01-01")
    assert book.outbox()[-1][2]["valid_from"] == "2030-01-01T00:00:00Z"
    assert book.meters("meter_id,region\nM1,R01\n", "--valid-from", "2031-01-01")["unchanged"] == 1
    book.meters("meter_id,region\nM1,R02\n")
    assert "valid_from" not in book.outbox()[-1][2], "the next change holds at once"
    assert book.meters("meter_id,region,valid_from\nM1,R02,2032-01-01T00:00:00Z\n")["changed"] == 1


def test_as_of_is_in_the_records_where_it_is_given(book: Book) -> None:
    book.meters("meter_id\nM1\n", "--as-of", "2024-01-01")
    assert book.outbox()[-1][2]["as_of"] == "2024-01-01T00:00:00Z"
    assert "as_of" not in book.json("registry", "show", "M1")


def test_a_field_that_was_given_earlier_is_compared_with_one_that_is_given_now(book: Book) -> None:
    book.meters("meter_id,installed_at\nM1,2024-01-01T00:00:00Z\n")
    assert book.run("registry", "set", "M1", "removed_at=2023-01-01T00:00:00Z") == 1
    assert "removed_at: is not after installed_at" in book.errors


def test_a_new_region_needs_its_capacity(book: Book) -> None:
    assert book.run("regions", "set", "R03", "currency=EUR") == 1
    assert "capacity_kw: is missing" in book.errors
    assert book.run("regions", "import", book.file("region,currency\nR03,EUR\n")) == 1
    assert "column capacity_kw is missing" in book.errors
    assert book.run("regions", "import", book.file("region,capacity_kw\nR03,\nR04,0\n")) == 1
    assert "line 2, capacity_kw: is missing" in book.errors
    assert "line 3, capacity_kw: must be a number above 0" in book.errors
    assert book.json("regions", "set", "R01", "currency=EUR")["changed"] == 1


def test_an_outage_is_added_once_and_cancelled(book: Book) -> None:
    times = ("--from", "2030-01-01", "--until", "2030-01-02")
    add = ("outages", "add", "--scope", "feeder", "--target", "F1", *times, "--why", "a tree")
    assert book.json(*add)["new"] == 1
    assert book.json(*add)["unchanged"] == 1
    listed = book.json("outages", "list")
    assert (listed["scope"], listed["target"], listed["why"]) == ("feeder", "F1", "a tree")
    assert book.json("outages", "cancel", listed["outage_id"])["changed"] == 1
    assert book.run("outages", "list") == 0
    assert book.printed == ""
    assert book.run("outages", "cancel", "no-such") == 1
    assert book.outbox()[-1][2]["cancelled"] is True


def test_an_outage_that_ends_before_it_begins_is_refused(book: Book) -> None:
    text = "outage_id,scope,target,from,until\nO,town,F1,2030-01-02T00:00:00Z,2030-01-01T00:00:00Z\n"
    assert book.run("outages", "import", book.file(text)) == 1
    assert "line 2, until: is not after from" in book.errors
    assert "line 2, scope: must be one of meter, transformer, feeder, region" in book.errors


def test_every_record_that_is_written_is_one_that_the_stream_accepts(book: Book) -> None:
    fields = {
        "status": "suspended", "installed_at": "2024-01-01T00:00:00.5Z", "removed_at": "2025-01-01T00:00:00Z",
        "valid_from": "2030-01-01T00:00:00Z", "interval": "1mo", "timezone": "Europe/Berlin", "anchor": "end",
        "grace": "2d", "energy_mode": "register", "region": "R01", "feeder": "F", "transformer": "T",
        "max_kw": "17.25", "fuse_amps": "63", "register_digits": "6", "customer_class": "flat",
    }  # fmt: skip
    book.json("registry", "set", "M1", *(f"{name}={value}" for name, value in fields.items()))
    book.json(
        "regions", "set", "R05", "capacity_kw=1e3", "base_price_per_kwh=0.245", "currency=EUR",
        "timezone=Europe/Berlin", "holidays=2026-12-25;2026-12-26", "valid_from=2030-01-01T00:00:00Z",
    )  # fmt: skip
    times = ("--from", "2030-01-01", "--until", "2030-01-02")
    book.json("outages", "add", "--scope", "region", "--target", "R01", *times, "--why", 'a "tree"')
    [meter, region, outage] = [value for _, _, value in book.outbox()[-3:]]
    assert meter.keys() == {*METER.by_name, VERSION}
    assert isinstance(METER.record(meter, "UTC"), MeterRecord)
    assert meter["installed_at"] == "2024-01-01T00:00:00.5Z"
    assert isinstance(REGION.record(region, "UTC"), RegionRecord)
    assert region["holidays"] == ["2026-12-25", "2026-12-26"]
    assert isinstance(OUTAGE.record(outage, "UTC"), OutageRecord)


def test_a_meter_of_days_that_cannot_come_within_its_grace_is_warned_of(book: Book) -> None:
    assert book.run("registry", "set", "M1", "interval=1d", "grace=1h") == 0
    assert "remedy: a grace of at least 1d" in book.errors
    assert book.run("registry", "set", "M1", "grace=30h") == 0
    assert "warning" not in book.errors


def test_an_outage_of_something_that_the_book_does_not_have_is_warned_of(book: Book) -> None:
    book.meters("meter_id,feeder\nM1,F1\n")
    times = ("--from", "2030-01-01", "--until", "2030-01-02")
    for scope, target, known in (
        *(("feeder", "F1", True), ("feeder", "F2", False), ("meter", "M1", True), ("meter", "M2", False)),
        *(("region", "R01", True), ("region", "R9", False), ("transformer", "T", False)),
    ):
        assert book.run("outages", "add", "--scope", scope, "--target", target, *times) == 0
        assert ("covers nothing" in book.errors) is not known, (scope, target)


def test_an_interrupt_ends_an_import_that_waits_and_nothing_is_imported(
    book: Book, query: Query, database: str
) -> None:
    before = book.contents()
    with psycopg2.connect(database) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({staging._BOOK_LOCK})")
        command = [sys.executable, "-m", "gridwatch", "registry", "import", book.file("meter_id\nM1\n")]
        waiting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        locks = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        until("it waits for the lock", lambda: bool(query(locks)), 30)
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate(timeout=10)
    assert (waiting.returncode, errors.strip()) == (130, "interrupted")
    assert book.contents() == before


def test_changes_at_once_are_made_one_after_the_other(book: Book, query: Query, database: str) -> None:
    book.meters("meter_id,feeder\nM1,F\n")
    problems: list[Exception] = []

    def change(number: int) -> None:
        try:
            with connect(database) as connection:
                set_fields(connection, METER, "M1", {"feeder": f"F{number}"}, load_settings())
        except Exception as problem:  # an error is what this test looks for
            problems.append(problem)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert query("SELECT version FROM meters") == [(7,)]
    assert [value["version"] for entity, _, value in book.outbox() if entity == "meter:M1"] == list(
        range(1, 8)
    )


def test_commands_say_what_is_missing(empty_database: str, book: Book, query: Query) -> None:
    assert book.run("registry", "show", "M9") == 1
    assert "no meter 'M9'" in book.errors
    assert book.run("registry", "set", "M1", "region") == 2
    assert "key=value" in book.errors
    query("UPDATE gridwatch_schema_version SET version_num = '0004'")
    assert book.run("registry", "list") == 1
    assert "gridwatch db migrate" in book.errors
