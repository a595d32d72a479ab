"""Messages are what the models of the topics say, whichever way they were made."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gridwatch.codecs.wire import ReadingsEncoder, ValidatedMessages, encode_outputs
from gridwatch.domain import outputs as emitted
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.domain.reading import OpenedReading
from gridwatch.models.metric import Metric
from gridwatch.models.raw import Raw
from gridwatch.models.validated import Validated
from gridwatch.topics import flow

TEN = parse_instant("2024-01-01T10:00:00Z")[0]
FIELDS = {"meter_id": 'M\u00e4"1', "timestamp": "2024-01-01T11:00:00+01:00", "consumption_kwh": 1.25}
MORE = {"region": "north", "voltage": 230.1, "current": 3.0, "power_kw": 0.5, "power_factor": 0.97}
LAST = {"frequency": 50.0, "sent_at": "then"}


def accepted(raw: Any, **changes: Any) -> emitted.Validated:
    fields = {
        "time": TEN,
        "interval": 15 * MINUTE,
        "status": "OK",
        "delay": 0,
        "flags": (),
        "watermark": TEN - 10 * SECOND,
        "partition": 3,
        "offset": 77,
        "index": 0,
        "received": TEN + SECOND,
    }
    return emitted.Validated(raw, **(fields | changes))


@pytest.mark.parametrize("kind", [Raw, OpenedReading])
@pytest.mark.parametrize("more", [{}, MORE | LAST, {"interval_minutes": 15.0, "flags": ["E"]}])
def test_a_reading_is_encoded_as_its_model_is(kind: Any, more: dict[str, Any]) -> None:
    optional = {key: value for key, value in more.items() if key not in {"interval_minutes", "flags"}}
    [(key, value)] = encode_outputs([accepted(kind(**FIELDS, **more))])["smartmeter_validated"]
    assert key == 'M\u00e4"1'.encode()
    assert msgspec.json.decode(value, type=Validated) == Validated(
        "3-77-0",
        'M\u00e4"1',
        "2024-01-01T10:00:00Z",
        1.25,
        15,
        "OK",
        0.0,
        [],
        "2024-01-01T09:59:50Z",
        3,
        77,
        0,
        interval_seconds=900,
        received_at="2024-01-01T10:00:01Z",
        **optional,
    )
    assert msgspec.json.decode(value).keys() == {
        *(name for name in Validated.__struct_fields__[:12]),
        "interval_seconds",
        "received_at",
        *optional,
    }


@pytest.mark.parametrize(
    ("interval", "minutes"), [(SECOND, 1 / 60), (10 * SECOND, 1 / 6), (90 * SECOND, 1.5), (60 * MINUTE, 60)]
)
def test_minutes_are_a_fraction_where_the_interval_is(interval: int, minutes: float) -> None:
    [(_, value)] = encode_outputs([accepted(Raw(**FIELDS), interval=interval)])["smartmeter_validated"]
    fields = msgspec.json.decode(value)
    assert (fields["interval_minutes"], fields["interval_seconds"]) == (minutes, interval // SECOND)
    assert type(fields["interval_minutes"]) is type(minutes)


@pytest.mark.parametrize(
    "changes",
    [
        {"time": TEN + 1},
        {"interval": 60 * MINUTE},
        {"interval": 10 * SECOND},
        {"received": TEN + 2 * SECOND},
        {"status": "LATE", "delay": 1},
        {"delay": 86_400 * SECOND},
        {"flags": ("REVISED", "ZERO", 'its "own"')},
        {"watermark": TEN},
        {"partition": 4},
        {"offset": 78},
        {"index": 1},
    ],
)
def test_what_neighbours_share_is_encoded_again_when_it_changes(changes: dict[str, Any]) -> None:
    one, other = accepted(Raw(**FIELDS)), accepted(Raw(**FIELDS), **changes)
    alone = [encode_outputs([each])["smartmeter_validated"] for each in (one, other)]
    together = ValidatedMessages()
    for each in (accepted(Raw(**FIELDS)), accepted(Raw(**FIELDS), **changes), accepted(Raw(**FIELDS))):
        together.emit(*each)
    assert together.messages == [*alone[0], *alone[1], *alone[0]]
    assert alone[0] != alone[1]
    record = msgspec.json.decode(alone[1][0][1], type=Validated)
    assert (record.status, record.delay_seconds) == (other.status, other.delay / SECOND)
    assert (record.flags, record.id) == (list(other.flags), other.id)
    assert record.interval_seconds == other.interval // SECOND
    assert parse_instant(record.received_at or "")[0] == other.received
    assert (record.partition, record.offset, record.index) == (other.partition, other.offset, other.index)


@pytest.mark.parametrize("value", [0, 12, 3.5, 1e-07, 1e22])
def test_a_metric_is_encoded_as_its_model_is(value: float) -> None:
    metric = emitted.Metric("consumption_kwh", value, TEN, TEN + 5 * MINUTE, 4, 2)
    [(key, text)] = encode_outputs([metric])["smartmeter_metrics"]
    record = msgspec.json.decode(text, type=Metric)
    assert key.decode() == record.id == metric.id
    assert record == Metric(
        metric.id,
        "consumption_kwh",
        value,
        "2024-01-01T10:00:00Z",
        "2024-01-01T10:05:00Z",
        4,
        "event",
        2,
        {},
    )


def test_another_flow_has_its_own_topics_in_all_that_is_encoded() -> None:
    daily = flow("daily")
    reading = accepted(Raw(**FIELDS))
    letter = emitted.DeadLetter(("NOT_JSON",), "no", None, b"x", TEN, None, 3, 77, 0)
    metric = emitted.Metric("readings_received", 1, TEN, TEN + MINUTE, 1, 3)
    encoded = encode_outputs([reading, letter, metric], daily)
    assert set(encoded) == {"daily_validated", "daily_dead_letters", "daily_metrics"}
    [(key, value)] = encoded["daily_dead_letters"]
    assert key == b"daily_raw-3-77-0"
    assert msgspec.json.decode(value)["topic"] == "daily_raw"
    # Positions are of the flow's own log: the records of the others are alike.
    assert encoded["daily_validated"] == encode_outputs([reading])["smartmeter_validated"]
    encoder = ReadingsEncoder(daily)
    encoder.outcome.outputs.append(letter)
    assert {topic for topic, some in encoder.drain().messages.items() if some} == {"daily_dead_letters"}
