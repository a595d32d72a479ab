"""Raw records on their way to the domain: fields in its order, headers in its words."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from gridwatch.codecs.decode import decode_readings, log_records
from gridwatch.domain.reading import LogRecord, OpenedReading
from gridwatch.models.raw import Raw
from gridwatch.topics import REPLAY_HEADER, TICK_HEADER


def test_the_fields_are_those_of_the_domain_in_that_order() -> None:
    fields = dataclasses.fields(OpenedReading)
    assert Raw.__struct_fields__ == tuple(field.name for field in fields)
    assert Raw.__struct_defaults__ == tuple(field.default for field in fields[3:])


def test_a_reading_and_an_array_are_decoded_as_raw_readings() -> None:
    one = b'{"meter_id":"A","timestamp":"2024-01-01T10:00:00Z","consumption_kwh":1,"flags":["E"]}'
    reading = Raw("A", "2024-01-01T10:00:00Z", 1.0, flags=["E"])
    assert decode_readings(one) == reading
    assert decode_readings(b"[" + one + b"," + one + b"]") == [reading, reading]


@pytest.mark.parametrize("value", [b"", b"{}", b"7", b'{"meter_id":1}'])
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_readings(value)


def test_headers_mark_ticks_and_replays() -> None:
    headers = [[], [(TICK_HEADER, b"1")], [(REPLAY_HEADER, b"run"), ("other", b"")]]
    records = [SimpleNamespace(offset=n, timestamp=5, value=b"v", headers=h) for n, h in enumerate(headers)]
    made = log_records(records)
    assert all(type(one) is LogRecord for one in made)
    assert [(one.offset, one.timestamp, one.value, one.tick, one.replayed) for one in made] == [
        (0, 5000, b"v", False, False),
        (1, 5000, b"v", True, False),
        (2, 5000, b"v", False, True),
    ]
