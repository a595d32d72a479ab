"""Which stages a worker has, by its settings."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch import agents
from gridwatch.settings import load_settings


@pytest.mark.parametrize(
    ("given", "stages"),
    [
        ({}, ["readings", "regions"]),
        ({"region_flows": "night"}, ["readings", "regions"]),
        ({"region_flows": "none"}, ["readings"]),
        ({"flow": "night", "region_flows": "smartmeter,night"}, ["readings"]),
    ],
)
def test_the_worker_of_the_default_flow_adds_up_regions_unless_no_flow_takes_part(
    given: dict[str, Any], stages: list[str]
) -> None:
    assert [one.name for one in agents.stages(load_settings(**given))] == stages
