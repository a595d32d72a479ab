"""A clean reading is worked in a straight line, up to the very limits of what is clean.

It would come out the same the careful way, only several times slower, so what comes out does not tell. What
tells is how often the reading was asked for its interval: once on the straight path.

No rule is added to this path (``test_straight_path_is_closed``). The last tests hold the two ways there are
instead: a meter that is not calm does not take it, and who subscribes to accepted readings sees all of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import Accepted, Output, Validated
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from tests.unit.domain.log import LATER, Log, at, reading


@dataclass
class Asked:
    """A decoded reading that counts how often it is asked for its interval."""

    meter_id: str
    timestamp: str
    consumption_kwh: float
    given: float | None = None
    region: str | None = None
    sent_at: str | None = None
    flags: list[str] | None = None
    voltage: float | None = None
    current: float | None = None
    power_kw: float | None = None
    power_factor: float | None = None
    frequency: float | None = None
    interval_seconds: float | None = None
    count: int = field(default=0, compare=False)

    @property
    def interval_minutes(self) -> float | None:
        self.count += 1
        return self.given


def decode(value: bytes) -> Asked:
    fields = json.loads(value)
    fields["given"] = fields.pop("interval_minutes", None)
    return Asked(**fields)


def is_straight(log: Log, one: dict[str, Any], record_time: int = LATER) -> bool:
    """Whether the reading, which is validated, takes the straight path."""
    came = log.read(one, record_time=record_time)
    (validated,) = [output for output in came if isinstance(output, Validated)]
    asked: Any = validated.reading
    assert isinstance(asked, Asked)
    return asked.count == 1


def after_one(policy: Policy | None = None, **more: Any) -> Log:
    """Meter A was seen at 10:00."""
    log = Log(policy or Policy(partitions=1), decode=decode)
    assert not is_straight(log, reading("A", "10:00:00", **more)), "a first one goes through the stepper"
    return log


@pytest.mark.parametrize("kwh", [0.0, -0.0, 0.5, 1000.0])
def test_whatever_it_says_from_zero_to_the_most_allowed(kwh: float) -> None:
    assert is_straight(after_one(), reading("A", "10:30:00", kwh))


@pytest.mark.parametrize("clock", ["10:29:30", "10:29:59.999999", "10:30:00", "10:30:29.999999"])
def test_half_a_minute_beside_its_slot(clock: str) -> None:
    assert is_straight(after_one(), reading("A", clock))


@pytest.mark.parametrize(
    ("clock", "straight"),
    [("10:00:59.5", True), ("10:00:59.499999", False), ("10:01:15", True), ("10:01:15.000001", False)],
)
def test_up_to_the_tolerance_beside_its_slot(clock: str, straight: bool) -> None:
    log = after_one(Policy(partitions=1, default_interval=MINUTE))
    assert is_straight(log, reading("A", clock)) is straight


@pytest.mark.parametrize("clock", ["10:26:00", "10:29:29.999999", "10:30:30", "10:34:00"])
def test_a_difference_that_may_become_the_interval_goes_through_the_stepper(clock: str) -> None:
    assert not is_straight(after_one(), reading("A", clock))


@pytest.mark.parametrize(("clock", "straight"), [("10:30:00", True), ("10:30:00.000001", False)])
def test_at_the_watermark(clock: str, straight: bool) -> None:
    log = after_one()
    log.tick(clock)
    assert is_straight(log, reading("A", "10:30:00")) is straight


@pytest.mark.parametrize(("clock", "straight"), [("11:00:00", True), ("11:00:00.000001", False)])
def test_as_far_ahead_as_one_meter_may_pull(clock: str, straight: bool) -> None:
    log = after_one(Policy(partitions=1, default_interval=HOUR, max_watermark_jump=HOUR))
    assert is_straight(log, reading("A", clock)) is straight


def test_as_long_after_its_record_as_a_clock_may_be() -> None:
    assert is_straight(after_one(), reading("A", "10:30:00"), record_time=at("10:25:00"))


@pytest.mark.parametrize(
    "more",
    [
        {"interval_minutes": 30},
        {"region": "north"},
        {"sent_at": "2024-01-01T10:30:02Z"},
        {"voltage": 230.1, "current": 4.0, "power_kw": 1.8, "power_factor": 0.98, "frequency": 50.0},
    ],
)
def test_with_the_optional_fields_it_always_has(more: dict[str, Any]) -> None:
    log = after_one(**more)
    assert is_straight(log, reading("A", "10:30:00", **more))
    nothing = {name: 0.0 for name in more if name == "power_kw"}
    assert is_straight(log, reading("A", "11:00:00", 0, **more | nothing))


@pytest.mark.parametrize(
    "more", [{"interval_minutes": 30}, {"interval_minutes": 60}, {"region": "north"}, {"flags": ["E"]}]
)
def test_a_reading_with_anything_unusual_goes_through_the_stepper(more: dict[str, Any]) -> None:
    assert not is_straight(after_one(), reading("A", "10:30:00", **more))


def test_a_meter_is_back_on_it_once_its_gap_has_ended() -> None:
    log = after_one()
    log.tick("10:45:00")
    assert not is_straight(log, reading("A", "11:00:00"))
    assert not is_straight(log, reading("A", "11:30:00")), "the longer difference may be a new interval"
    assert is_straight(log, reading("A", "12:00:00"))


def test_all_of_a_day_takes_it_after_the_first() -> None:
    log = after_one(Policy(partitions=1, max_watermark_jump=DAY))
    for slot in range(1, 28):
        minutes = 600 + 30 * slot
        assert is_straight(log, reading("A", f"{minutes // 60:02}:{minutes % 60:02}:00"))


def test_a_restart_does_not_take_a_meter_off_it() -> None:
    log = after_one()
    log.restart()
    assert is_straight(log, reading("A", "10:30:00"))
    assert log.processor.process([LogRecord(0, LATER, b"")]).outputs == [], "read again after a restart"


@st.composite
def a_clean_log(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Readings of some meters, each of which fills its slots one after the other, in order of time."""
    sent: list[tuple[int, dict[str, Any]]] = []
    for meter in "ABCD"[: draw(st.integers(1, 4))]:
        given = draw(st.sampled_from([None, 15, 30, 60]))
        more: dict[str, Any] = {} if given is None else {"interval_minutes": given}
        if draw(st.booleans()):
            more["region"] = draw(st.sampled_from(["north", "south"]))
        phase = draw(st.integers(0, 59)) * MINUTE
        for slot in range(draw(st.integers(1, 8))):
            time = at("10:00:00") + phase + slot * (given or 30) * MINUTE + draw(st.integers(0, 29)) * SECOND
            kwh = draw(st.sampled_from([0, -0.0, 0.25, 1.5, 1000]))
            sent.append((time, reading(meter, format_instant(time).removesuffix("Z"), kwh, **more)))
    return [one for _, one in sorted(sent, key=lambda each: each[0])]


