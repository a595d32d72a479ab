"""What follows from the registry: intervals, grace, status, regions; meters never heard; planned outages."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.domain.outputs import GapAlert, Output, Validated
from gridwatch.domain.policy import HOUR, Policy
from tests.unit.domain.log import Log, alerts, at, reading, stamp, statuses


def told(outputs: list[Output]) -> list[tuple[str, str, int, str]]:
    """State, first slot, missing slots and reason of the alerts among ``outputs``."""
    return [
        (one.state, one.gap_id.partition("@")[2], one.missing_intervals, one.reason)
        for one in outputs
        if isinstance(one, GapAlert)
    ]


def heard(log: Log, meter: str, *clocks: str, **more: Any) -> list[Output]:
    return log.read(*(reading(meter, clock, **more) for clock in clocks))


# -- never heard


def test_a_registered_meter_that_never_speaks_is_one_gap_that_does_not_grow() -> None:
    log = Log()
    log.register("A")
    assert not alerts(log.tick("23:59:59.999999"))
    first = "2024-01-01T00:00:00Z"
    assert told(log.tick("2024-01-02T00:00:00")) == [("OPEN", first, 48, "NEVER_HEARD")]
    log.restart()
    assert not alerts(log.tick("2024-01-12T00:00:00"))
    assert log.partition.open_gaps == 1
    assert told(heard(log, "A", "2024-01-12T00:00:00")) == [("CLOSED", first, 48, "heard for the first time")]
    assert log.partition.open_gaps == 0


def test_it_is_counted_from_the_installation() -> None:
    log = Log()
    log.register("A", installed_at=stamp("06:00:00"))
    assert not alerts(log.tick("2024-01-02T05:59:00"))
    assert alerts(log.tick("2024-01-02T06:00:00")) == [("A@2024-01-01T06:00:00Z", 1, "OPEN")]


def test_a_meter_that_speaks_in_time_was_never_missed() -> None:
    log = Log()
    log.register("A", interval="1h")
    heard(log, "A", "22:00:00", "23:00:00", "2024-01-02T00:00:00", "2024-01-02T01:00:00")
    assert not log.of(GapAlert)


def test_a_meter_of_an_interval_longer_than_the_wait_is_not_missed_before_its_second_slot() -> None:
    log = Log()
    log.register("A", interval="1mo", grace="2d")
    assert not alerts(log.tick("2024-02-02T23:59:00"))
    assert told(log.tick("2024-02-03T00:00:00")) == [("OPEN", "2024-01-01T00:00:00Z", 1, "NEVER_HEARD")]


def test_one_that_is_planned_or_removed_is_not_awaited_and_no_gap_if_it_becomes_so() -> None:
    log = Log()
    log.register("A", "planned")
    log.register("B", "removed")
    log.register("C")
    assert alerts(log.tick("2024-01-02T00:00:00")) == [("C@2024-01-01T00:00:00Z", 1, "OPEN")]
    assert told(log.register("C", "removed", 2)) == [("RETRACTED", "2024-01-01T00:00:00Z", 0, "REMOVED")]
    log.register("A", "installed", 2, as_of=stamp("2024-01-02T00:00:00"))
    assert told(log.tick("2024-01-03T00:00:00")) == [("OPEN", "2024-01-02T00:00:00Z", 48, "NEVER_HEARD")]
    assert told(log.register("A", "planned", 3))[0][::3] == ("RETRACTED", "NOT_INSTALLED")


def test_a_first_reading_in_the_gap_itself_cuts_it_there() -> None:
    log = Log(Policy(partitions=1, allowed_lateness=30 * HOUR))
    log.register("A", interval="1h")
    log.tick("2024-01-02T00:00:00")
    assert told(heard(log, "A", "03:00:00"))[0][::2] == ("CLOSED", 3)
    # What comes after it is expected on the grid of the meter itself.
    assert "A@2024-01-01T04:00:00Z" in log.gaps


def test_one_that_was_heard_before_is_not_never_heard_after_its_state_was_dropped() -> None:
    log = Log()
    log.register("A")
    heard(log, "A", "00:00:00")
    assert [state for _, _, state in alerts(log.tick("2024-01-20T00:00:00"))] == ["EXPIRED"]
    assert "A" not in log.meters
    assert not alerts(log.tick("2024-02-20T00:00:00"))


# -- what the registry gives


def test_a_given_interval_holds_from_its_time_on_and_beats_that_of_readings() -> None:
    log = Log()
    heard(log, "A", "00:00:00", "00:30:00", interval_minutes=30)
    log.register("A", interval="15m", valid_from=stamp("01:00:00"))
    heard(log, "A", "01:00:00", interval_minutes=30)
    log.tick("01:16:00")
    assert not log.of(GapAlert)
    log.tick("01:45:00")
    heard(log, "A", "01:45:00", interval_minutes=30)
    assert [ranges.missing_intervals for ranges in log.gaps.values()] == [2]
    assert {one.interval for one in log.of(Validated)[3:]} == {15 * 60_000_000}


def test_slots_of_the_old_interval_before_that_still_become_missing() -> None:
    log = Log()
    heard(log, "A", "00:00:00", interval_minutes=15)
    log.tick("01:20:00")
    # Said at 01:20, for earlier: it holds from 01:20 on, and the first slot of the new grid is 02:00.
    log.register("A", interval="1h", valid_from=stamp("00:40:00"))
    heard(log, "A", "02:00:00", "03:00:00")
    assert told(log.outputs)[-1] == ("CLOSED", "2024-01-01T00:15:00Z", 7, "readings came again")


def test_missing_slots_of_the_old_interval_are_taken_back_from_there_on() -> None:
    log = Log()
    heard(log, "A", "00:00:00", interval_minutes=15)
    log.register("A", interval="1h", valid_from=stamp("00:40:00"))
    log.tick("02:20:00")  # the interval changed on the way: no slot of 15 min after 00:45
    assert [(gap.interval // 60_000_000, gap.missing_intervals) for gap in log.gaps.values()] == [
        (15, 3),
        (60, 2),
    ]


def test_the_grace_of_the_registry_holds() -> None:
    log = Log()
    log.register("A", grace="2h")
    heard(log, "A", "00:00:00", "00:30:00")
    assert not alerts(log.tick("02:59:59"))
    assert told(log.tick("03:00:00")) == [
        ("OPEN", "2024-01-01T01:00:00Z", 1, "no reading came within the grace of its slot")
    ]
    assert log.of(GapAlert)[-1].grace == 2 * HOUR


def test_a_clean_reading_has_the_region_and_the_grace_too() -> None:
    log = Log()
    log.register("A", region="north", grace="2h")
    heard(log, "A", *(f"{hour:02}:{minute:02}:00" for hour in range(3) for minute in (0, 30)))
    assert log.meters["A"].calm
    assert {one.reading.region for one in log.of(Validated)} == {"north"}
    assert log.meters["A"].due == at("05:00:00")


def test_a_reading_belongs_to_the_region_of_its_time() -> None:
    log = Log()
    log.register("A", region="north")
    heard(log, "A", "00:00:00", "00:30:00", region="elsewhere")
    log.register("A", region="south", version=2, valid_from=stamp("01:15:00"))
    heard(log, "A", "01:00:00", "01:30:00", "02:00:00")
    heard(log, "A", "01:10:00", region="elsewhere")
    regions = [one.reading.region for one in log.of(Validated)]
    assert regions == ["north", "north", "north", "south", "south", "north"]


# -- status


def test_a_removed_meter_takes_its_open_gap_back_and_has_no_other() -> None:
    log = Log()
    log.register("A")
    heard(log, "A", "00:00:00", "00:30:00")
    log.tick("02:00:00")
    came = log.register("A", "removed", 2)
    assert told(came) == [("RETRACTED", "2024-01-01T01:00:00Z", 0, "REMOVED")]
    assert not alerts(log.tick("2024-01-05T00:00:00"))
    assert log.partition.open_gaps == 0
    assert statuses(heard(log, "A", "2024-01-05T00:00:00")) == [("OK", ())]
    assert not alerts(log.tick("2024-01-06T00:00:00"))


def test_one_that_is_installed_again_is_expected_from_then_on() -> None:
    log = Log()
    log.register("A")
    heard(log, "A", "00:00:00", "00:30:00")
    log.register("A", "removed", 2)
    log.tick("04:10:00")
    log.register("A", "active", 3)
    assert told(log.tick("04:45:00")) == [
        ("OPEN", "2024-01-01T04:30:00Z", 1, "no reading came within the grace of its slot")
    ]


def test_slots_of_a_suspension_are_planned_until_one_is_not() -> None:
    log = Log()
    log.register("A")
    heard(log, "A", "00:00:00", "00:30:00")
    log.register("A", "suspended", 2, valid_from=stamp("01:00:00"))
    log.register("A", "active", 3, valid_from=stamp("03:00:00"))
    assert told(log.tick("02:00:00"))[0][2:] == (2, "PLANNED")
    assert told(log.tick("02:50:00"))[0][2:] == (4, "PLANNED")
    assert told(log.tick("03:15:00"))[0][3] == "no reading came within the grace of its slot"


def test_a_gap_that_ends_with_its_suspension_stays_planned() -> None:
    log = Log()
    log.register("A", "suspended")
    heard(log, "A", "00:00:00")
    log.tick("02:00:00")
    log.register("A", "active", 2, valid_from=stamp("02:30:00"))
    assert told(heard(log, "A", "02:30:00"))[-1] == ("CLOSED", "2024-01-01T00:30:00Z", 4, "PLANNED")


# -- planned outages


@pytest.mark.parametrize(
    ("scope", "target"), [("meter", "A"), ("feeder", "F"), ("transformer", "T"), ("region", "R")]
)
def test_slots_of_a_planned_outage_are_planned(scope: str, target: str) -> None:
    log = Log()
    log.register("A", region="R", feeder="F", transformer="T")
    log.register("B")
    heard(log, "A", "00:00:00", "00:30:00")
    heard(log, "B", "00:00:00", "00:30:00")
    span = {"from": stamp("01:00:00"), "until": stamp("02:00:00")}
    log.say("outage", outage_id="O", version=1, scope=scope, target=target, **span)
    log.restart()
    log.tick("01:50:00")
    assert log.gaps["A@2024-01-01T01:00:00Z"].reason == "PLANNED"
    assert log.gaps["B@2024-01-01T01:00:00Z"].reason != "PLANNED"
    assert told(heard(log, "A", "02:00:00")) == [("CLOSED", "2024-01-01T01:00:00Z", 2, "PLANNED")]


def test_an_outage_said_later_does_not_excuse_what_was_missing_before() -> None:
    log = Log()
    heard(log, "A", "00:00:00")
    log.tick("01:00:00")
    span = {"from": stamp("00:00:00"), "until": stamp("05:00:00")}
    log.say("outage", outage_id="O", version=1, scope="meter", target="A", **span)
    log.tick("02:00:00")
    assert log.gaps["A@2024-01-01T00:30:00Z"].reason != "PLANNED"


def test_a_cancelled_outage_ends_where_that_was_said() -> None:
    log = Log()
    heard(log, "A", "00:00:00")
    span = {"from": stamp("00:00:00"), "until": stamp("05:00:00")}
    log.say("outage", outage_id="O", version=1, scope="meter", target="A", **span)
    assert told(log.tick("01:00:00"))[0][3] == "PLANNED"
    log.say("outage", outage_id="O", version=2, scope="meter", target="A", cancelled=True, **span)
    assert told(log.tick("01:10:00")) == []
    assert told(log.tick("02:00:00"))[0][3] != "PLANNED"


def test_readings_up_to_their_stamp_are_excused_by_what_they_cover() -> None:
    log = Log(Policy(partitions=1, anchor="end"))
    heard(log, "A", "00:00:00", "00:30:00")
    span = {"from": stamp("01:00:00"), "until": stamp("02:00:00")}
    log.say("outage", outage_id="O", version=1, scope="meter", target="A", **span)
    heard(log, "A", "01:00:00")
    log.tick("02:20:00")
    assert log.gaps["A@2024-01-01T01:30:00Z"].reason == "PLANNED"
    log.tick("02:50:00")
    assert log.gaps["A@2024-01-01T01:30:00Z"].reason != "PLANNED"


def test_an_outage_is_forgotten_in_the_end() -> None:
    log = Log()
    heard(log, "A", "00:00:00")
    span = {"from": stamp("00:00:00"), "until": stamp("05:00:00")}
    log.say("outage", outage_id="O", version=1, scope="meter", target="A", **span)
    assert "\x04O" in log.meters
    log.restart()
    log.tick("2024-02-10T04:59:59")
    assert "\x04O" in log.meters
    log.tick("2024-02-10T05:00:00")
    assert "\x04O" not in log.meters


# -- energy


def test_the_registry_says_what_energy_is_taken_from_and_how_much_is_possible() -> None:
    log = Log()
    log.register("A", energy_mode="register", max_kw=2.0)
    for clock, kwh, register in (("00:00:00", 9.0, 10.0), ("00:30:00", 9.0, 10.5), ("01:00:00", 9.0, 99.0)):
        log.read(reading("A", clock, kwh, energy_register_kwh=register))
    assert [one.reading.consumption_kwh for one in log.of(Validated)] == [0.0, 0.5, 0.0]
    assert "SUSPECT" in log.of(Validated)[-1].flags
