"""What the MQTT broker acknowledged to a device is in Kafka, whatever dies or is away in between."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chaos.entrances.mosquitto import Mosquitto
from chaos.entrances.proxy import Proxy
from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import LOOPBACK
from tests.integration.test_bridge.home import SECONDS, Home, Load, at, message, metric
from tests.mosquitto import needs_mosquitto
from tests.processes import Site

pytestmark = [pytest.mark.integration, needs_mosquitto]


def test_kill_minus_9_under_load_loses_nothing(home: Home) -> None:
    bridge = home.bridge().start().wait_until_ready()
    load = Load(home.publisher)
    load.start()
    for _ in range(3):
        load.more(150)
        bridge.kill()
        load.more(150)
        bridge.start().wait_until_ready()
    home.wait_for(load.finish())


def test_a_connection_that_is_cut_again_and_again_loses_nothing(home: Home) -> None:
    with Proxy(home.mosquitto.port) as proxy:
        bridge = home.bridge(mqtt_url=f"mqtt://{LOOPBACK}:{proxy.port}").start().wait_until_ready()
        load = Load(home.publisher)
        load.start()
        for cut in range(25):
            time.sleep(0.05 + cut % 5 / 20)
            proxy.cut()
        proxy.refuse(True)
        proxy.cut()
        until("it is not ready", lambda: bridge.status("/ready/") == 503, SECONDS)
        load.more()
        proxy.refuse(False)
        home.wait_for(load.finish())
        assert metric(bridge, "connections_total") > 3
        bridge.wait_until_ready()


def test_a_restart_of_the_mqtt_broker_loses_nothing(home: Home) -> None:
    bridge = home.bridge().start().wait_until_ready()
    load = Load(home.publisher)
    load.start()
    for _ in range(2):
        load.more(150)
        home.mosquitto.stop()
        time.sleep(0.5)
        home.mosquitto.start()
    load.more(150)
    home.wait_for(load.finish())
    bridge.wait_until_ready()


def test_sigterm_under_load_loses_nothing(home: Home) -> None:
    bridge = home.bridge().start().wait_until_ready()
    load = Load(home.publisher)
    load.start()
    load.more(150)
    assert bridge.stop() < 10
    load.more(150)
    bridge.start()
    home.wait_for(load.finish())


def test_nothing_is_acknowledged_before_kafka_has_it(tmp_path: Path) -> None:
    with (
        EmbeddedKafka(tmp_path / "kafka") as kafka,
        Site(kafka.bootstrap, tmp_path) as site,
        Mosquitto(tmp_path / "mosquitto") as mosquitto,
        Home(site, mosquitto, tmp_path) as home,
    ):
        bridge = home.bridge().start().wait_until_ready()
        home.publisher.publish([("homelab/energy/a", message(number)) for number in range(100)])
        home.wait_for([("a", at(number)) for number in range(100)])
        kafka.stop()
        home.publisher.publish([("homelab/energy/a", message(number)) for number in range(100, 1300)])
        until("messages wait", lambda: metric(bridge, "unacknowledged_messages") >= 100, SECONDS)
        until("it is not ready", lambda: bridge.status("/ready/") == 503, SECONDS)
        assert metric(bridge, "unacknowledged_messages") <= 500
        bridge.kill()
        bridge.start()
        until("it is delivered again", lambda: _owed(bridge) >= 100, SECONDS, transient=(OSError,))
        time.sleep(2)
        kafka.start()
        home.wait_for([("a", at(number)) for number in range(1300)])
        bridge.wait_until_ready()
        assert metric(bridge, "connections_total") == 1, "it has stayed connected all the time"


def _owed(bridge: Service) -> float:
    return metric(bridge, "unacknowledged_messages")
