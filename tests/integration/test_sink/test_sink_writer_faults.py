"""A bad row is isolated; an unavailable database is waited for; neither loses anything."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg2
import pytest

from gridwatch.backoff import BackOff
from gridwatch.deployment.polling import until
from gridwatch.models.validated import Validated
from gridwatch.topics import VALIDATED
from sinks.connection import SchemaMismatchError
from sinks.migrations import VERSION_TABLE
from sinks.rows import Rows
from sinks.schema.version import migrate
from sinks.writer import WriteInterruptedError, Writer

pytestmark = pytest.mark.integration

GOOD = Validated(
    "0-0-0", "M1", "2024-01-01T10:00:00Z", 1.0, 30, "OK", 0.0, [], "2024-01-01T10:00:00Z", 0, 0, 0
)


@dataclass(frozen=True)
class Source:
    offset: int
    topic: str = VALIDATED.name
    partition: int = 0
    timestamp: int = 0
    value: bytes | None = b""


def reading(offset: int, **changes: Any) -> Validated:
    changes = {"id": f"0-{offset}-0", "meter_id": f"M{offset}", "offset": offset} | changes
    return msgspec.structs.replace(GOOD, **changes)


def rows(*readings: Validated) -> Rows:
    return Rows(VALIDATED.name, readings, [Source(one.offset) for one in readings])


def stored(query: Any) -> list[int]:
    return [offset for (offset,) in query("SELECT source_offset FROM validated_readings ORDER BY 1")]


def wait_until(true: Any) -> None:
    until("it has happened", true, 10.0, pause=0.01)


class InTheBackground:
    """Runs `writer.write` in a thread; `result` gives what it returned or raised."""

    def __init__(self, writer: Writer, batch: list[Rows]) -> None:
        self.outcome: Any = None
        self._thread = threading.Thread(target=self._run, args=(writer, batch), daemon=True)
        self._thread.start()

    def _run(self, writer: Writer, batch: list[Rows]) -> None:
        try:
            self.outcome = writer.write(batch)
        except Exception as error:  # handed to the test, which asserts on it
            self.outcome = error

    def result(self, seconds: float = 15.0) -> Any:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the write did not end"
        return self.outcome


REFUSED_ROWS = {
    "NUL in text": {"region": "a\0b"},
    "NUL in a flag": {"flags": ["a\0b"]},
    "integer out of range": {"interval_seconds": 2**40},
    "index out of range": {"index": 2**70},
    "not an instant": {"timestamp": "2024-13-01T10:00:00Z"},
    "empty instant": {"watermark": ""},
    "a word that means another time each time": {"timestamp": "now"},
    "endless time": {"timestamp": "infinity"},
    "key too long for the index": {"meter_id": "".join(chr(0x4E00 + n * 7 % 20000) for n in range(9000))},
}


@pytest.mark.parametrize("fault", REFUSED_ROWS.values(), ids=REFUSED_ROWS.keys())
def test_a_refused_row_is_found_and_the_rest_is_written(writer: Writer, query: Any, fault: Any) -> None:
    readings = [reading(n) for n in range(50)]
    readings[37] = reading(37, **fault)
    refused = writer.write([rows(*readings)])
    assert [one.source.offset for one in refused] == [37]
    assert refused[0].error
    assert stored(query) == [n for n in range(50) if n != 37]
    assert writer.state.refused[VALIDATED.name] == 1
    assert writer.state.rows[VALIDATED.name] == 49


def test_many_refused_rows_are_all_found_in_order(writer: Writer, query: Any) -> None:
    bad = {0, 7, 8, 31, 63}
    refused = writer.write([rows(*(reading(n, region="\0" if n in bad else None) for n in range(64)))])
    assert [one.source.offset for one in refused] == sorted(bad)
    assert stored(query) == [n for n in range(64) if n not in bad]


def test_one_topic_may_come_in_several_parts(writer: Writer, query: Any) -> None:
    assert writer.write([rows(reading(1)), rows(), rows(reading(2)), rows(reading(3, meter_id="M1"))]) == []
    assert stored(query) == [2, 3]


def test_a_lost_connection_is_reopened_and_the_batch_written(writer: Writer, query: Any) -> None:
    writer.write([rows(reading(1))])
    query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gridwatch-sink'")
    assert writer.write([rows(reading(2))]) == []
    assert stored(query) == [1, 2]
    assert writer.state.retries >= 1
    assert writer.state.waiting_since is None


def test_a_connection_lost_in_the_middle_of_a_batch_loses_nothing(
    writer: Writer, query: Any, database: str
) -> None:
    with psycopg2.connect(database) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE validated_readings")
        background = InTheBackground(writer, [rows(*(reading(n) for n in range(100)))])
        # The batch waits for the lock in the middle of its transaction.
        in_a_lock = (
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = 'gridwatch-sink' AND wait_event_type = 'Lock'"
        )
        wait_until(lambda: query(in_a_lock))
        for _ in range(3):
            query(f"SELECT pg_terminate_backend(pid) FROM ({in_a_lock}) AS blocked")
            time.sleep(0.05)
    assert background.result() == []
    assert stored(query) == list(range(100))


def test_a_held_lock_is_waited_for_and_reported(writer: Writer, query: Any, database: str) -> None:
    with psycopg2.connect(database) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE validated_readings")
        background = InTheBackground(writer, [rows(reading(1))])
        wait_until(lambda: writer.state.waiting_since is not None and writer.state.retries >= 2)
        assert "lock timeout" in writer.state.last_error
    assert background.result() == []
    assert stored(query) == [1]
    assert writer.state.waiting_since is None


def test_a_missing_schema_is_waited_for_and_reported(empty_database: str, query: Any) -> None:
    writer = Writer(empty_database, back_off=BackOff(first=0.02, most=0.1))
    background = InTheBackground(writer, [rows(reading(1))])
    wait_until(lambda: writer.state.waiting_since is not None)
    assert "gridwatch db migrate" in writer.state.last_error
    migrate(empty_database)
    assert background.result() == []
    assert stored(query) == [1]
    writer.disconnect()


def test_a_newer_schema_is_not_written_to_even_if_it_is_migrated_while_the_sink_runs(
    writer: Writer, query: Any
) -> None:
    [(version,)] = query(f"SELECT version_num FROM {VERSION_TABLE}")
    writer.write([rows(reading(1))])
    query(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(SchemaMismatchError, match="revision 9999"):
        writer.check()
    background = InTheBackground(writer, [rows(reading(2))])
    wait_until(lambda: writer.state.retries)
    assert "upgrade gridwatch" in writer.state.last_error
    assert stored(query) == [1]
    query(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")
    assert background.result() == []
    assert stored(query) == [1, 2]


def test_interrupting_ends_the_wait_for_an_unavailable_database() -> None:
    writer = Writer("postgresql://gridwatch:sekret@127.0.0.1:1/gridwatch")
    background = InTheBackground(writer, [rows(reading(1))])
    wait_until(lambda: writer.state.waiting_since is not None)
    assert "sekret" not in writer.state.last_error
    writer.interrupt()
    assert isinstance(background.result(), WriteInterruptedError)


def test_a_hanging_transaction_can_be_cancelled(database: str, query: Any) -> None:
    writer = Writer(database, lock_timeout="60s")
    with psycopg2.connect(database) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE validated_readings")
        background = InTheBackground(writer, [rows(reading(1))])
        wait_until(lambda: query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
        writer.interrupt()
        assert writer.state.writing_since is not None
        writer.cancel_transaction()
        assert isinstance(background.result(5.0), WriteInterruptedError)
    writer.resume()
    assert writer.write([rows(reading(1))]) == []
    assert stored(query) == [1]
    writer.disconnect()


def test_a_check_finds_the_database_unavailable_and_available_again(empty_database: str, query: Any) -> None:
    writer = Writer(empty_database)
    with pytest.raises(SchemaMismatchError):
        writer.check()
    assert writer.state.waiting_since is not None
    migrate(empty_database)
    writer.check()
    assert writer.state.waiting_since is None
    query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gridwatch-sink'")
    writer.check()
    assert writer.state.waiting_since is not None
    writer.check()
    assert writer.state.waiting_since is None
    writer.disconnect()


def test_a_batch_that_takes_too_long_is_written_in_halves(
    writer: Writer, query: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.connection.STATEMENT_TIMEOUT", "400ms")
    query(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$"
    )
    query("CREATE TRIGGER slow BEFORE INSERT ON validated_readings FOR EACH ROW EXECUTE FUNCTION slow()")
    assert writer.write([rows(*(reading(n) for n in range(16)))]) == []
    assert stored(query) == list(range(16))
    assert writer.state.commits > 1
