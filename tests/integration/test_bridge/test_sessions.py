"""Sessions: retained messages, shares, both versions of the protocol."""

from __future__ import annotations

import json
from collections import Counter

import paho.mqtt.publish as single
import pytest

from chaos.entrances.proxy import Proxy
from gridwatch.deployment.polling import until
from gridwatch.embedded.ports import LOOPBACK
from tests.integration.test_bridge.home import SECONDS, Home, at, message, metric
from tests.mosquitto import needs_mosquitto

pytestmark = [pytest.mark.integration, needs_mosquitto]


def retain(home: Home) -> None:
    """A retained message with a time of its own, and one without."""
    for device, payload in (("timed", message(1)), ("timeless", b'{"total_energy_kwh": 1}')):
        single.single(f"homelab/energy/{device}", payload, 1, True, LOOPBACK, home.mosquitto.port)


def counted(home: Home, number: int) -> Counter[tuple[str, bool]]:
    """How often each device is there, retained or not, once a later message is there, too."""
    home.publisher.publish([("homelab/energy/later", message(number))])
    until("the later one is there", lambda: ("later", at(number)) in home.places(), SECONDS)
    return Counter((one["device_id"], one["source"]["retained"]) for one in home.records("homelab.energy"))


ONCE = Counter({("timed", True): 1, ("timeless", True): 1})


def test_retained_messages_are_received_once_for_a_session(home: Home) -> None:
    retain(home)
    with Proxy(home.mosquitto.port) as proxy:
        bridge = home.bridge(mqtt_url=f"mqtt://{LOOPBACK}:{proxy.port}").start().wait_until_ready()
        assert counted(home, 1) == ONCE + Counter({("later", False): 1})
        for times in (2, 3):
            proxy.cut()
            until("it is back", lambda: metric(bridge, "connections_total") == times, SECONDS)  # noqa: B023
            bridge.wait_until_ready()
        assert counted(home, 2) == ONCE + Counter({("later", False): 2})
        assert metric(bridge, "retained_messages_total") == 2
        bridge.stop()
        bridge.start().wait_until_ready()
        assert counted(home, 3) == ONCE + Counter({("later", False): 3})
        bridge.kill()
        bridge.start().wait_until_ready()
        assert counted(home, 4) == ONCE + Counter({("later", False): 4})
    assert metric(bridge, "readings_total") == 1


def test_version_3_receives_them_again_after_a_restart_only_and_marks_them(home: Home) -> None:
    retain(home)
    with Proxy(home.mosquitto.port) as proxy:
        url = f"mqtt://{LOOPBACK}:{proxy.port}"
        bridge = home.bridge('version = "3.1.1"', mqtt_url=url).start().wait_until_ready()
        assert counted(home, 1) == ONCE + Counter({("later", False): 1})
        proxy.cut()
        until("it is back", lambda: metric(bridge, "connections_total") == 2, SECONDS)
        assert counted(home, 2) == ONCE + Counter({("later", False): 2})
        bridge.kill()
        home.publisher.publish([("homelab/energy/later", message(3))])
        bridge.start().wait_until_ready()
        assert counted(home, 4) == ONCE + ONCE + Counter({("later", False): 4})
    assert len({place for place in home.places() if place[0] == "timed"}) == 1


def test_bridges_of_a_share_have_each_message_once_among_them(home: Home) -> None:
    bridges = [home.bridge('share = "home"', name=name).start() for name in ("1", "2")]
    for bridge in bridges:
        bridge.wait_until_ready()
    home.publisher.publish([(f"homelab/energy/{number % 7}", message(number)) for number in range(600)])
    until("all are there", lambda: len(home.places()) >= 600, SECONDS)
    records = home.records("homelab.energy")
    assert len(records) == len({(one["device_id"], one["timestamp"]) for one in records}) == 600
    by_bridge = Counter(one["source"]["bridge"] for one in records)
    assert set(by_bridge) == {f"{home.name}-1", f"{home.name}-2"}
    # What the broker has given to one that is away waits in its session.
    bridges[0].kill()
    home.publisher.publish([("homelab/energy/after", message(number)) for number in range(600, 700)])
    bridges[0].start()
    until("all are there again", lambda: len(set(home.places())) >= 700, SECONDS)


def test_a_device_without_a_clock_has_the_time_of_its_arrival(home: Home) -> None:
    bridge = home.bridge().start().wait_until_ready()
    home.publisher.publish([("homelab/temperature/attic", b'{"temperature_c": 21.5}')] * 20)
    until("all are there", lambda: len(home.places("homelab.temperature")) == 20, SECONDS)
    records = home.records("homelab.temperature")
    assert all(one["flags"] == ["TIME_ASSIGNED"] for one in records)
    assert len({one["timestamp"] for one in records}) == 20
    assert metric(bridge, "time_assigned_total", rule="temperature") == 20
    assert json.dumps(records[0]["temperature_c"]) == "21.5"
