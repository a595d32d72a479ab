"""The stage `regions` says what its slow model says, in whatever order the bundles of its sources come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.model.stage.compare import check, check_steps

LOGS = 120


@pytest.mark.parametrize("one", [check, check_steps])
def test_the_stage_says_what_its_model_says(one: Callable[[int], str | None]) -> None:
    reports = [report for seed in range(LOGS) if (report := one(seed))]
    assert not reports, "\n".join(reports)
