"""The time of a measurement is what the message says, to the microsecond, or it is not given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.domain.instants import format_instant
from tests.unit.bridge.formats.asking import at, one, refused
from tests.unit.bridge.formats.sample import telegram

PLUG = {"power_kw": 1}


def of_tasmota(stamp: Any, zone: str = "Europe/Berlin") -> int | None:
    return one("tasmota", {"Time": stamp, "ENERGY": {"Power": 1}}, zone=zone).time


def of_shelly(stamp: str) -> int | None:
    status = f'{{"method":"NotifyStatus","params":{{"ts":{stamp},"pm1:0":{{"apower":1}}}}}}'
    return one("shelly", status, "x/events/rpc").time


@pytest.mark.parametrize("name", ["json", "tasmota", "shelly", "zigbee2mqtt", "value", "dsmr"])
def test_a_message_without_a_time_has_none(name: str) -> None:
    payload: Any = {
        "json": PLUG,
        "tasmota": {"ENERGY": {"Power": 1}},
        "shelly": "1",
        "zigbee2mqtt": {"power": 1, "last_seen": None},
        "value": "1",
        "dsmr": {"phase_voltage_l1": "230"},
    }[name]
    topic = {"value": "x/power_w", "shelly": "shellies/x/relay/0/power"}.get(name, "x")
    assert one(name, payload, topic).time is None


@settings(deadline=None)
@given(st.integers(at("1000-01-01T00:00:00Z"), at("9000-01-01T00:00:00Z")))
def test_every_microsecond_of_a_text_counts(instant: int) -> None:
    stamp = format_instant(instant)
    assert one("json", PLUG | {"timestamp": stamp}).time == instant
    assert one("zigbee2mqtt", {"power": 1, "last_seen": stamp}).time == instant


@settings(deadline=None)
@given(st.integers(0, 10**17))
def test_seconds_since_1970_do_not_pass_through_a_float(instant: int) -> None:
    assert of_shelly(f"{instant // 10**6}.{instant % 10**6:06}") == instant


def test_digits_beyond_the_microsecond_are_dropped() -> None:
    assert of_shelly("1710081045.1234569") == 1710081045123456
    assert one("json", PLUG | {"timestamp": "2024-03-10T14:30:45.1234569Z"}).time == 1710081045123456


@pytest.mark.parametrize(
    "stamp",
    [
        "2024-03-10T14:30:00",
        "2024-03-10 14:30",
        "2024-03-10",
        "yesterday",
        "",
        "2024-13-10T14:30:00Z",
        "2024-03-10T14:30:60Z",
        "0001-03-10T14:30:00Z",
        "9999-12-31T23:59:59-05:00",
        1710081045,
        1710081045.5,
        True,
        ["2024-03-10T14:30:00Z"],
    ],
)
def test_a_time_that_is_no_rfc_3339_text_with_a_zone_is_refused(stamp: Any) -> None:
    problem = refused("json", PLUG | {"timestamp": stamp})
    assert (problem.reasons, problem.field) == (("BAD_TIMESTAMP",), "timestamp")
    last_seen = refused("zigbee2mqtt", {"power": 1, "last_seen": f"{stamp}" if stamp is True else "14:30"})
    assert last_seen.reasons == ("BAD_TIMESTAMP",)


@pytest.mark.parametrize(
    "stamp", ["2024-03-10T15:30:00+01:00", "2024-03-10 09:30:00-05", "2024-03-10T14:30z"]
)
def test_every_form_of_a_zone_is_read(stamp: str) -> None:
    assert one("json", PLUG | {"timestamp": stamp}).time == at("2024-03-10T14:30:00Z")


def test_local_time_is_that_of_the_rule() -> None:
    assert of_tasmota("2024-07-01T12:00:00") == at("2024-07-01T10:00:00Z")
    assert of_tasmota("2024-07-01T12:00:00", "UTC") == at("2024-07-01T12:00:00Z")
    assert of_tasmota("2024-07-01T12:00:00", "America/New_York") == at("2024-07-01T16:00:00Z")
    assert of_tasmota("2024-07-01T12:00:00+05:00") == at("2024-07-01T07:00:00Z")


def test_of_an_hour_that_comes_twice_it_is_the_first() -> None:
    assert of_tasmota("2024-10-27T02:30:00") == at("2024-10-27T00:30:00Z")


@pytest.mark.parametrize("stamp", ["2024-03-31T02:30:00", "soon", 1710081045])
def test_a_local_time_that_does_not_exist_is_refused(stamp: Any) -> None:
    message = {"Time": stamp, "ENERGY": {"Power": 1}}
    problem = refused("tasmota", message, zone="Europe/Berlin")
    assert (problem.reasons, problem.field) == (("BAD_TIMESTAMP",), "Time")


def test_a_zone_that_does_not_exist_is_the_rule_s_fault() -> None:
    message = {"Time": "2024-03-31T02:30:00", "ENERGY": {"Power": 1}}
    assert refused("tasmota", message, zone="Mars/Olympus").reasons == ("UNKNOWN_ZONE",)


def test_a_clock_that_was_never_set_is_for_others_to_judge() -> None:
    assert of_tasmota("1970-01-01T00:00:12", "UTC") == 12_000_000
    assert of_shelly("12") == 12_000_000
    assert one("json", PLUG | {"timestamp": "2199-01-01T00:00:00Z"}).time == at("2199-01-01T00:00:00Z")


@pytest.mark.parametrize("stamp", ["true", '"1710081045"', "1e300", "-1e14", "[]"])
def test_seconds_that_are_no_time_are_refused(stamp: str) -> None:
    status = f'{{"method":"NotifyStatus","params":{{"ts":{stamp},"pm1:0":{{"apower":1}}}}}}'
    problem = refused("shelly", status, "x/events/rpc")
    assert (problem.reasons, problem.field) == (("BAD_TIMESTAMP",), "ts")


def test_a_minute_of_a_shelly_is_not_the_time_of_its_status() -> None:
    status = {"apower": 1, "aenergy": {"total": 1, "minute_ts": 1710081000}}
    assert one("shelly", status, "x/status/switch:0").time is None


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("240310143045W", "2024-03-10T13:30:45Z"),
        ("240710143045S", "2024-07-10T12:30:45Z"),
        ("241027023000S", "2024-10-27T00:30:00Z"),
        ("241027023000W", "2024-10-27T01:30:00Z"),
    ],
)
def test_a_telegram_says_whether_it_is_winter(stamp: str, instant: str) -> None:
    measured = one("dsmr", telegram(f"0-0:1.0.0({stamp})", "1-0:32.7.0(230.1*V)"))
    assert measured.time == at(instant)


@pytest.mark.parametrize("stamp", ["240310143045", "241310143045W", "240310143045X", "", "2403101430W"])
def test_a_telegram_s_time_without_its_season_is_refused(stamp: str) -> None:
    problem = refused("dsmr", telegram(f"0-0:1.0.0({stamp})", "1-0:32.7.0(230.1*V)"))
    assert (problem.reasons, problem.field) == (("BAD_TIMESTAMP",), "0-0:1.0.0")
