"""Raw records on their way to the domain: fields in its order, headers in its words."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from gridwatch.codecs.decode import decode_readings, log_records
from gridwatch.domain.reading import LogRecord, OpenedReading
from gridwatch.models.raw import Raw
from gridwatch.topics import OUTAGE_HEADER, REPLAY_HEADER, TICK_HEADER


def test_the_fields_are_those_of_the_domain_in_that_order() -> None:
    fields = dataclasses.fields(OpenedReading)
    # `interval` is text, and read the slow way: the fast one must refuse it.
    assert Raw.__struct_fields__ == (*(field.name for field in fields), "interval")
    assert Raw.__struct_defaults__ == (*(field.default for field in fields[3:]), None)
    with pytest.raises(ValueError, match="interval"):
        decode_readings(b'{"meter_id":"A","timestamp":"T","consumption_kwh":1,"interval":"1d"}')


def test_a_reading_and_an_array_are_decoded_as_raw_readings() -> None:
    one = b'{"meter_id":"A","timestamp":"2024-01-01T10:00:00Z","consumption_kwh":1,"flags":["E"]}'
    reading = Raw("A", "2024-01-01T10:00:00Z", 1.0, flags=["E"])
    assert decode_readings(one) == reading
    assert decode_readings(b"[" + one + b"," + one + b"]") == [reading, reading]


@pytest.mark.parametrize("value", [b"", b"{}", b"7", b'{"meter_id":1}'])
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_readings(value)


def test_headers_mark_control_records_and_replays() -> None:
    headers = [[], [(TICK_HEADER, b"1")], [(REPLAY_HEADER, b"run"), ("other", b"")]]
    headers.append([(REPLAY_HEADER, b"run"), (OUTAGE_HEADER, b"2")])
    records = [SimpleNamespace(offset=n, timestamp=5, value=b"v", headers=h) for n, h in enumerate(headers)]
    made = log_records(records)
    assert all(type(one) is LogRecord for one in made)
    assert [
        (one.offset, one.timestamp, one.value, one.control, one.version, one.replayed) for one in made
    ] == [
        (0, 5000, b"v", None, b"1", False),
        (1, 5000, b"v", "tick", b"1", False),
        (2, 5000, b"v", None, b"1", True),
        (3, 5000, b"v", "outage", b"2", True),
    ]
