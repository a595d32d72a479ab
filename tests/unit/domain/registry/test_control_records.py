"""Control records: versions, order, the beginning of a partition, and what is wrong with bad ones."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.domain.outputs import DeadLetter
from gridwatch.domain.partition.ticks import idle_instant
from gridwatch.domain.policy import HOUR, SECOND, Policy
from tests.unit.domain.log import LATER, Log, at, reading, reasons, stamp

METER = {"meter_id": "A", "version": 1, "status": "active"}
REGION = {"region": "R", "version": 1, "capacity_kw": 500}
OUTAGE = {
    "outage_id": "O",
    "version": 1,
    "scope": "feeder",
    "target": "F",
    "from": stamp("01:00:00"),
    "until": stamp("02:00:00"),
}
GOOD = {"registry": METER, "region": REGION, "outage": OUTAGE}


@pytest.mark.parametrize("kind", GOOD)
def test_they_set_the_first_watermark_and_never_raise_it(kind: str) -> None:
    log = Log()
    log.say(kind, **GOOD[kind], as_of=stamp("08:00:00"))
    assert log.partition.watermark == at("08:00:00")
    log.say(kind, **{**GOOD[kind], "version": 2}, as_of=stamp("09:00:00"))
    assert log.partition.watermark == at("08:00:00")
    log.read(reading("A", "08:30:00"))
    watermark = log.partition.watermark
    log.say(kind, **{**GOOD[kind], "version": 3}, as_of=stamp("11:00:00"))
    assert log.partition.watermark == watermark


def test_without_as_of_a_partition_begins_at_the_timestamp_of_the_record() -> None:
    log = Log()
    log.say("registry", **METER)
    assert log.partition.watermark == LATER


def test_time_passes_from_there_and_control_records_do_not_count_as_activity() -> None:
    log, now = Log(), at("09:00:00")

    def tick_at(time: int) -> int | None:
        return idle_instant(
            log.partition, time, caught_up=True, idle_timeout=30 * SECOND, idle_delay=60 * SECOND
        )

    log.say("registry", record_time=now, **METER, as_of=stamp("08:00:00"))
    assert tick_at(now + 29 * SECOND) is None
    assert tick_at(now + 600 * SECOND) == at("08:00:00") + 600 * SECOND
    log.say("registry", record_time=now + 500 * SECOND, **{**METER, "version": 2})
    assert tick_at(now + 600 * SECOND) == at("08:00:00") + 600 * SECOND


def test_only_a_newer_version_changes_anything() -> None:
    log = Log()
    log.register("A", version=5, region="north")
    before = {name: repr(state) for name, state in log.meters.items()}
    for version in (5, 4, 1):
        log.register("A", "removed", version, region="south")
    log.read(reading("A", "00:00:00"))
    assert log.meters["A"].region == "north"
    assert set(before) < set(log.meters)


def test_a_newer_record_takes_the_place_of_those_that_would_begin_later() -> None:
    log = Log()
    log.register("A", region="one")
    log.register("A", version=2, region="two", valid_from=stamp("05:00:00"))
    log.register("A", version=3, region="three", valid_from=stamp("03:00:00"))
    log.read(*(reading("A", f"{hour:02}:00:00", interval_minutes=60) for hour in range(7)))
    assert [one.reading.region for one in log.outputs if hasattr(one, "reading")] == (
        ["one"] * 3 + ["three"] * 4
    )


def test_an_outage_that_was_cancelled_before_it_was_said_does_not_come_back() -> None:
    log = Log()
    log.say("outage", **{**OUTAGE, "version": 2}, cancelled=True, as_of=stamp("00:00:00"))
    log.register("A", feeder="F")
    log.say("outage", **OUTAGE)
    log.read(reading("A", "00:30:00"))
    log.tick("02:00:00")
    assert [gap.reason for gap in log.gaps.values()] != ["PLANNED"]


def test_pending_entries_survive_a_restart() -> None:
    log = Log()
    log.register("A", interval="1h")
    log.register("A", "removed", 2, valid_from=stamp("03:00:00"))
    log.restart()
    log.read(*(reading("A", f"0{hour}:00:00") for hour in range(2)))
    log.restart()
    log.tick("02:30:00")
    assert [gap.state for gap in log.gaps.values()] == ["OPEN"]
    log.restart()
    log.tick("03:00:00")
    assert [(gap.state, gap.reason) for gap in log.gaps.values()] == [("RETRACTED", "REMOVED")]


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("registry", {"meter_id": None}, "MISSING_FIELD", "meter_id is missing"),
    ("registry", {"meter_id": 7}, "BAD_METER_ID", "meter_id must be text"),
    ("registry", {"version": None}, "MISSING_FIELD", "version is missing"),
    ("registry", {"version": 1.5}, "BAD_VALUE", "version must be a whole number"),
    ("registry", {"status": "lost"}, "UNKNOWN_STATUS", "status must be one of planned, installed"),
    ("registry", {"timezone": "Europe/Berln"}, "UNKNOWN_ZONE", "timezone is no known time zone"),
    ("registry", {"interval": "soon"}, "BAD_INTERVAL", "interval is no interval"),
    ("registry", {"interval": "0.5s"}, "BAD_INTERVAL", "interval is no interval"),
    ("registry", {"interval": "33d"}, "BAD_INTERVAL", "interval is no interval"),
    ("registry", {"interval": 900}, "BAD_INTERVAL", "must be text"),
    ("registry", {"grace": "0s"}, "BAD_VALUE", "grace must be above 0"),
    ("registry", {"anchor": "middle"}, "BAD_VALUE", "anchor must be one of start, end"),
    ("registry", {"max_kw": 0}, "BAD_VALUE", "max_kw must be a number above 0"),
    ("registry", {"register_digits": 2}, "BAD_VALUE", "register_digits must be a whole number"),
    ("registry", {"region": ""}, "BAD_VALUE", "region must be text"),
    ("registry", {"valid_from": "yesterday"}, "BAD_TIMESTAMP", "valid_from not an RFC 3339 instant"),
    ("registry", {"as_of": "2031-01-01T00:00:00Z"}, "FUTURE_TIMESTAMP", "as_of is"),
    ("registry", {"flow": "other"}, "WRONG_FLOW", "flow is other, these readings are of smartmeter"),
    (
        "registry",
        {"installed_at": stamp("02:00:00"), "removed_at": stamp("01:00:00")},
        "REMOVED_BEFORE_INSTALLED",
        "removed_at is not after installed_at",
    ),
    ("region", {"capacity_kw": None}, "MISSING_FIELD", "capacity_kw is missing"),
    ("region", {"capacity_kw": 0}, "BAD_VALUE", "capacity_kw must be a number above 0"),
    ("region", {"currency": "euro"}, "BAD_VALUE", "currency must be three capital letters"),
    ("region", {"holidays": ["2024-02-30"]}, "BAD_VALUE", "holidays must be a list of dates"),
    ("outage", {"scope": "street"}, "UNKNOWN_SCOPE", "scope must be one of meter, transformer"),
    ("outage", {"until": stamp("01:00:00")}, "BAD_VALUE", "until is not after from"),
    ("outage", {"cancelled": "no"}, "BAD_VALUE", "cancelled must be true or false"),
]


@pytest.mark.parametrize(("kind", "change", "reason", "message"), BAD)
def test_a_bad_one_is_a_dead_letter_and_changes_nothing(
    kind: str, change: dict[str, Any], reason: str, message: str
) -> None:
    log = Log()
    came = log.say(kind, **{**GOOD[kind], **change})
    assert reasons(came) == [(reason,)]
    assert message in next(one for one in came if isinstance(one, DeadLetter)).message
    assert log.partition.watermark is None
    assert not log.meters
    log.say(kind, **GOOD[kind], as_of=stamp("00:00:00"))
    assert log.meters


def test_every_reason_is_found() -> None:
    log = Log()
    [found] = reasons(log.say("registry", meter_id="A", version=0, status="?", flow="x", interval="x"))
    assert found == ("BAD_INTERVAL", "UNKNOWN_STATUS", "BAD_VALUE", "WRONG_FLOW")


def test_what_cannot_be_read_at_all_is_a_dead_letter_too() -> None:
    log = Log(Policy(partitions=6))
    assert reasons(log.say("registry", written_as=b"2", **METER)) == [("NEWER_VERSION",)]
    assert reasons(log.say("registry", **{**METER, "meter_id": "no meter of this partition"})) == [
        ("WRONG_PARTITION",)
    ]
    assert not log.meters
    assert not log.partition.windows, "it is no reading, and not counted as one"


def test_the_watermark_may_begin_in_the_past() -> None:
    log = Log()
    log.register("A", as_of=stamp("00:00:00"))
    log.read(reading("A", "08:00:00"))
    assert log.partition.watermark == at("08:00:00") - 10 * SECOND
    assert log.meters["A"].last_seen == at("00:00:00") + 8 * HOUR
