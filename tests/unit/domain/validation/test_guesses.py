"""A dead letter says what its record probably was; it stays short and storable, whatever the bytes are."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gridwatch.codecs.decode import decode_readings
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.instants import LATEST, format_instant
from gridwatch.domain.outputs import DeadLetter, Validated
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import OpenedReading
from gridwatch.domain.validation.binary_guesses import of_bytes
from gridwatch.domain.validation.field_guesses import explained, of_envelope, of_field
from gridwatch.domain.validation.findings import REASONS, Refusal
from gridwatch.domain.validation.guesses import MAX_GUESS, of_content, of_nothing
from gridwatch.domain.validation.rules import check, open_record
from gridwatch.domain.validation.stamp_guesses import of_stamp
from tests.unit.domain.log import LATER, Log

GOOD = {"meter_id": "A", "timestamp": "2024-01-01T10:00:00Z", "consumption_kwh": 1}
TEXT = json.dumps(GOOD)
BYTES = TEXT.encode()
POLICY = Policy(partitions=1)


def with_(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def letter(value: bytes | None) -> DeadLetter:
    log = Log(decode=decode_readings)
    log.raw(value)
    (found,) = log.of(DeadLetter)
    assert isinstance(found, DeadLetter)
    return found


@pytest.mark.parametrize(
    ("value", "reason", "guess"),
    [
        (None, "NOT_JSON", "a tombstone (a delete marker of a compacted topic)"),
        (b"", "NOT_JSON", "an empty value (0 bytes)"),
        (b" \n", "NOT_JSON", "is blank"),
        (b"\x00\x00\x00\x01\x07\x02\x0a\xff", "NOT_UTF8", "Avro or Protobuf (magic byte 0, schema id 263)"),
        (b"\x00\x00\x00\x00\x07" + BYTES, "NOT_JSON", "Confluent JSON Schema (magic byte 0, schema id 7)"),
        (b"\x00\x00\x00\x00\x07 [" + BYTES + b"]\n", "NOT_JSON", "Confluent JSON Schema"),
        (b"\x03\x00" + bytes(16) + BYTES, "NOT_JSON", "AWS Glue"),
        (b"\x03\x05" + bytes(16) + b"\xff", "NOT_UTF8", "AWS Glue"),
        (TEXT.encode("utf-8-sig"), "NOT_JSON", "UTF-8 byte order mark (EF BB BF)"),
        (TEXT.encode("utf-16"), "NOT_UTF8", "UTF-16 with a byte order mark"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "NOT_UTF8", "UTF-16 with a byte order mark"),
        (TEXT.encode("utf-16-le"), "NOT_JSON", "looks like UTF-16: "),
        (TEXT.encode("utf-16-be"), "NOT_JSON", "looks like UTF-16: "),
        (TEXT.encode("utf-32"), "NOT_UTF8", "UTF-32"),
        (b"\x00\x00\xfe\xff" + TEXT.encode("utf-32-be"), "NOT_UTF8", "UTF-32"),
        (b'{"region": "Z\xfcrich"}', "NOT_UTF8", "JSON in Latin-1 or Windows-1252"),
        (b'[{"region": "Z\xfcrich"}]', "NOT_UTF8", "JSON in Latin-1 or Windows-1252"),
        (b'{"region": "Z\xc3', "NOT_UTF8", "text that is cut off, or in Latin-1"),
        (gzip.compress(BYTES, mtime=0), "NOT_UTF8", "gzip: send plain JSON and leave compression to Kafka"),
        (zlib.compress(BYTES), "NOT_UTF8", "zlib"),
        (zlib.compress(BYTES, 9), "NOT_UTF8", "zlib"),
        (b"\x28\xb5\x2f\xfd\x04", "NOT_UTF8", "zstd"),
        (b"\x04\x22\x4d\x18\x60\x40\x82", "NOT_UTF8", "LZ4"),
        (b"\x82SNAPPY\x00", "NOT_UTF8", "Snappy"),
        (b"\xff\x06\x00\x00sNaPpY", "NOT_UTF8", "Snappy"),
        (b"Obj\x01\x04\x14avro.codec", "NOT_JSON", "Avro container file"),
        (b"\xc3\x01" + bytes(8), "NOT_UTF8", "Avro (single-object encoding)"),
        (b"\x83\xa8meter_id\xa1A", "NOT_UTF8", "a MessagePack map"),
        (b"\xde\x00\x10\xa8meter_id\xa1A", "NOT_UTF8", "a MessagePack map"),
        (b"\xa3\x68meter_id\x61A", "NOT_UTF8", "a CBOR map"),
        (b"\xbf\x68meter_id\x61A", "NOT_UTF8", "a CBOR map"),
        (b"\x15\x00\x00\x00\x02meter_id\x00\x02\x00\x00\x00A\x00\x00", "NOT_JSON", "BSON"),
        (b"\x0a\x07METER_1\x10\x80\xfc\xe7\xb1\xcc\x31\x19" + bytes(8), "NOT_UTF8", "Protobuf"),
        (b"\x0a\x07METER_1\x15" + bytes(4), "NOT_JSON", "Protobuf"),
        (b"\x0a\x07METER_1\x15" + bytes(3), "NOT_JSON", "binary data (first bytes 0a074d455445525f)"),
        (b"\xff\x00", "NOT_UTF8", "binary data (first bytes ff00)"),
        (b"METER_1,2024-01-01T10:00:00Z,2.5", "NOT_JSON", "a line of CSV"),
        (b"1;2024-01-01T10:00:00Z;2,5\n", "NOT_JSON", "a line of CSV"),
        (b"PAR1\t2024-01-01T10:00:00Z\t2.5", "NOT_JSON", "a line of CSV"),
        (b"<?xml version='1.0'?><reading/>", "NOT_JSON", "XML"),
        (b"<!DOCTYPE html><html>", "NOT_JSON", "an HTML page"),
        (b"meter_id: A\ntimestamp: 2024-01-01T10:00:00Z", "NOT_JSON", "YAML"),
        (b"meter,id=A kwh=2.5 1704103200000000000", "NOT_JSON", "InfluxDB line protocol"),
        (b"meter_id=A&consumption_kwh=2.5", "NOT_JSON", "a URL-encoded form"),
        (b"eyJtZXRlcl9pZCI6ICJBIn0=", "NOT_JSON", "JSON in base64"),
        (b"2024-01-01T10:00:00Z", "NOT_JSON", "a tick without its header gridwatch-tick"),
        (f"b'{TEXT}'".encode(), "NOT_JSON", "printed Python bytes"),
        (f"'{TEXT}'".encode(), "NOT_JSON", "JSON in single quotes"),
        (b"None", "NOT_JSON", "is no JSON value"),
        (b"hello", "NOT_JSON", "is no JSON object"),
        (BYTES + b"\n" + BYTES, "NOT_JSON", "several JSON values one after another (NDJSON?)"),
        (BYTES + b", " + BYTES, "NOT_JSON", "several JSON values one after another (NDJSON?)"),
        (BYTES + b"\x00", "NOT_JSON", "a NUL after the JSON"),
        (BYTES + b";", "NOT_JSON", "something follows the JSON"),
        (BYTES[:-1], "NOT_JSON", "ends too early"),
        (BYTES[:20], "NOT_JSON", "ends too early"),
        (str(GOOD).encode(), "NOT_JSON", "a printed Python dict"),
        (b'{"meter_id": None}', "NOT_JSON", "a printed Python dict"),
        (b'{"consumption_kwh": nan}', "NOT_JSON", "not a number in JSON"),
        (b"{meter_id=A, consumption_kwh=2.5}", "NOT_JSON", "a Java map"),
        (b'{meter_id: "A"}', "NOT_JSON", "names without quotes"),
        ("{\u201cmeter_id\u201d: 1}".encode(), "NOT_JSON", "typographic quotes"),
        (b'{"meter_id": "A", // the meter\n}', "NOT_JSON", "no comments"),
        (b'{"consumption_kwh": 2,5}', "NOT_JSON", "a decimal comma"),
        (b'{"meter_id": 00123}', "NOT_JSON", "zeros in front"),
        (b'{"meter_id": "A",}', "NOT_JSON", "a comma before the closing bracket"),
        (b"[{},]", "NOT_JSON", "a comma before the closing bracket"),
        (json.dumps(TEXT).encode(), "NOT_AN_OBJECT", "not text; a text that holds JSON, encoded twice"),
        (b'"eyJtZXRlcl9pZCI6ICJBIn0="', "NOT_AN_OBJECT", "JSON in base64"),
        (b'[["A", "2024-01-01T10:00:00Z", 2.5]]', "NOT_AN_OBJECT", "not an array; a row without names?"),
        (b"[]", "NOT_AN_OBJECT", "not an empty array"),
        (b"null", "NOT_AN_OBJECT", "not null"),
        (b"true", "NOT_AN_OBJECT", "not true"),
        (b"NaN", "NOT_AN_OBJECT", "not a number"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_decoded_is_recognised_by_what_it_looks_like(
    value: bytes | None, reason: str, guess: str
) -> None:
    found = letter(value)
    assert found.reasons == (reason,)
    assert guess in found.message


@pytest.mark.parametrize(
    ("stamp", "guess"),
    [
        (1704103200, "must be text; looks like epoch seconds (= 2024-01-01T10:00:00Z): send RFC 3339 text"),
        (1704103200.5, "epoch seconds (= 2024-01-01T10:00:00.5Z)"),
        (1704103200123, "epoch milliseconds (= 2024-01-01T10:00:00.123Z)"),
        (1704103200000001, "epoch microseconds (= 2024-01-01T10:00:00.000001Z)"),
        (1704103200000000001, "epoch nanoseconds (= 2024-01-01T10:00:00Z)"),
        ("1704103200", "epoch seconds (= 2024-01-01T10:00:00Z)"),
        ("1704103200.25", "epoch seconds (= 2024-01-01T10:00:00.25Z)"),
        ("1704103200123", "epoch milliseconds (= 2024-01-01T10:00:00.123Z)"),
        (45292.5, "a day number of a spreadsheet (= 2024-01-01T12:00:00Z"),
        ("31.01.2024 10:00", "the day first"),
        ("01/31/2024", "the month first"),
        ("1/2/2024 10:00 AM", "the day first or month first"),
        ("01-02-24", "the year in two digits"),
        ("", "is empty"),
        ("/Date(1704103200000)/", "old .NET JSON"),
        ("2024-01-01T10:00:00Z\n", "spaces or line breaks around it"),
        ("20240101T100000Z", "no - and : in it"),
        ("20240101100000", "no - and : in it"),
        ("2024-01-01", "a date without a time of day"),
        ("2024/01/01 10:00", "other separators than -"),
        ("2024-1-1T10:00:00Z", "one digit for two"),
        ("Mon, 01 Jan 2024 10:00:00 GMT", "e-mail or HTTP"),
        ("Mon Jan  1 10:00:00 2024", "printed by C or Java"),
        ("Mon Jan 01 10:00:00 CET 2024", "printed by C or Java"),
        ("2024-01-01 10:00:00 PM", "a clock of 12 hours"),
        ("2024-01-01T10:00:00+01:00[Europe/Berlin]", "names its zone, as Java's"),
        ("2024-01-01 10:00:00 CET", "names its zone: an offset or Z is read"),
        ("2024-01-01T24:00:00Z", "the hour 24"),
        ("2024-01-01T10:00:60Z", "a leap second"),
        ("2024-01-01T10:00:00,5Z", "a comma before the fraction"),
        ([2024, 1, 1, 10, 0], "a Java date as Jackson writes it"),
        ({"$date": "2024-01-01T10:00:00Z"}, "a time of MongoDB's extended JSON"),
        ({"seconds": 1704103200, "nanos": 0}, "a time of Protobuf"),
    ],
)  # fmt: skip
def test_a_stamp_that_cannot_be_parsed_is_recognised_by_what_it_looks_like(stamp: Any, guess: str) -> None:
    found = letter(with_(timestamp=stamp))
    assert found.reasons == ("BAD_TIMESTAMP",)
    assert guess in found.message
    assert found.message.count("; ") == 1


@pytest.mark.parametrize(
    "stamp",
    [True, [], ["a", "b", "c"], {}, 7, -1704103200, 10**13, 10**40, math.inf, math.nan, "soon", "2024"],
)
def test_a_stamp_of_no_known_form_is_left_to_the_parser(stamp: Any) -> None:
    assert of_stamp(stamp) == ""


@pytest.mark.parametrize(
    ("unit", "edges"),
    [("seconds", 1), ("milliseconds", 1_000), ("microseconds", 10**6), ("nanoseconds", 10**9)],
)
def test_a_number_is_called_an_epoch_only_within_this_century(unit: str, edges: int) -> None:
    first, end = 946_684_800 * edges, 4_102_444_800 * edges
    assert f"epoch {unit} (= 2000-01-01T00:00:00Z)" in of_stamp(first)
    assert f"epoch {unit} (= 2099-12-31T23:59:59" in of_stamp(end - 1)
    assert "epoch" not in of_stamp(first - 1)
    assert "epoch" not in of_stamp(end)


@pytest.mark.parametrize(
    ("name", "value", "guess"),
    [
        ("consumption_kwh", "2.5", "must be a number, not text; send the number without quotes"),
        ("consumption_kwh", " -.5e3", "not text; send the number without quotes"),
        ("consumption_kwh", "2,5", "not text; a decimal comma? Send"),
        ("consumption_kwh", "1,234", "not text; a decimal comma, or digits in groups?"),
        ("consumption_kwh", "1.234,5", "not text; digits in groups?"),
        ("consumption_kwh", "1 234 567", "not text; digits in groups?"),
        ("consumption_kwh", "2.5 kWh", "not text; a number with its unit?"),
        ("consumption_kwh", "", "not text; it stands for no value: leave out the reading"),
        ("voltage", "N/A", "not text; it stands for no value: leave out the field"),
        ("consumption_kwh", {"value": 2.5}, "not an object; send the number itself"),
        ("consumption_kwh", math.nan, "is not finite; is NaN, which is not JSON: leave out the reading"),
        ("current", math.inf, "is not finite; is beyond any number: leave out the field"),
        ("consumption_kwh", 12345.5, "is allowed; watt-hours, or the meter's register?"),
        ("meter_id", 17, "control characters; is a number: send it in quotes"),
        ("region", 9, "must be text; is a number: send it in quotes"),
        ("consumption_kwh", None, "is missing; it is null"),
    ],
)
def test_a_field_at_fault_comes_with_what_to_send_in_its_place(name: str, value: Any, guess: str) -> None:
    assert guess in letter(with_(**{name: value})).message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("consumption_kwh", "a lot", "consumption_kwh must be a number, not text"),
        ("consumption_kwh", True, "consumption_kwh must be a number, not true"),
        ("consumption_kwh", [1], "consumption_kwh must be a number, not an array"),
        ("consumption_kwh", {}, "consumption_kwh must be a number, not an object"),
        ("consumption_kwh", -0.5, "consumption_kwh is negative: -0.5"),
        ("region", True, "region must be text"),
        ("flags", "E", "flags must be a list of texts"),
        ("timestamp", "2024-02-30T00:00:00Z", "timestamp day is out of range for month"),
    ],
)
def test_without_a_guess_the_message_is_the_finding_alone(name: str, value: Any, message: str) -> None:
    assert letter(with_(**{name: value})).message == message


@pytest.mark.parametrize("good", ["meter_id", "timestamp", "consumption_kwh"])
@pytest.mark.parametrize(
    "others",
    [
        {"meter_id": "meterId", "timestamp": "ts", "consumption_kwh": "kwh"},
        {"meter_id": "METER-ID", "timestamp": "@timestamp", "consumption_kwh": "Energy kWh"},
        {"meter_id": "id", "timestamp": "time", "consumption_kwh": "value"},
        {"meter_id": "deviceId", "timestamp": "DateTime", "consumption_kwh": "kwh"},
    ],
)
def test_another_name_is_pointed_out_and_never_read(good: str, others: dict[str, str]) -> None:
    value = {(name if name == good else others[name]): GOOD[name] for name in GOOD}
    found = letter(json.dumps(value).encode())
    assert found.reasons == ("MISSING_FIELD",)
    for name, other in others.items():
        asked = f"{name} is missing; did you mean `{other}`? Only {name} is read"
        assert (asked in found.message) == (name != good)


def test_of_several_other_names_the_likeliest_is_pointed_out() -> None:
    found = letter(b'{"id": 7, "value": 1, "kwh": null, "usage": 2, "meterId": "A", "date": "x", "ts": 1}')
    assert [part.split("`")[1] for part in found.message.split("; ") if "`" in part] == [
        "meterId",
        "ts",
        "usage",
    ]


def test_a_name_that_is_not_plain_is_not_quoted() -> None:
    assert of_field("consumption_kwh", {"kwh\x00": 1, "kwh" + "_" * 50: 2, "\u212awh": 3}) == ""
    assert "inside a field:" in of_envelope({"a\ud800": GOOD})


@pytest.mark.parametrize(
    ("value", "guess"),
    [
        ({"schema": {}, "payload": GOOD}, "Kafka Connect JSON with its schema"),
        ({"before": None, "after": GOOD, "op": "c", "ts_ms": 1}, "a Debezium change event"),
        ({"specversion": "1.0", "id": "x", "time": "y", "data": GOOD}, "a CloudEvent in structured mode"),
        ({"payload": {"kwh": 1}}, "inside `payload`"),
        ({"Message": TEXT}, "inside `Message`"),
        ({"readings": [GOOD]}, "inside `readings`"),
        ({"anything": GOOD}, "inside `anything`"),
        ({"meter_id": "A", "values": [{"timestamp": 1, "consumption_kwh": 2}]}, "inside `values`"),
    ],
)
def test_an_envelope_is_named_once_and_nothing_in_it_is_read(value: dict[str, Any], guess: str) -> None:
    found = letter(json.dumps(value).encode())
    assert found.reasons == ("MISSING_FIELD",)
    assert found.message.count(guess) == 1
    assert "did you mean" not in found.message


@pytest.mark.parametrize(
    "value",
    [
        {"meter_id": "A", "timestamp": "x", "payload": {"kwh": 1}},
        {"message": "hello"},
        {"payload": []},
        {"payload": 7},
        {"other": {"kwh": 1}},
    ],
)
def test_what_holds_no_reading_is_no_envelope(value: dict[str, Any]) -> None:
    assert of_envelope(value) == ""


def test_a_reading_with_the_fields_of_an_envelope_is_a_reading() -> None:
    log = Log(decode=None)
    log.raw(with_(payload=GOOD, schema={}, op="c", after={}, specversion="1.0", kwh=7, value="8"))
    assert [one.reading.consumption_kwh for one in log.of(Validated)] == [1]


def test_one_guess_for_several_fields_is_made_once() -> None:
    assert letter(with_(voltage="230", current="1")).message == (
        "voltage must be a number, not text; send the number without quotes; "
        "current must be a number, not text"
    )


def test_a_reading_in_the_wrong_partition_comes_with_the_partitioner() -> None:
    found = check(GOOD, 5, LATER, Policy(partitions=6))
    assert isinstance(found, Refusal)
    assert found.reasons == ("WRONG_PARTITION",)
    assert "murmur2" in found.message


# -- whatever comes ---------------------------------------------------------------------------------------

any_text = st.text(st.characters(codec=None), max_size=30)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**299), 10**299) | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
starts = st.sampled_from(
    [b"", b"\x00\x00\x00\x00\x07", b"\xef\xbb\xbf", b"\xff\xfe", b"\x83", b"\xde", b"\xa1", b"\xbf", b"\x0a",
     b"{", b"'", b"\x03\x00", b"[", b"<", b"eyJ", b'"', b"\x1f\x8b", b"1,", b"\x08", b'{"meter_id": ']
)  # fmt: skip
names = st.sampled_from(
    [
        *OpenedReading.__dataclass_fields__,
        "kwh",
        "payload",
        "schema",
        "op",
        "after",
        "specversion",
        "id",
        "ts",
    ]
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good record, or two, with some of its bytes changed, lost or doubled."""
    value = bytearray(
        draw(st.sampled_from([BYTES, b"[" + BYTES + b"]", BYTES * 2, TEXT.encode("utf-16-le")]))
    )
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(value)))
        value[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4) | starts)
    return bytes(value)


