"""What is accepted over HTTP is never dead-lettered for its form, and what is rejected would have been."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from gridwatch.codecs.decode import decode_readings, decode_telemetry
from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import DeadLetter
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.ingest.elements import DUPLICATE_KEY, elements_of
from gridwatch.ingest.intake import MOST_LEVELS, TELEMETRY, Batch, Intake, Profile

NOW = 1_767_225_600_000_000
POLICY = Policy(partitions=3, max_record_bytes=2000)


def admitted(content: Any, profile: Profile = "contract") -> Batch:
    return Intake(POLICY).admit(elements_of(json.dumps(content).encode(), lines=False), NOW, profile)


def rejected(content: Any, profile: Profile = "contract") -> tuple[str, ...]:
    """The reasons of a batch of one, which is rejected."""
    batch = admitted([content], profile)
    assert batch.accepted == 0 and not batch.rows
    return batch.rejected[0].refusal.reasons


def dead_letters(partition: int, value: bytes) -> list[DeadLetter]:
    """What the worker makes of a record, of dead letters."""
    processor = Processor(
        POLICY, PartitionState(partition), {}, decode=decode_readings, decode_other=decode_telemetry
    )
    outcome = processor.process([LogRecord(0, NOW + 1000, value)])
    return [one for one in outcome.outputs if isinstance(one, DeadLetter)]


READING = {"meter_id": "METER_1", "timestamp": "2025-12-31T23:50:00Z", "consumption_kwh": 0.5}
VALUES: dict[str, list[Any]] = {
    "meter_id": ["METER_1", "ü", "", "x" * 129, "a\n", "\0", 7, None, "METER_2"],
    "timestamp": [
        "2025-12-31T23:50:00Z",
        "2025-12-31T23:50:00",
        "2026-01-02T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "x",
        "",
        1767225600,
        None,
        "2025-12-31T24:00:00Z",
        "2025-12-31T23:50:00+14:00",
    ],
    "consumption_kwh": [0.5, 0, -0.0, -1, 1e9, "0.5", None, True, 10**400],
    "energy_kwh": [0.5, -1, "x", None],
    "energy_register_kwh": [1234.5, -1, 1e300, None],
    "total_energy_kwh": [1234.5, None],
    "power_kw": [1.5, -1.5, None, "1"],
    "voltage": [230.1, None, "230", -1],
    "current": [1.0, None],
    "interval_minutes": [30, 0, 0.5, 1e6, None, "30"],
    "interval_seconds": [10, 0.5, None],
    "interval": ["1d", "PT15M", "x", 5, None],
    "timezone": ["Europe/Berlin", "Mars", None],
    "region": ["R1", None, 7, "\ud800", "\0"],
    "flags": [["A"], [], ["OFF_GRID"], "A", [1], ["x" * 65], None],
    "sent_at": ["2026-01-01T00:00:00Z", 3, None],
    "ingested_at": ["2001-01-01T00:00:00Z", 3],
    "more": [{"deep": [1, {"a": "}"}]}, "x:y", '":', "z" * 1900, "\ud800", 10**400],
}
READINGS = some.dictionaries(some.sampled_from(sorted(VALUES)), some.integers(0, 9), max_size=8).map(
    lambda chosen: {**READING, **{name: VALUES[name][at % len(VALUES[name])] for name, at in chosen.items()}}
)


@settings(max_examples=500)
@given(some.lists(READINGS | some.sampled_from([3, "x", [], [READING], None, {}]), min_size=1, max_size=4))
def test_the_worker_reads_what_is_accepted_and_would_refuse_what_is_not(batch: list[Any]) -> None:
    outcome = admitted(batch)
    assert outcome.accepted == sum(map(len, outcome.rows.values())) == len(batch) - len(outcome.rejected)
    for partition, rows in outcome.rows.items():
        for key, value in rows:
            content = json.loads(value)
            assert partition_of(content["meter_id"], 3) == partition and key == content["meter_id"].encode()
            assert content["ingested_at"] == format_instant(NOW)
            assert len(value) <= POLICY.max_record_bytes
            assert dead_letters(partition, value) == []
    for one in outcome.rejected:
        if isinstance(batch[one.index], list):  # a record of its own for the worker, but no reading
            assert one.refusal.reasons == ("NOT_AN_OBJECT",)
            continue
        element = json.dumps(batch[one.index]).encode()
        letters = [letter for part in range(3) for letter in dead_letters(part, element)]
        too_large = len(element) > 1900
        expected = {reason for letter in letters for reason in letter.reasons} - {"WRONG_PARTITION"}
        assert too_large or (expected and set(one.refusal.reasons) <= expected)


def test_records_keep_every_member_and_have_the_time_of_their_arrival() -> None:
    rows = admitted([{**READING, "more": {"a": [1]}, "ingested_at": "yesterday"}]).rows
    ((key, value),) = next(iter(rows.values()))
    assert key == b"METER_1"
    assert json.loads(value) == {**READING, "more": {"a": [1]}, "ingested_at": format_instant(NOW)}
    assert value.count(b"ingested_at") == 1


def test_order_is_kept_within_a_partition() -> None:
    batch = [{**READING, "consumption_kwh": at / 10} for at in range(20)]
    ((partition, rows),) = admitted(batch).rows.items()
    assert partition == partition_of("METER_1", 3)
    assert [json.loads(value)["consumption_kwh"] for _, value in rows] == [at / 10 for at in range(20)]


def test_rejected_ones_are_named_by_their_place_and_neighbours_are_kept() -> None:
    batch = [READING, {**READING, "meter_id": ""}, READING, {**READING, "consumption_kwh": "1"}, READING]
    outcome = admitted(batch)
    assert outcome.accepted == 3
    assert [(one.index, one.refusal.reasons) for one in outcome.rejected] == [
        (1, ("BAD_METER_ID",)),
        (3, ("NOT_A_NUMBER",)),
    ]


def test_a_member_that_is_there_twice_is_rejected() -> None:
    body = b'[{"meter_id":"A","timestamp":"2025-12-31T23:50:00Z","consumption_kwh":1,"consumption_kwh":2}]'
    outcome = Intake(POLICY).admit(elements_of(body, lines=False), NOW)
    assert outcome.rejected[0].refusal.reasons == (DUPLICATE_KEY,)
    assert outcome.rejected[0].refusal.field == "consumption_kwh"


def test_the_telemetry_profile_requires_what_a_unit_measures() -> None:
    whole = {"meter_id": "A", "timestamp": READING["timestamp"], "voltage": 230.1, "current": 1.0}
    whole |= {"power_kw": 0.2, "energy_kwh": 0.1}
    assert admitted([whole], "telemetry").accepted == 1
    for name in TELEMETRY:
        short = {key: value for key, value in whole.items() if key != name}
        outcome = admitted([short, {**whole, name: None}], "telemetry")
        assert [one.refusal.reasons[0] for one in outcome.rejected] == ["MISSING_FIELD"] * 2
        assert name in outcome.rejected[0].refusal.message
    assert rejected({"meter_id": "A"}, "telemetry") == ("MISSING_FIELD",)
    assert set(rejected({**whole, "current": None, "timestamp": "x"}, "telemetry")) == {
        "MISSING_FIELD",
        "BAD_TIMESTAMP",
    }


def test_text_for_numbers_and_nesting_without_end_are_rejected() -> None:
    assert rejected({**READING, "voltage": "230"}) == ("NOT_A_NUMBER",)
    for levels, accepted in ((MOST_LEVELS - 1, 1), (MOST_LEVELS, 0), (900, 0)):
        nested = "[" * levels + '"{\\"[["' + "]" * levels
        reading = json.dumps({**READING, "text": "[{" * 99})[:-1] + f',"more":{nested}}}'
        outcome = Intake(POLICY).admit(elements_of(f"[{reading}]".encode(), lines=False), NOW)
        assert outcome.accepted == accepted, levels
