"""Settings as environment variables: the child's alone, and never on its command line."""

from __future__ import annotations

import os

import pytest

from gridwatch.deployment.environment import environment_of


@pytest.fixture(autouse=True)
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRIDWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRIDWATCH_BROKER", "mine:1")
    monkeypatch.setenv("GRIDWATCH_GRACE", "7m")
    monkeypatch.setenv("GRIDWATCH_CACHE", "/downloads")
    monkeypatch.setenv("LANG", "C")


def ours_of(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("GRIDWATCH_")}


def test_a_deployment_does_not_see_the_users_own_settings_but_for_the_downloads() -> None:
    made = environment_of({"broker": "demo:2", "web_port": 7})
    assert ours_of(made) == {
        "GRIDWATCH_BROKER": "demo:2",
        "GRIDWATCH_WEB_PORT": "7",
        "GRIDWATCH_CACHE": "/downloads",
    }
    assert made["LANG"] == "C"


def test_inherited_settings_hold_where_the_deployment_has_none() -> None:
    made = environment_of({"broker": "demo:2"}, inherited=True)
    assert (made["GRIDWATCH_BROKER"], made["GRIDWATCH_GRACE"]) == ("demo:2", "7m")


def test_settings_of_a_deployment_are_never_in_our_own_environment() -> None:
    environment_of({"broker": "demo:2", "web_port": 7})
    assert os.environ["GRIDWATCH_BROKER"] == "mine:1"
    assert "GRIDWATCH_WEB_PORT" not in os.environ