def messages(value: bytes) -> list[str]:
    """The messages of all refusals of one record."""
    opened = open_record(value, POLICY)
    if isinstance(opened, Refusal):
        return [opened.message]
    elements = opened if isinstance(opened, list) else [opened]
    results = [check(element, 0, LATER, POLICY) for element in elements]
    return [one.message for one in results if isinstance(one, Refusal)]


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.builds(bytes.__add__, starts, st.binary(max_size=40)), spoiled()))
@example(b"[" * 100_000)
@example(b"\x0a" * 600)
@example(b"\xff" * 600)
@example(b"\x08\x80" * 300)
@example(b'{"a": ' + b"9" * 5000 + b"x")
def test_no_bytes_make_a_guess_fail_or_a_message_that_cannot_be_stored(value: bytes) -> None:
    found = messages(value)
    for message in found:
        assert "\x00" not in message
        message.encode()
        assert len(message) < 1000
    assert messages(value) == found
    log = Log(decode=None)
    log.raw(value)
    encode_outputs(log.of(DeadLetter))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | spoiled(), anything)
def test_a_guess_is_short_and_ascii(value: bytes, content: Any) -> None:
    for guess in (of_bytes(value), of_nothing(value), of_content(content), of_stamp(content)):
        assert len(guess) <= MAX_GUESS
        assert guess.isascii()


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(names | any_text, anything, max_size=12),
    st.permutations(list(OpenedReading.__dataclass_fields__)),
)
def test_all_guesses_at_one_object_are_bounded_together(fields: dict[str, Any], order: list[str]) -> None:
    found = [(REASONS.index("NOT_A_NUMBER"), name, f"{name} is wrong") for name in order]
    message = explained(found, fields)
    plain = "; ".join(text for _, _, text in found)
    assert len(message) <= len(plain) + MAX_GUESS
    assert message.isascii()
    assert [part for part in message.split("; ") if part.endswith(" is wrong")] == plain.split("; ")
    result = check(fields, 0, LATER, POLICY)
    assert not isinstance(result, Refusal) or result.reasons


@given(
    st.integers(0, LATEST), st.sampled_from(["{}", "{}Z", "{}z", "{}+01:00", "{}-0230", "{}.25Z", "{}+02"])
)
def test_nothing_is_guessed_at_a_stamp_of_the_right_form(instant: int, form: str) -> None:
    text = format_instant(instant)[:19]
    assert of_stamp(form.format(text)) == ""
    assert of_stamp(form.format(text.replace("T", " "))) == ""
