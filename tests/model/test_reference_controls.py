"""The slow model on control records and calendars: cases worked out by hand."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.model.logs import Parameters, meter_ids
from tests.model.reference import Reference
from tests.model.rulers import Ruler, midnight, ruler_of
from tests.model.stamps import DAY, HOUR, MINUTE, parse, show
from tests.model.test_reference import METER, PARTITION
from tests.model.wire import Record

BERLIN = "Europe/Berlin"
OTHER = meter_ids(PARTITION, 2)[1]
Step = tuple[str, dict[str, Any]]


def at(text: str) -> int:
    """`10:00` is of the first of January, `03-31 10:00` of another day of 2024, in UTC."""
    day = text if " " in text else f"01-01 {text}"
    return parse(f"2024-{day.replace(' ', 'T')}Z", "UTC")[0]


def reading(text: str, meter: str = METER, **more: Any) -> Step:
    return "reading", {"meter_id": meter, "timestamp": show(at(text)), "consumption_kwh": 1, **more}


def tick(text: str) -> Step:
    return "tick", {"at": text}


def entry(version: int, status: str = "active", **more: Any) -> Step:
    more = {name: show(at(value)) if name in INSTANTS else value for name, value in more.items()}
    return "registry", {"meter_id": METER, "version": version, "status": status, **more}


def outage(version: int, scope: str, target: str, since: str, until: str, **more: Any) -> Step:
    times = {"from": show(at(since)), "until": show(at(until))}
    return "outage", {"outage_id": "o", "version": version, "scope": scope, "target": target, **times, **more}


INSTANTS = ("installed_at", "removed_at", "valid_from", "as_of")


def run(*steps: Step, **settings: Any) -> list[tuple[str, dict[str, Any]]]:
    records = []
    for offset, (kind, body) in enumerate(steps):
        value = show(at(body["at"])) if kind == "tick" else json.dumps(body)
        control = None if kind in {"tick", "reading"} else kind
        records.append(Record(offset, at("12-31 00:00"), value.encode(), kind == "tick", control=control))
    return Reference(Parameters(**settings), PARTITION).run(records)


def gaps(*steps: Step, **settings: Any) -> list[tuple[Any, ...]]:
    """(first slot, state, number of missing slots, reason word, revision) of each gap alert."""
    return [
        (
            a["missing_from"][5:16].replace("T", " "),
            a["state"],
            a["missing_intervals"],
            a["reason"],
            a["revision"],
        )
        for kind, a in run(*steps, **settings)
        if kind == "gap_alert"
    ]


def flags(*steps: Step, **settings: Any) -> list[list[str]]:
    return [v["flags"] for kind, v in run(*steps, **settings) if kind == "validated"]


def reasons(*steps: Step) -> list[list[str]]:
    return [v["reasons"] for kind, v in run(*steps) if kind == "dead_letter"]


# -- never heard


def test_a_meter_never_heard_has_one_gap_that_ends_with_its_first_reading() -> None:
    steps = (entry(1, as_of="10:00"), tick("11:59:59"), tick("12:00"), tick("20:00"))
    found = gaps(*steps, reading("11:00"), never_heard_after=2 * HOUR, allowed_lateness=DAY)
    assert found == [
        ("01-01 10:00", "OPEN", 4, "NEVER_HEARD", 1),
        ("01-01 10:00", "CLOSED", 2, "", 2),
        ("01-01 11:30", "OPEN", 17, "", 1),
    ]


def test_a_first_reading_before_all_of_its_slots_takes_the_gap_back() -> None:
    steps = (entry(1, as_of="10:00"), tick("12:00"), reading("10:05"))
    found = gaps(*steps, never_heard_after=HOUR, allowed_lateness=DAY)
    assert found[:2] == [("01-01 10:00", "OPEN", 2, "NEVER_HEARD", 1), ("01-01 10:00", "RETRACTED", 0, "", 2)]


def test_a_late_first_reading_changes_nothing() -> None:
    steps = (entry(1, as_of="10:00"), tick("14:00"), reading("11:00"))
    assert gaps(*steps, never_heard_after=HOUR) == [("01-01 10:00", "OPEN", 2, "NEVER_HEARD", 1)]


def test_watching_counts_from_the_latest_of_what_is_given() -> None:
    steps = (entry(1, as_of="10:00", installed_at="11:00", valid_from="09:00"), tick("13:00"))
    assert gaps(*steps, never_heard_after=HOUR) == [("01-01 11:00", "OPEN", 2, "NEVER_HEARD", 1)]


def test_a_meter_that_fell_silent_was_heard() -> None:
    steps = (entry(1, as_of="10:00"), reading("10:00"), tick("20:00"))
    found = gaps(*steps, never_heard_after=HOUR, state_ttl=2 * HOUR)
    assert [(state, reason) for _, state, _, reason, _ in found] == [("EXPIRED", "")]


def test_never_heard_is_taken_back_when_the_meter_is_removed() -> None:
    steps = (entry(1, as_of="10:00"), tick("11:00"), entry(2, "removed"), reading("11:00"))
    assert gaps(*steps, never_heard_after=HOUR) == [
        ("01-01 10:00", "OPEN", 2, "NEVER_HEARD", 1),
        ("01-01 10:00", "RETRACTED", 0, "REMOVED", 2),
    ]


# -- expected and not


def test_removed_in_a_gap_takes_it_back_and_nothing_is_missing_from_then_on() -> None:
    steps = (reading("10:00"), tick("11:20"), entry(1, "removed"), tick("15:00"))
    assert gaps(*steps) == [("01-01 10:30", "OPEN", 2, "", 1), ("01-01 10:30", "RETRACTED", 0, "REMOVED", 2)]


def test_removed_within_a_jump_leaves_nothing_missing_from_before_either() -> None:
    steps = (reading("10:00"), entry(1, "removed", removed_at="12:00"), tick("15:00"))
    assert gaps(*steps) == []


def test_planned_takes_gaps_back_as_not_installed() -> None:
    steps = (reading("10:00"), tick("11:20"), entry(1, "planned"))
    assert gaps(*steps)[-1] == ("01-01 10:30", "RETRACTED", 0, "NOT_INSTALLED", 2)


def test_a_reading_in_a_slot_that_passed_silently_is_no_extra_one() -> None:
    steps = (reading("10:00"), entry(1, "removed"), tick("11:00"), reading("10:30"), reading("11:00"))
    assert flags(*steps) == [["FIRST"], [], []]


def test_active_again_expects_slots_from_then_on() -> None:
    steps = (reading("10:00"), entry(1, "removed"), tick("12:10"), entry(2), tick("12:50"))
    assert gaps(*steps) == [("01-01 12:30", "OPEN", 1, "", 1)]


# -- planned


def test_slots_while_suspended_are_missing_as_planned() -> None:
    steps = (reading("10:00"), entry(1, "suspended", valid_from="10:30"), tick("11:15"), reading("11:30"))
    assert gaps(*steps) == [
        ("01-01 10:30", "OPEN", 2, "PLANNED", 1),
        ("01-01 10:30", "CLOSED", 2, "PLANNED", 2),
    ]


def test_a_gap_is_planned_no_longer_when_one_slot_is_not() -> None:
    steps = (
        reading("10:00"),
        entry(1, "suspended", valid_from="10:30"),
        entry(2, valid_from="11:00"),
        tick("10:45"),
        tick("11:15"),
    )
    # The second entry comes before the first one's turn: that is what holds from 10:30 to 11:00.
    assert gaps(*steps) == [("01-01 10:30", "OPEN", 1, "PLANNED", 1), ("01-01 10:30", "OPEN", 2, "", 2)]


def test_an_outage_of_a_feeder_covers_its_meters_until_it_is_cancelled() -> None:
    steps = (
        reading("10:00"),
        entry(1, feeder="f"),
        outage(1, "feeder", "f", "10:30", "14:00"),
        tick("11:05"),
        outage(2, "feeder", "f", "10:30", "14:00", cancelled=True),
        tick("11:45"),
    )
    assert gaps(*steps) == [
        ("01-01 10:30", "OPEN", 1, "PLANNED", 1),
        ("01-01 10:30", "OPEN", 3, "", 2),
    ]


def test_the_end_of_a_slot_is_its_stamp_where_the_anchor_says_so() -> None:
    steps = (reading("09:30"), outage(1, "meter", METER, "10:00", "10:30"), reading("10:00"), tick("10:45"))
    assert [gap[3] for gap in gaps(*steps)] == [""]
    assert [gap[3] for gap in gaps(*steps, anchor="end")] == ["PLANNED"]


# -- intervals and calendars


def test_an_interval_given_in_mid_stream_keeps_the_phase() -> None:
    steps = (reading("10:00"), reading("10:30"), entry(1, interval="1h"), tick("11:50"))
    assert gaps(*steps, tick("12:45")) == [
        ("01-01 11:30", "OPEN", 1, "", 1),
        ("01-01 11:30", "OPEN", 2, "", 2),
    ]


def test_a_given_interval_is_not_learned_away_and_readings_cannot_change_it() -> None:
    steps = [reading("10:00"), entry(1, interval="1h")]
    steps += [reading(f"{10 + m // 60}:{m % 60:02d}", interval_minutes=10) for m in range(10, 90, 10)]
    found = [v["interval_seconds"] for kind, v in run(*steps) if kind == "validated"]
    assert found == [1800] + [3600] * 8


def test_days_of_berlin_have_23_and_25_hours() -> None:
    midnights = [midnight(2024, 3, day, BERLIN) for day in (30, 31)] + [midnight(2024, 4, 1, BERLIN)]
    assert [b - a for a, b in itertools.pairwise(midnights)] == [24 * HOUR, 23 * HOUR]
    days = ruler_of("1d", BERLIN)
    assert days is not None
    start = midnight(2024, 10, 27, BERLIN)
    assert days.after(start, start) - start == 25 * HOUR
    assert days.before(start) == start - 24 * HOUR
    assert days.nearest(start, start - 5 * MINUTE) == start
    assert days.nearest(start, start - 5 * MINUTE - 1) == start - DAY
    months = ruler_of("1mo", BERLIN)
    assert months is not None
    assert show(months.after(0, at("03-15 12:00"))) == "2024-03-31T22:00:00Z"
    assert show(months.holding(at("03-15 12:00"))) == "2024-02-29T23:00:00Z"


def test_a_midnight_that_the_clocks_skip_is_the_first_instant_after() -> None:
    # Beirut went from 00:00 to 01:00 on 31 March 2024.
    assert show(midnight(2024, 3, 31, "Asia/Beirut")) == "2024-03-30T22:00:00Z"


def test_daily_readings_leave_no_gap_over_both_changes_of_clocks() -> None:
    for days in (("03-29 23:00", "03-30 23:00", "03-31 22:00", "04-01 22:00"),
                 ("10-25 22:00", "10-26 22:00", "10-27 23:00", "10-28 23:00")):  # fmt: skip
        daily = [reading(day, interval="1d", timezone=BERLIN) for day in days]
        found = run(*daily, max_watermark_jump=3 * DAY)
        assert [v["flags"] for kind, v in found if kind == "validated"] == [["FIRST"], [], [], []]
        assert not [a for kind, a in found if kind == "gap_alert"]
        assert {v["calendar"] for kind, v in found if kind == "validated"} == {"1d Europe/Berlin"}


def test_a_missing_day_is_as_long_as_it_was() -> None:
    daily = [
        reading(day, interval="1d", timezone=BERLIN) for day in ("10-25 22:00", "10-27 23:00", "10-28 23:00")
    ]
    found = [a for kind, a in run(*daily, max_watermark_jump=5 * DAY) if kind == "gap_alert"]
    assert [(a["state"], a["gap_minutes"], a["missing_to"]) for a in found] == [
        ("CLOSED", 25 * 60, "2024-10-27T23:00:00Z")
    ]


def test_days_are_learned_where_clocks_change() -> None:
    days = [f"03-{day} 23:00" for day in range(20, 31)]
    daily = [reading(day) for day in days]
    settings = {"timezone": BERLIN, "max_watermark_jump": 3 * DAY, "default_interval": 12 * HOUR}
    found = [v.get("calendar") for kind, v in run(*daily, **settings) if kind == "validated"]
    assert found == [None] * 6 + ["1d Europe/Berlin"] * 5
    later = [*daily, reading("03-31 22:00"), reading("04-01 22:00")]
    assert flags(*later, **settings)[-2:] == [[], []]


def test_days_at_another_hour_are_known_when_the_clocks_change() -> None:
    daily = [reading(f"03-{day} 10:30") for day in range(20, 31)]
    settings = {"timezone": BERLIN, "max_watermark_jump": 3 * DAY, "default_interval": 12 * HOUR}
    more = [reading("03-31 09:30"), reading("04-01 09:30")]
    found = [v for kind, v in run(*daily, *more, **settings) if kind == "validated"]
    assert [v.get("calendar") for v in found[-3:]] == [None, "1d Europe/Berlin", "1d Europe/Berlin"]
    assert found[-2]["flags"] == ["OFF_GRID", "INTERVAL_CHANGED"]  # as it was judged before


def test_one_day_without_zone_is_of_the_setting() -> None:
    assert ruler_of("1d", "UTC") == Ruler(DAY, "1d", "UTC")
    assert ruler_of("24h", "UTC") == Ruler(DAY)
    assert ruler_of("33d", "UTC") is None
    assert ruler_of("0s", "UTC") is None


# -- regions, energy, dead letters, the start


def test_the_region_of_a_reading_is_that_of_its_time() -> None:
    steps = (
        reading("10:00", region="own"),
        entry(1, region="north"),
        entry(2, region="south", valid_from="10:30"),
        reading("10:30", region="own"),
        reading("10:29", region="own"),
        entry(3, valid_from="11:00"),
        reading("11:00", region="own"),
    )
    found = [v.get("region") for kind, v in run(*steps) if kind == "validated"]
    assert found == ["own", "south", "north", "own"]


def test_the_energy_mode_decides_which_energy_counts() -> None:
    body: dict[str, Any] = {"energy_register_kwh": 5, "power_kw": 3}
    for mode, kwh in (("interval", 1), ("register", 0), ("power", 0)):
        found = run(entry(1, energy_mode=mode, as_of="09:59"), reading("10:00", **body))
        assert [v["consumption_kwh"] for kind, v in found if kind == "validated"] == [kwh]


def test_a_valid_control_record_starts_the_partition_and_a_bad_one_does_not() -> None:
    early = reading("09:00")
    assert flags(entry(1, as_of="12:00"), early) == []
    assert flags(entry(1, "gone", as_of="12:00"), early) == [["FIRST"]]
    assert flags(outage(1, "meter", "x", "10:00", "11:00", as_of=show(at("12:00"))), early) == []


def test_dead_letters_name_every_reason() -> None:
    bad = [
        (entry(1, "gone", interval="soon"), ["BAD_INTERVAL", "UNKNOWN_STATUS"]),
        (entry(0), ["BAD_VALUE"]),
        (entry(1, timezone="Mars"), ["UNKNOWN_ZONE"]),
        (entry(1, flow="other"), ["WRONG_FLOW"]),
        (entry(1, installed_at="10:00", removed_at="10:00"), ["REMOVED_BEFORE_INSTALLED"]),
        (outage(1, "street", "x", "10:00", "10:00"), ["UNKNOWN_SCOPE", "BAD_VALUE"]),
        (("region", {"region": "r", "version": 1}), ["MISSING_FIELD"]),
        (
            ("registry", {"meter_id": meter_ids(1, 1)[0], "version": 1, "status": "active"}),
            ["WRONG_PARTITION"],
        ),
    ]
    assert reasons(*(step for step, _ in bad)) == [expected for _, expected in bad]
    newer = Record(0, 0, b"{}", control="registry", version=b"2")
    assert Reference(Parameters(), PARTITION).run([newer])[0][1]["reasons"] == ["NEWER_VERSION"]
