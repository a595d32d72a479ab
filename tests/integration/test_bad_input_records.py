"""Bad records on the raw topic: a dead letter with every reason, and nothing else happens because of them.

One worker reads everything. In each partition good meters go on before, between and after the bad records;
what is said of them must be what is said when there are no bad records at all.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, TICK_HEADER, VALIDATED
from tests.processes import Site, query
from tests.records import PARTITIONS, Outputs, Raw, meters_of, reading, tick

pytestmark = pytest.mark.integration

P = 0
GOOD, OTHER, VICTIM = meters_of(P, 3)
ELSEWHERE = meters_of(1, 1)[0]


def body(**fields: Any) -> bytes:
    """A good reading of the victim, with some fields changed; `None` leaves a field out."""
    told = {"meter_id": VICTIM, "timestamp": "2024-01-01T10:10:00Z", "consumption_kwh": 1, **fields}
    return json.dumps({key: value for key, value in told.items() if value is not None}).encode()


def worded(field: str, token: str) -> bytes:
    """A number in words that JSON does not know."""
    return body(**{field: 123456789}).replace(b"123456789", token.encode())


class Bad(NamedTuple):
    """What is put on the topic, and the reasons it must be refused for."""

    value: bytes | None
    reasons: list[str]
    field: str | None = None


SOON = format_instant((time.time_ns() // 1000) + 3_600_000_000)
BAD = {
    "nothing": Bad(None, ["NOT_JSON"]),
    "empty": Bad(b"", ["NOT_JSON"]),
    "words": Bad(b"meter one says hello", ["NOT_JSON"]),
    "cut off": Bad(body()[:-5], ["NOT_JSON"]),
    "two documents": Bad(body() + body(), ["NOT_JSON"]),
    "latin-1": Bad(body(region="Z").replace(b'"Z"', '"Zürich"'.encode("latin-1")), ["NOT_UTF8"]),
    "binary": Bad(bytes(range(256)), ["NOT_UTF8"]),
    "deep nesting": Bad(b"[" * 100_000, ["NOT_JSON"]),
    "a number": Bad(b"42", ["NOT_AN_OBJECT"]),
    "an empty array": Bad(b"[]", ["NOT_AN_OBJECT"]),
    "no meter": Bad(body(meter_id=None), ["MISSING_FIELD"], "meter_id"),
    "no timestamp": Bad(body(timestamp=None), ["MISSING_FIELD"], "timestamp"),
    "no value": Bad(body(consumption_kwh=None), ["MISSING_FIELD"], "consumption_kwh"),
    "an empty object": Bad(b"{}", ["MISSING_FIELD"], "meter_id"),
    "meter is a number": Bad(body(meter_id=17), ["BAD_METER_ID"], "meter_id"),
    "empty meter": Bad(body(meter_id=""), ["BAD_METER_ID"], "meter_id"),
    "over-long meter": Bad(body(meter_id="x" * 129), ["BAD_METER_ID"], "meter_id"),
    "meter with NUL": Bad(body(meter_id="a\0b"), ["BAD_METER_ID"], "meter_id"),
    "no such day": Bad(body(timestamp="2024-02-30T10:00:00Z"), ["BAD_TIMESTAMP"], "timestamp"),
    "a word for a time": Bad(body(timestamp="yesterday"), ["BAD_TIMESTAMP"], "timestamp"),
    "epoch seconds": Bad(body(timestamp=1704103200), ["BAD_TIMESTAMP"], "timestamp"),
    "an hour from now": Bad(body(timestamp=SOON), ["FUTURE_TIMESTAMP"], "timestamp"),
    "the year 9999": Bad(body(timestamp="9999-12-31T23:59:59Z"), ["FUTURE_TIMESTAMP"], "timestamp"),
    "text for a number": Bad(body(consumption_kwh="2.5"), ["NOT_A_NUMBER"], "consumption_kwh"),
    "true for a number": Bad(body(consumption_kwh=True), ["NOT_A_NUMBER"], "consumption_kwh"),
    "NaN": Bad(worded("consumption_kwh", "NaN"), ["NOT_FINITE"], "consumption_kwh"),
    "infinity": Bad(worded("consumption_kwh", "-Infinity"), ["NOT_FINITE"], "consumption_kwh"),
    "beyond any float": Bad(worded("consumption_kwh", "1e999"), ["NOT_FINITE"], "consumption_kwh"),
    "negative": Bad(body(consumption_kwh=-0.001), ["NEGATIVE"], "consumption_kwh"),
    "absurd": Bad(body(consumption_kwh=1000.001), ["OUT_OF_RANGE"], "consumption_kwh"),
    "absurd integer": Bad(worded("consumption_kwh", "9" * 300), ["OUT_OF_RANGE"], "consumption_kwh"),
    "interval of no minutes": Bad(body(interval_minutes=0), ["OUT_OF_RANGE"], "interval_minutes"),
    "interval of 33 days": Bad(body(interval_seconds=2_851_200), ["OUT_OF_RANGE"], "interval_seconds"),
    "voltage in words": Bad(body(voltage="high"), ["NOT_A_NUMBER"], "voltage"),
    "region is a list": Bad(body(region=["north"]), ["UNKNOWN_TYPE"], "region"),
    "another's partition": Bad(body(meter_id=ELSEWHERE), ["WRONG_PARTITION"], "meter_id"),
    "everything at once": Bad(
        body(meter_id=ELSEWHERE, timestamp="soon", consumption_kwh=-1, voltage="x", region=7),
        ["UNKNOWN_TYPE", "BAD_TIMESTAMP", "NOT_A_NUMBER", "NEGATIVE", "WRONG_PARTITION"],
    ),
    "5 MB of reading": Bad(body(region="r" * 5_000_000), ["TOO_LARGE"]),
    "5 MB of spaces": Bad(b" " * 5_000_000, ["TOO_LARGE"]),
}


def good(clock: str, *meters: str) -> list[Raw]:
    return [reading(meter, f"2024-01-01T{clock}:00Z") for meter in meters]


def poisoned() -> list[Raw]:
    """Good readings, all bad records between them, an array with bad elements, bad ticks."""
    array = [json.loads(one.value or b"") for one in good("10:30", OTHER)]
    array += [{"meter_id": OTHER, "timestamp": "2024-01-01T11:00:00Z", "consumption_kwh": "a lot"}, 7]
    array += [json.loads(one.value or b"") for one in good("11:30", OTHER)]
    raw = [*good("10:00", GOOD, OTHER), Raw(P, b"array", json.dumps(array).encode())]
    for number, bad in enumerate(BAD.values()):
        raw.append(Raw(P, b"bad", bad.value))
        if number % 10 == 5:
            raw += good(f"1{number // 10}:30", GOOD)
    for value in (b"soon", b"\xff", None, SOON.encode()):
        raw.append(Raw(P, None, value, ((TICK_HEADER, b"1"),)))
    return [*raw, tick("2024-01-01T14:00:00Z", P)]


class Run(NamedTuple):
    """One run over the poisoned topic."""

    site: Site
    worker: Service
    said: Outputs
    letters: dict[int, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def run(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("poison")
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, folder, database=database) as site,
    ):
        site.produce(poisoned())
        worker = site.worker().start().wait_until_ready()
        site.wait_processed()
        said = site.outputs()
        letters: dict[int, list[dict[str, Any]]] = {}
        for letter in sorted(said[DEAD_LETTERS.name].values(), key=lambda one: (one["offset"], one["index"])):
            letters.setdefault(letter["offset"], []).append(letter)
        yield Run(site, worker, said, letters)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_a_dead_letter_with_every_reason(run: Run, name: str) -> None:
    bad = BAD[name]
    offset = [raw.value is bad.value for raw in poisoned()].index(True)
    [letter] = run.letters[offset]
    assert letter["reasons"] == bad.reasons
    assert bad.field is None or letter["field"] == bad.field
    assert letter["message"]
    value = bad.value or b""
    assert (letter["raw_size"], letter["raw_truncated"]) == (len(value), len(value) > 65_536)
    kept = letter["raw"].encode() if letter["raw_encoding"] == "utf-8" else base64.b64decode(letter["raw"])
    assert kept == value[:65_536]


def test_of_an_array_only_the_bad_elements_are_refused(run: Run) -> None:
    offset = [raw.key for raw in poisoned()].index(b"array")
    assert [(letter["index"], letter["reasons"]) for letter in run.letters[offset]] == [
        (1, ["NOT_A_NUMBER"]),
        (2, ["NOT_AN_OBJECT"]),
    ]
    assert json.loads(run.letters[offset][0]["raw"])["consumption_kwh"] == "a lot"
    indices = {record["index"] for record in run.said[VALIDATED.name].values() if record["offset"] == offset}
    assert indices == {0, 3}


def test_a_bad_tick_is_a_dead_letter_and_moves_no_time(run: Run) -> None:
    raw = poisoned()
    bad_ticks = [number for number, one in enumerate(raw) if one.headers][:-1]
    assert [run.letters[offset][0]["reasons"] for offset in bad_ticks] == [
        ["BAD_TIMESTAMP"],
        ["BAD_TIMESTAMP"],
        ["BAD_TIMESTAMP"],
        ["FUTURE_TIMESTAMP"],
    ]


def test_nothing_else_is_refused(run: Run) -> None:
    assert sum(len(letters) for letters in run.letters.values()) == len(BAD) + 2 + 4


def test_bad_records_touch_no_state(run: Run, kafka: EmbeddedKafka) -> None:
    partitions = run.worker.page("/partitions/")["partitions"]
    assert [one["meters"] for one in partitions if one["partition"] == P] == [2]
    assert run.worker.status(f"/meters/{VICTIM}/") == 404


def test_the_neighbours_are_judged_as_if_nothing_had_been_there(run: Run) -> None:
    accepted = sorted(
        (record["meter_id"], record["timestamp"][11:16], record["flags"])
        for record in run.said[VALIDATED.name].values()
    )
    assert accepted == sorted(
        [
            (GOOD, "10:00", ["FIRST"]),
            (GOOD, "10:30", []),
            (GOOD, "11:30", []),
            (GOOD, "12:30", []),
            (GOOD, "13:30", []),
            (OTHER, "10:00", ["FIRST"]),
            (OTHER, "10:30", []),
            (OTHER, "11:30", []),
        ]
    )
    gaps = sorted(
        (gap["meter_id"], gap["missing_from"][11:16], gap["missing_intervals"], gap["state"])
        for gap in run.said[GAP_ALERTS.name].values()
    )
    assert gaps == sorted(
        [
            (GOOD, "10:30", 1, "PARTIAL"),
            (GOOD, "12:00", 1, "CLOSED"),
            (GOOD, "13:00", 1, "CLOSED"),
            (OTHER, "11:00", 1, "CLOSED"),
            (OTHER, "12:00", 4, "OPEN"),
        ]
    )


def test_every_dead_letter_fits_the_table(run: Run) -> None:
    sink = run.site.sink().start()
    run.site.wait_stored()
    sink.stop()
    assert run.site.database is not None
    stored = query(run.site.database, 'SELECT id, reasons FROM dead_letters ORDER BY "offset", "index"')
    assert stored == [
        (letter["id"], letter["reasons"]) for letters in run.letters.values() for letter in letters
    ]


def test_the_worker_lives_on(run: Run) -> None:
    assert run.worker.running
    assert run.worker.is_ready()
    assert partition_of(GOOD, PARTITIONS) == P
