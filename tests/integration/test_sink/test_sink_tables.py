"""The contents of the tables are a function of the set of records, whatever their order and batches."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, LATE_EVENTS, METRICS, VALIDATED
from sinks.rows import Rows
from sinks.writer import Writer

pytestmark = pytest.mark.integration

TABLES = ("validated_readings", "reading_revisions", "gap_alerts", "late_events", "metrics", "dead_letters")


@dataclass(frozen=True)
class Source:
    topic: str
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_704_103_200_000
    value: bytes | None = b""


def rows(topic: str, *records: Any) -> Rows:
    return Rows(topic, list(records), [Source(topic, offset=n) for n, _ in enumerate(records)])


def reading(offset: int, kwh: float = 1.0, minute: int = 0, meter: str = "M1", **more: Any) -> Validated:
    stamp = f"2024-01-01T10:{minute:02}:00Z"
    given = {
        "id": f"0-{offset}-0",
        "interval_minutes": 30,
        "status": "OK",
        "delay_seconds": 0.0,
        "flags": [],
        "watermark": stamp,
        "partition": 0,
        "index": 0,
    } | more
    return Validated(meter_id=meter, timestamp=stamp, consumption_kwh=kwh, offset=offset, **given)


def gap(revision: int, state: str = "OPEN", missing: int = 1, hour: int = 10, meter: str = "M1") -> GapAlert:
    start, end = f"2024-01-01T{hour:02}:30:00Z", f"2024-01-01T{hour:02}:45:00Z"
    return GapAlert(
        gap_id=f"{meter}@{start}",
        meter_id=meter,
        revision=revision,
        state=state,  # type: ignore[arg-type]
        missing_from=start,
        missing_to=end,
        missing_intervals=missing,
        missing_ranges=[(start, end)],
        filled_intervals=0,
        gap_minutes=30.0 * missing,
        interval_minutes=30,
        expected_at=start,
        detected_at=end,
        last_seen=start,
        grace_seconds=900.0,
        reason="no reading",
        region=None,
        partition=0,
        offset=revision,
    )


def late(offset: int, delay: float) -> LateEvent:
    stamp = "2024-01-01T10:00:00Z"
    return LateEvent(f"0-{offset}-0", "M1", stamp, 1.0, delay, stamp, 3600.0, [], 0, offset, 0)


def metric(revision: int, value: float, name: str = "readings_received") -> Metric:
    start, end = "2024-01-01T10:00:00Z", "2024-01-01T10:05:00Z"
    return Metric(f"{name}@{start}/0", name, value, start, end, revision, "event", 0, {})


def letter(offset: int, **more: Any) -> DeadLetter:
    given = {
        "reasons": ["NOT_JSON"],
        "message": "not JSON",
        "field": None,
        "raw": "{",
        "raw_encoding": "utf-8",
        "raw_size": 1,
        "raw_truncated": False,
        "topic": "smartmeter_raw",
        "partition": 0,
        "index": 0,
        "record_timestamp": "2024-01-01T10:00:00Z",
        "meter_id": None,
    } | more
    return DeadLetter(id=f"smartmeter_raw-0-{offset}-0", offset=offset, **given)


def contents(query: Any) -> dict[str, list[Any]]:
    return {table: query(f"SELECT * FROM {table} ORDER BY {table}::text") for table in TABLES}


def clear(query: Any) -> None:
    query("TRUNCATE " + ", ".join(TABLES))


LOG: list[tuple[str, Any]] = [
    *((VALIDATED.name, reading(n, kwh=n / 10, minute=n % 4, meter=f"M{n % 3}")) for n in range(12)),
    (VALIDATED.name, reading(20, kwh=5.0, minute=1, meter="M1", flags=["REVISED"])),
    (VALIDATED.name, reading(21, kwh=6.0, minute=1, meter="M1", flags=["OFF_GRID", "REVISED"])),
    (VALIDATED.name, reading(21, kwh=7.0, minute=1, meter="M1", flags=["REVISED"], index=1, id="0-21-1")),
    *((GAP_ALERTS.name, gap(revision, missing=revision)) for revision in (1, 2, 3)),
    (GAP_ALERTS.name, gap(4, "CLOSED", 3)),
    *((METRICS.name, metric(revision, float(revision))) for revision in (1, 2, 3)),
    *((LATE_EVENTS.name, late(offset, 4000.0)) for offset in (30, 31)),
    *((DEAD_LETTERS.name, letter(offset)) for offset in (40, 41)),
]


def write(writer: Writer, log: list[tuple[str, Any]]) -> None:
    by_topic: dict[str, list[Any]] = {}
    for topic, record in log:
        by_topic.setdefault(topic, []).append(record)
    assert writer.write([rows(topic, *records) for topic, records in by_topic.items()]) == []


def test_any_order_any_batches_and_any_repetition_leave_the_same_rows(writer: Writer, query: Any) -> None:
    write(writer, LOG)
    undisturbed = contents(query)
    assert [len(undisturbed[table]) for table in TABLES] == [12, 3, 1, 2, 1, 2]
    for seed in range(30):
        clear(query)
        rng = random.Random(seed)
        log = LOG + rng.choices(LOG, k=15)
        rng.shuffle(log)
        while log:
            size = rng.randint(1, len(log))
            write(writer, log[:size])
            log = log[size:]
        assert contents(query) == undisturbed, f"seed {seed}"


def test_writing_the_same_rows_again_changes_nothing(writer: Writer, query: Any) -> None:
    write(writer, LOG)
    places = query("SELECT ctid::text, xmin::text FROM validated_readings ORDER BY 1")
    before = contents(query)
    write(writer, LOG)
    assert contents(query) == before
    assert query("SELECT ctid::text, xmin::text FROM validated_readings ORDER BY 1") == places


def test_the_later_value_in_log_order_wins_and_each_further_one_is_a_revision(
    writer: Writer, query: Any
) -> None:
    first = reading(1, kwh=1.0)
    second = reading(9, kwh=2.0, flags=["REVISED"])
    third = reading(10, kwh=3.0, flags=["REVISED"])
    for batch in ([third], [first], [second]):
        writer.write([rows(VALIDATED.name, *batch)])
    assert query("SELECT consumption_kwh, source_offset, flags, first_kwh FROM validated_readings") == [
        (3.0, 10, ["REVISED"], 1.0)
    ]
    assert query("SELECT consumption_kwh FROM reading_revisions ORDER BY source_offset") == [(2.0,), (3.0,)]


def test_the_first_value_is_kept_beside_the_current_one(writer: Writer, query: Any) -> None:
    values = [reading(n, kwh=float(n), flags=["REVISED"] if n > 1 else []) for n in (1, 2, 3)]
    for order in itertools.permutations(values):
        for cut in ((1, 2), (1, 3), (2, 3), (3, 3)):
            clear(query)
            for batch in (order[: cut[0]], order[cut[0] : cut[1]], order[cut[1] :]):
                writer.write([rows(VALIDATED.name, *batch)])
            writer.write([rows(VALIDATED.name, order[0])])
            found = query(
                "SELECT consumption_kwh, first_kwh, first_offset, first_index FROM validated_readings"
            )
            assert found == [(3.0, 1.0, 1, 0)], (order, cut)


def test_a_value_that_was_never_replaced_is_its_own_first(writer: Writer, query: Any) -> None:
    for _ in range(2):
        writer.write([rows(VALIDATED.name, reading(1), reading(2, minute=1), reading(1))])
    assert query("SELECT first_kwh, first_offset FROM validated_readings") == [(None, None)] * 2


def test_two_stamps_of_one_slot_are_two_readings(writer: Writer, query: Any) -> None:
    writer.write([rows(VALIDATED.name, reading(1), reading(2, minute=1, flags=["EXTRA"]))])
    assert query("SELECT count(*) FROM validated_readings") == [(2,)]
    assert query("SELECT count(*) FROM reading_revisions") == [(0,)]


def test_an_older_revision_of_a_gap_changes_nothing(writer: Writer, query: Any) -> None:
    writer.write([rows(GAP_ALERTS.name, gap(2, "CLOSED", 2))])
    writer.write([rows(GAP_ALERTS.name, gap(1))])
    assert query("SELECT revision, state, missing_intervals, time = missing_from FROM gap_alerts") == [
        (2, "CLOSED", 2, True)
    ]


def test_all_fields_of_a_reading_arrive(writer: Writer, query: Any) -> None:
    full = reading(
        7,
        kwh=0.1 + 0.2,
        flags=["LATE", "ZERO"],
        status="LATE",
        delay_seconds=0.25,
        region="Nord\\West\t\n",
        voltage=229.9,
        current=0.5,
        power_kw=1e-7,
        power_factor=1.0,
        frequency=49.98,
        sent_at="whenever",
        partition=4,
        index=3,
    )
    writer.write([rows(VALIDATED.name, full, reading(8, minute=1))])
    found = query(
        "SELECT consumption_kwh, flags, status, delay_seconds, region, voltage, current, power_kw,"
        " power_factor, frequency, sent_at, source_partition, source_offset, source_index, id, time::text"
        " FROM validated_readings ORDER BY time"
    )
    assert found[0] == (
        *(
            0.1 + 0.2,
            ["LATE", "ZERO"],
            "LATE",
            0.25,
            "Nord\\West\t\n",
            229.9,
            0.5,
            1e-7,
            1.0,
            49.98,
            "whenever",
        ),
        *(4, 7, 3, "0-7-0", "2024-01-01 10:00:00+00"),
    )
    assert found[1][4:11] == (None,) * 7


def test_hourly_gaps_leave_out_retracted_ones(writer: Writer, query: Any) -> None:
    writer.write(
        [
            rows(
                GAP_ALERTS.name,
                gap(1, "OPEN", 2),
                gap(2, "CLOSED", 3, meter="M2"),
                gap(5, "RETRACTED", 0, meter="M3"),
                gap(1, "FILLED", 0, hour=11),
            )
        ]
    )
    found = query(
        "SELECT bucket::text, gaps, missing_intervals, open_gaps, meters"
        " FROM gap_summary_hourly ORDER BY bucket"
    )
    assert found == [("2024-01-01 10:00:00+00", 2, 5, 1, 2), ("2024-01-01 11:00:00+00", 1, 0, 0, 1)]


def test_hourly_late_events_and_metrics(writer: Writer, query: Any) -> None:
    writer.write(
        [
            rows(LATE_EVENTS.name, late(1, 4000.0), late(2, 5000.0)),
            rows(METRICS.name, metric(1, 3.0), metric(1, 5.0, "readings_late")),
        ]
    )
    assert query(
        "SELECT late_events, avg_delay_seconds, max_delay_seconds, meters FROM late_events_summary_hourly"
    ) == [(2, 4500.0, 5000.0, 1)]
    assert query(
        "SELECT metric, avg_value, min_value, max_value, sum_value, samples"
        " FROM metrics_summary_hourly ORDER BY 1"
    ) == [("readings_late", 5.0, 5.0, 5.0, 5.0, 1), ("readings_received", 3.0, 3.0, 3.0, 3.0, 1)]


def test_a_dead_letter_with_nul_is_stored_as_base64(writer: Writer, query: Any) -> None:
    assert (
        writer.write([rows(DEAD_LETTERS.name, letter(1, raw="a\0b", message="bad \0", meter_id="M\0"))]) == []
    )
    assert query("SELECT raw, raw_encoding, message, meter_id FROM dead_letters") == [
        ("YQBi", "base64", "bad �", "M�")
    ]


NASTY = st.text(
    st.one_of(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
        st.sampled_from("\\\t\n\r\b\f\v\"'{},N."),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(NASTY, NASTY, st.lists(NASTY, max_size=3), st.none() | NASTY), min_size=1, max_size=8)
)
def test_any_text_reads_back_as_it_was(
    writer: Writer, query: Any, values: list[tuple[str, str, list[str], str | None]]
) -> None:
    clear(query)
    letters = [
        letter(n, raw=raw, message=message, reasons=reasons, field=field)
        for n, (raw, message, reasons, field) in enumerate(values)
    ]
    labelled = [
        msgspec.structs.replace(metric(1, 1.0), id=str(n), labels={message: raw})
        for n, (raw, message, _, _) in enumerate(values)
    ]
    assert writer.write([rows(DEAD_LETTERS.name, *letters), rows(METRICS.name, *labelled)]) == []
    assert query('SELECT raw, message, reasons, field FROM dead_letters ORDER BY "offset"') == values
    assert query("SELECT labels FROM metrics ORDER BY id::int") == [({m: r},) for r, m, _, _ in values]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_any_number_reads_back_exactly(writer: Writer, query: Any, values: list[float]) -> None:
    clear(query)
    readings = [reading(n, kwh=value, minute=n, voltage=value) for n, value in enumerate(values)]
    assert writer.write([rows(VALIDATED.name, *readings)]) == []
    assert query("SELECT consumption_kwh, voltage FROM validated_readings ORDER BY time") == [
        (value, value) for value in values
    ]


def test_intervals_of_seconds_and_arrivals_are_stored(writer: Writer, query: Any) -> None:
    more: dict[str, Any] = {"interval_minutes": 1 / 6, "interval_seconds": 10}
    arrival = {"received_at": "2024-01-01T10:00:00.25Z"}
    now = reading(2, minute=1, **more, **arrival)
    first = msgspec.structs.replace(gap(1), **more, **arrival)
    assert writer.write([rows(VALIDATED.name, now), rows(GAP_ALERTS.name, first)]) == []
    for table in ("validated_readings", "gap_alerts"):
        columns = "interval_minutes, interval_seconds, received_at::text"
        assert query(f"SELECT {columns} FROM {table}") == [(1 / 6, 10, "2024-01-01 10:00:00.25+00")]


def test_a_record_of_an_older_worker_is_stored_without_the_new_columns(writer: Writer, query: Any) -> None:
    records = {VALIDATED.name: (reading(1), Validated), GAP_ALERTS.name: (gap(1), GapAlert)}
    batch = []
    for topic, (record, model) in records.items():
        fields = msgspec.to_builtins(record)
        for name in ("interval_seconds", "received_at"):
            fields.pop(name, None)
        batch.append(rows(topic, msgspec.json.decode(msgspec.json.encode(fields), type=model)))
    # In one batch with a record of a newer one.
    newer = reading(2, minute=1, interval_seconds=1800, received_at="2024-01-01T10:00:00Z")
    assert writer.write([*batch, rows(VALIDATED.name, newer)]) == []
    columns = "interval_minutes, interval_seconds, received_at IS NULL"
    assert query(f"SELECT {columns} FROM validated_readings ORDER BY source_offset") == [
        (30.0, None, True),
        (30.0, 1800, False),
    ]
    assert query(f"SELECT {columns} FROM gap_alerts") == [(30.0, None, True)]


def test_the_calendar_of_local_days_is_stored(writer: Writer, query: Any) -> None:
    more: dict[str, Any] = {
        "interval_minutes": 1440,
        "interval_seconds": 86_400,
        "calendar": "1d Europe/Berlin",
    }
    first, again = reading(2, minute=1, **more), reading(3, minute=1, kwh=2.0, flags=["REVISED"], **more)
    batch = [rows(VALIDATED.name, first, again, reading(4, minute=2))]
    assert writer.write([*batch, rows(GAP_ALERTS.name, msgspec.structs.replace(gap(1), **more))]) == []
    days = "1d Europe/Berlin"
    assert query("SELECT calendar FROM validated_readings ORDER BY time") == [(days,), (None,)]
    assert (
        query("SELECT calendar FROM reading_revisions")
        == query("SELECT calendar FROM gap_alerts")
        == [(days,)]
    )
