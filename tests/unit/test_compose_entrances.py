"""The entrances in docker-compose.yml: the HTTP one asks for keys, the MQTT broker's users fit the bridge."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gridwatch.bridge.client import RECEIVE_MAXIMUM
from gridwatch.bridge.filters import levels_of, matches
from gridwatch.bridge.service import configured
from gridwatch.ingest.service import is_loopback
from gridwatch.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
)["services"]


def test_the_http_entrance_can_be_reached_and_requires_keys() -> None:
    assert not is_loopback(SERVICES["ingest"]["environment"]["GRIDWATCH_INGEST_HOST"])


def test_the_image_has_the_packages_of_the_entrances() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "pip install -c constraints.txt '.[entrances]'" in dockerfile


def test_the_bridge_is_a_user_of_the_mqtt_broker_who_may_read_what_it_subscribes_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bridge, broker = SERVICES["bridge"], SERVICES["mosquitto"]
    environment = bridge["environment"]
    [volume] = bridge["volumes"]
    file, inside, mode = volume.split(":")
    assert (inside, mode) == (environment["GRIDWATCH_BRIDGE_CONFIG"], "ro")
    monkeypatch.setenv("GRIDWATCH_BRIDGE_CONFIG", str(ROOT / file))
    monkeypatch.setenv("GRIDWATCH_MQTT_URL", environment["GRIDWATCH_MQTT_URL"])
    config = configured(load_settings())
    assert (config.broker.address, config.broker.username) == ("mosquitto:1883", "gridwatch")
    assert environment["GRIDWATCH_MQTT_PASSWORD"] == broker["environment"]["MQTT_PASSWORD"]
    rights = (ROOT / "docker" / "mosquitto" / "acl").read_text(encoding="utf-8")
    of_the_bridge, of_devices = rights.partition("user gridwatch\n")[2].split("user devices\n")
    read = re.findall(r"^topic read (\S+)$", of_the_bridge, re.MULTILINE)
    for rule in config.rules:
        levels = levels_of(rule.filter.replace("#", "any"))
        assert any(matches(levels_of(topic), levels) for topic in read), rule.filter
    assert "write" not in of_the_bridge
    assert re.findall(r"^topic (\w+) ", of_devices, re.MULTILINE) == ["write"]


def test_the_mqtt_broker_keeps_what_waits_and_lets_nobody_in_without_a_password() -> None:
    text = (ROOT / "docker" / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    lines = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    options = dict(lines)
    assert options["allow_anonymous"] == "false"
    assert options["persistence"] == "true"
    assert int(options["autosave_interval"]) <= 10
    assert options["max_queued_messages"] == "0"
    assert int(options["max_inflight_messages"]) >= RECEIVE_MAXIMUM
    mounted = dict(volume.split(":")[1::-1] for volume in SERVICES["mosquitto"]["volumes"])
    assert options["persistence_location"].rstrip("/") in mounted
    folder, file = options["acl_file"].rsplit("/", 1)
    assert (ROOT / mounted[folder] / file).exists()
    start = (ROOT / mounted[folder] / "start.sh").read_text(encoding="utf-8")
    assert options["password_file"] in start
    assert set(re.findall(r"\$(\w+)", start)) <= SERVICES["mosquitto"]["environment"].keys()
