"""The domain says what the slow model of the contract says, log after random log, however it is cut."""

from __future__ import annotations

import pytest

from tests.model.compare import check

LOGS = 240
BLOCKS = 8


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_domain_says_what_the_contract_says(block: int) -> None:
    reports = [report for seed in range(block, LOGS, BLOCKS) if (report := check(seed))]
    assert not reports, "\n".join(reports)
