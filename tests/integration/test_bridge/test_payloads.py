"""Payloads that nobody would send: dead letters with reasons, and their neighbours are kept."""

from __future__ import annotations

import pytest

from gridwatch.deployment.polling import until
from tests.integration.test_bridge.home import SECONDS, Home, at, message, metric
from tests.mosquitto import needs_mosquitto
from tests.records import decoded, read

pytestmark = [pytest.mark.integration, needs_mosquitto]

BAD = [
    (b"", "EMPTY"),
    (b"\xff\xfe\x00\x01", "NOT_UTF8"),
    (b"{", "NOT_JSON"),
    (b"x" * 300 * 1024, "TOO_LARGE"),
    (b"[" * 10_000 + b"]" * 10_000, "TOO_DEEP"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "TOO_DEEP"),
    (b"NaN", "NOT_FINITE"),
    (message(0, timestamp="1970-01-01T00:00:00Z"), "CLOCK_NOT_SET"),
    (message(0, timestamp="2099-01-01T00:00:00Z"), "FUTURE_TIMESTAMP"),
    (message(0, device_id="a+b"), "BAD_DEVICE_ID"),
    (b'{"power": 1}', "AMBIGUOUS_UNIT"),
]


def test_bad_payloads_are_dead_letters_and_their_neighbours_are_kept(home: Home) -> None:
    bridge = home.bridge().start().wait_until_ready()
    devices = f"{home.name}-plug"
    messages = []
    for number, (payload, _) in enumerate(BAD):
        messages += [(f"homelab/energy/{devices}", message(number)), (f"homelab/energy/{devices}", payload)]
    home.publisher.publish(messages)
    home.wait_for([(devices, at(number)) for number in range(len(BAD))])
    until("every dead letter is there", lambda: home.reasons().total() >= len(BAD), SECONDS)
    letters = home.records("homelab.dead_letters")
    assert [one["reasons"][0] for one in letters] == [reason for _, reason in BAD]
    assert [one["raw_size"] for one in letters] == [len(payload) for payload, _ in BAD]
    assert all(len(one["raw"]) <= 90_000 and one["message"] for one in letters)
    readings = [
        one for one in decoded(read(home.site.bootstrap, "smartmeter_raw")) if one["meter_id"] == devices
    ]
    assert len(readings) == len(BAD)
    until("nothing is owed", lambda: metric(bridge, "unacknowledged_messages") == 0, SECONDS)
    assert metric(bridge, "messages_total", rule="energy") == 2 * len(BAD)
    assert metric(bridge, "measurements_total", rule="energy") == len(BAD)
    assert metric(bridge, "readings_total", rule="energy") == len(BAD)
    for reason in {reason for _, reason in BAD}:
        wanted = sum(one == reason for _, one in BAD)
        assert metric(bridge, "dead_letters_total", rule="energy", reason=reason) == wanted
    assert metric(bridge, "connections_total") == metric(bridge, "connected") == metric(bridge, "ready") == 1


def test_a_packet_beyond_the_limit_is_kept_from_us_by_the_broker(home: Home) -> None:
    bridge = home.bridge().start().wait_until_ready()
    home.publisher.publish([("homelab/energy/a", message(1))])
    home.publisher.publish([("homelab/energy/a", b"x" * 20 * 1024 * 1024)])
    home.publisher.publish([("homelab/energy/a", message(2))])
    home.wait_for([("a", at(1)), ("a", at(2))])
    assert metric(bridge, "connections_total") == 1
    assert home.reasons().total() == 0


def test_version_3_receives_it_and_makes_it_a_dead_letter(home: Home) -> None:
    bridge = home.bridge('version = "3.1.1"').start().wait_until_ready()
    home.publisher.publish([("homelab/energy/a", b"x" * 20 * 1024 * 1024), ("homelab/energy/a", message(2))])
    home.wait_for([("a", at(2))])
    assert home.reasons() == {"TOO_LARGE": 1}
    assert metric(bridge, "connections_total") == 1
