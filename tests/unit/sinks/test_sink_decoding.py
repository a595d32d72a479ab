"""Records of an output topic become rows; foreign ones become dead letters with their reason."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
import pytest

from gridwatch.codecs.wire import RAW_MAX_BYTES
from gridwatch.models.homelab import TIME_ASSIGNED, EnergyReading, MqttSource
from gridwatch.models.metric import Metric
from gridwatch.topics import HOMELAB_ENERGY, METRICS
from sinks.decoding import decode_records
from sinks.refusals import refused, unreadable
from sinks.rows import Rows, halve

METRIC = Metric(
    "m@w/0", "readings_received", 1.0, "2024-01-01T10:00:00Z", "2024-01-01T10:05:00Z", 1, "event", 0, {}
)


@dataclass(frozen=True)
class Source:
    value: bytes | None
    offset: int = 7
    topic: str = METRICS.name
    partition: int = 3
    timestamp: int = 1_704_103_200_500


def good(offset: int) -> Source:
    return Source(msgspec.json.encode(METRIC), offset)


def test_a_clean_batch_is_decoded_whole() -> None:
    rows, letters = decode_records(METRICS.name, [good(1), good(2)])
    assert (list(rows.records), letters) == ([METRIC, METRIC], [])


def test_foreign_records_become_dead_letters_and_the_other_rows_keep_their_sources() -> None:
    rows, letters = decode_records(METRICS.name, [good(1), Source(b"{", 2), good(3)])
    assert [source.offset for source in rows.sources] == [1, 3]
    assert [letter.id for letter in letters] == ["smartmeter_metrics-3-2-0"]


def test_records_that_their_table_does_not_store_are_neither_rows_nor_dead_letters() -> None:
    """What a broker had kept of a home's device, without a time of its own."""

    def source(offset: int, *, retained: bool, flags: list[str]) -> Source:
        came = MqttSource("homelab/energy/plug", 1, retained, "bridge")
        now = "2024-01-01T10:00:00Z"
        reading = EnergyReading(device_id="plug", timestamp=now, received_at=now, source=came, flags=flags)
        return Source(msgspec.json.encode(reading), offset, HOMELAB_ENERGY.name)

    ways = [(retained, flags) for retained in (True, False) for flags in ([TIME_ASSIGNED], [])]
    sources = [source(n, retained=retained, flags=flags) for n, (retained, flags) in enumerate(ways)]
    rows, letters = decode_records(HOMELAB_ENERGY.name, [*sources, Source(b"{", 9, HOMELAB_ENERGY.name)])
    assert [one.offset for one in rows.sources] == [1, 2, 3]
    assert [letter.offset for letter in letters] == [9]
    # Each row ends with the position of its own record, also in a part of a batch.
    assert [line.split("\t")[-2:] for line in rows.copy_text().decode().splitlines()] == [
        ["3", "1"],
        ["3", "2"],
        ["3", "3"],
    ]
    assert rows[2:].copy_text().decode().endswith("\t3\t3\n")


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (b"not json", "NOT_JSON", None),
        (b"", "NOT_JSON", None),
        (None, "NOT_JSON", None),
        (b'{"id": "\xff"}', "NOT_UTF8", None),
        (b"\xff\xfe", "NOT_UTF8", None),
        (b"[]", "NOT_AN_OBJECT", None),
        (b"{}", "MISSING_FIELD", "id"),
        (b'{"id": 5}', "UNKNOWN_TYPE", "id"),
    ],
)
def test_the_reason_of_a_foreign_record(value: bytes | None, reason: str, field: str | None) -> None:
    _, letters = decode_records(METRICS.name, [Source(value)])
    assert [(letter.reasons, letter.field) for letter in letters] == [([reason], field)]


def test_a_dead_letter_names_where_the_record_came_from() -> None:
    letter = refused(Source(b"{}"), "value out of range (22003)")
    assert letter.id == "smartmeter_metrics-3-7-0"
    assert letter.reasons == ["REFUSED_BY_DATABASE"]
    assert letter.message == "value out of range (22003)"
    assert (letter.topic, letter.partition, letter.offset, letter.index) == ("smartmeter_metrics", 3, 7, 0)
    assert letter.record_timestamp == "2024-01-01T10:00:00.5Z"


def test_raw_is_cut_at_its_limit_and_never_through_a_character() -> None:
    value = b"x" + "ü".encode() * RAW_MAX_BYTES
    letter = refused(Source(value), "")
    assert letter.raw_truncated
    assert letter.raw_size == len(value)
    assert letter.raw == "x" + "ü" * (RAW_MAX_BYTES // 2 - 1)


@pytest.mark.parametrize("value", [b"a\0b", b"\xff\xfe"])
def test_raw_that_no_text_column_holds_is_base64(value: bytes) -> None:
    letter = unreadable(Source(value), msgspec.DecodeError("bad"))
    assert letter.raw_encoding == "base64"
    assert base64.b64decode(letter.raw) == value


def test_halving_keeps_order_and_loses_nothing() -> None:
    batch = [Rows(METRICS.name, range(n), range(n)) for n in (3, 1, 5)]  # type: ignore[arg-type]
    first, second = halve(batch)
    assert [len(rows) for rows in first] == [3, 1]
    assert [len(rows) for rows in second] == [5]
    first, second = halve(second)
    assert [list(rows.records) for rows in (*first, *second)] == [[0, 1], [2, 3, 4]]