@settings(max_examples=100, deadline=None)
@given(a_clean_log(), st.data())
def test_a_meter_that_is_not_calm_goes_through_the_stepper_with_the_same_result(
    sent: list[dict[str, Any]], data: st.DataObject
) -> None:
    straight, careful = (Log(Policy(partitions=1), decode=decode) for _ in range(2))
    for one in sent:
        known = straight.meters.get(one["meter_id"])
        assert is_straight(straight, one) is (known is not None)
        cleared = data.draw(st.booleans(), "calm is cleared")
        if cleared and known is not None:
            careful.meters[one["meter_id"]].calm = False
        assert is_straight(careful, one) is (known is not None and not cleared)
        assert careful.meters[one["meter_id"]].calm, "reckoned again with each careful step"
    assert careful.outputs == straight.outputs
    assert METERS.encode_partition(careful.partition, 1) == METERS.encode_partition(straight.partition, 1)
    assert [(meter, METER.encode(state)) for meter, state in sorted(careful.meters.items())] == [
        (meter, METER.encode(state)) for meter, state in sorted(straight.meters.items())
    ]


def subscribed(sent: list[dict[str, Any]]) -> tuple[list[Any], list[Output]]:
    """What somebody sees who subscribed to accepted readings, and the other outputs."""
    log = Log(Policy(partitions=1), decode=decode)
    seen: list[Output] = []
    outcome = Outcome()
    outcome.accepted = Accepted(seen)
    records = [LogRecord(offset, LATER, json.dumps(one).encode()) for offset, one in enumerate(sent)]
    log.processor.process(records, onto=outcome)
    return seen, outcome.outputs


def test_who_subscribes_to_accepted_readings_sees_them_whichever_path_they_took() -> None:
    sent = [
        reading("A", "10:00:00"),
        reading("A", "10:30:00"),
        reading("A", "10:30:00", 2.0),
        reading("A", "11:00:00"),
        reading("A", "11:00:00"),
        reading("A", "11:30:00"),
    ]
    seen, _ = subscribed(sent)
    assert [(one.offset, one.flags, one.reading.count == 1) for one in seen] == [
        (0, ("FIRST",), False),
        (1, (), True),
        (2, ("REVISED",), False),
        (3, (), True),
        (5, (), True),
    ]


@settings(max_examples=100, deadline=None)
@given(a_clean_log(), st.data())
def test_who_subscribes_to_accepted_readings_sees_each_of_them_once_in_log_order(
    sent: list[dict[str, Any]], data: st.DataObject
) -> None:
    fates = st.sampled_from(["sent"] * 6 + ["lost", "twice", "revised", "delayed", "far ahead"])
    log: list[dict[str, Any]] = []
    for one in sent:
        fate = data.draw(fates)
        if fate == "delayed":
            log.insert(data.draw(st.integers(0, len(log))), one)
        elif fate == "far ahead":
            log.append({**one, "timestamp": one["timestamp"].replace("2024", "2025")})
        elif fate != "lost":
            log.append(one)
        if fate in {"twice", "revised"}:
            log.append({**one, "consumption_kwh": one["consumption_kwh"] if fate == "twice" else 7.0})
    careful = Log(Policy(partitions=1), decode=None)
    careful.read(*log)
    seen, others = subscribed(log)
    # All but the reading itself, of which each decoder makes its own kind.
    assert [one[1:] for one in seen] == [one[1:] for one in careful.of(Validated)]
    assert [one.reading.meter_id for one in seen] == [one.reading.meter_id for one in careful.of(Validated)]
    assert not [output for output in others if isinstance(output, Validated)]
    offsets = [one.offset for one in seen]
    assert offsets == sorted(set(offsets))
