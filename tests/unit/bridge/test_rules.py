"""Rules: which messages become what, and which level names the device."""

from __future__ import annotations

import pytest

from gridwatch.bridge import rules
from gridwatch.bridge.filters import levels_of, matches
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.rules import DEFAULT_RULES, Routes, Rule

TOPIC = levels_of("tele/plug1/SENSOR")


@pytest.mark.parametrize(
    ("filter_", "device", "named"),
    [
        ("tele/+/SENSOR", None, "plug1"),
        ("tele/#", None, "plug1"),
        ("+/+/SENSOR", None, "tele"),
        ("#", None, "tele"),
        ("tele/plug1/SENSOR", None, None),
        ("tele/+/SENSOR", 0, "tele"),
        ("tele/+/SENSOR", 2, "SENSOR"),
        ("tele/+/SENSOR", 3, None),
        ("tele/+/SENSOR", -1, "SENSOR"),
        ("tele/+/SENSOR", -3, "tele"),
        ("tele/+/SENSOR", -4, None),
    ],
)
def test_the_device_is_a_level_that_the_rule_names_or_the_first_wildcard(
    filter_: str, device: int | None, named: str | None
) -> None:
    assert Rule("r", filter_, "energy", device=device).device_of(TOPIC) == named


def test_a_topic_that_ends_where_the_wildcard_begins_names_no_device() -> None:
    rule = DEFAULT_RULES[0]
    assert matches(levels_of(rule.filter), levels_of("homelab/energy"))
    assert rule.device_of(levels_of("homelab/energy")) is None
    assert rule.device_of(levels_of("homelab/energy/")) == ""


def test_every_rule_whose_filter_matches_applies_in_their_order() -> None:
    some = [
        Rule("a", "x/+", "energy"),
        Rule("b", "x/+", "temperature"),
        Rule("c", "y/+", "energy"),
        Rule("d", "x/+", "heatpump"),
    ]
    routes = Routes(some, "UTC")
    assert [route.rule.name for route in routes.of("x/1")] == ["a", "b", "d"]
    assert [route.rule.name for route in routes.of("y/1")] == ["c"]
    assert routes.of("z") == ()


def test_the_topics_that_are_remembered_are_limited_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_MOST_ROUTES", 10)
    routes = Routes(DEFAULT_RULES, "UTC")
    for number in range(1000):
        assert len(routes.of(f"homelab/energy/{number}")) == 1
    assert len(routes._known) <= 10
    assert len(routes.of("homelab/energy/" + "x" * 60_000)) == 1
    assert max(map(len, routes._known)) < 1000


def test_without_a_file_the_home_is_read_as_json() -> None:
    assert [(rule.filter, rule.topic.name, rule.format) for rule in DEFAULT_RULES] == [
        ("homelab/energy/#", "homelab.energy", "json"),
        ("homelab/heatpump/#", "homelab.heatpump", "json"),
        ("homelab/temperature/#", "homelab.temperature", "json"),
    ]


def test_what_is_asked_has_the_zone_of_the_rule_before_that_of_the_settings() -> None:
    rule = Rule("r", "a/+", "energy", "tasmota", field="power_w")
    assert rule.asked(("a", "b"), "UTC").zone == "UTC"
    assert Rule("r", "a/+", "energy", zone="Europe/Berlin").asked(("a", "b"), "UTC").zone == "Europe/Berlin"
    asked = rule.asked(("a", "b"), "UTC")
    assert (asked.kind, asked.levels, asked.field) == ("energy", ("a", "b"), "power_w")
    assert rule.decoder is FORMATS["tasmota"]
