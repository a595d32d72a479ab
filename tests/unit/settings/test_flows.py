"""The flow of a process, the flows that it serves, and names that no two of them share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.policy import DAY, HOUR
from gridwatch.errors import UsageProblem
from gridwatch.settings import PREFIX, Settings, load_settings

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True).filter(lambda name: name != "sink")


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in list(os.environ):
        if key.startswith(PREFIX):
            monkeypatch.delenv(key)


def test_by_default_there_is_one_flow_under_the_names_of_always() -> None:
    settings = load_settings()
    assert (settings.flow, settings.flows, settings.app_id) == ("smartmeter", ("smartmeter",), "gridwatch")
    assert settings.applications == {"smartmeter": "gridwatch"}
    assert (settings.sink_group, settings.state_folder) == ("gridwatch-sink", settings.datadir)


def test_another_flow_is_an_application_with_state_of_its_own() -> None:
    settings = load_settings(flow="daily")
    assert (settings.flows, settings.app_id) == (("daily",), "gridwatch-daily")
    assert settings.state_folder == settings.datadir / "daily"
    assert settings.policy().flow == "daily"


@pytest.mark.parametrize(
    ("app_id", "flow"),
    [("prod", "smartmeter"), ("prod", "daily"), ("prod-daily", "daily"), ("prod", "other")],
)
def test_every_process_of_a_deployment_names_groups_alike(app_id: str, flow: str) -> None:
    settings = load_settings(app_id=app_id, flow=flow, flows="smartmeter,daily")
    assert settings.applications == {"smartmeter": "prod", "daily": "prod-daily"}
    assert settings.app_id == settings.applications.get(flow, f"prod-{flow}")
    assert settings.sink_group == "prod-sink"


@pytest.mark.parametrize("flow", ["smartmeter", "other"])
def test_a_deployment_named_like_an_application_of_a_flow_is_an_error(flow: str) -> None:
    with pytest.raises(UsageProblem, match=r"^GRIDWATCH_APP_ID: 'prod-daily' is read as .*daily"):
        load_settings(app_id="prod-daily", flow=flow, flows="smartmeter,daily")


@hypothesis.settings(deadline=None)
@given(flows=st.lists(NAMES, min_size=1, max_size=5, unique=True), base=st.sampled_from(["gridwatch", "a-b"]))
def test_no_two_flows_share_a_group(flows: list[str], base: str) -> None:
    hypothesis.assume(not any(base.endswith(f"-{flow}") for flow in flows))
    settings = [Settings(flow=flow, flows=tuple(flows), app_id=base) for flow in flows]
    groups = [one.app_id for one in settings] + [settings[0].sink_group]
    assert len(set(groups)) == len(flows) + 1
    assert {one.sink_group for one in settings} == {f"{base}-sink"}
    assert [one.applications for one in settings] == [dict(zip(flows, groups, strict=False))] * len(flows)


@pytest.mark.parametrize("written", ["live,daily", " live , daily "])
def test_flows_are_a_list_in_the_environment_and_in_the_file(
    written: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRIDWATCH_FLOWS", written)
    assert load_settings().flows == ("live", "daily")
    monkeypatch.delenv("GRIDWATCH_FLOWS")
    config = tmp_path / "gridwatch.toml"
    monkeypatch.setenv("GRIDWATCH_CONFIG", str(config))
    for text in (f'flows = "{written}"', 'flows = ["live", "daily"]'):
        config.write_text(text)
        assert load_settings().flows == ("live", "daily")


@pytest.mark.parametrize("name", ["Daily", "1day", "_x", "day-ahead", "a" * 32, "täglich", "a b", "sink"])
def test_a_bad_name_is_an_error_that_names_the_key(name: str) -> None:
    with pytest.raises(UsageProblem, match=r"^GRIDWATCH_FLOW: "):
        load_settings(flow=name)
    with pytest.raises(UsageProblem, match=r"^GRIDWATCH_FLOWS: "):
        load_settings(flows=f"smartmeter,{name}")


@pytest.mark.parametrize(
    ("flows", "why"), [("a,b,a", "a is there twice"), ("a,,b", "is no name"), (",", "is")]
)
def test_a_bad_list_is_an_error_that_names_the_key(flows: str, why: str) -> None:
    with pytest.raises(UsageProblem, match=rf"^GRIDWATCH_FLOWS: .*{why}"):
        load_settings(flows=flows)


def test_the_policy_of_a_flow_has_its_anchor_and_its_patience() -> None:
    policy = load_settings(anchor="end", never_heard_after="36h").policy()
    assert (policy.anchor, policy.never_heard_after) == ("end", 36 * HOUR)
    assert (load_settings().policy().anchor, load_settings().policy().never_heard_after) == ("start", DAY)


@pytest.mark.parametrize("wrong", [{"anchor": "middle"}, {"never_heard_after": "0"}])
def test_a_wrong_rule_is_an_error_that_names_the_key(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem, match=rf"^GRIDWATCH_{next(iter(wrong)).upper()}: "):
        load_settings(**wrong)
