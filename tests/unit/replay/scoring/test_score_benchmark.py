"""The benchmark of the score, small: it finds everything, says so, and exits 1 when something is missed."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from click.testing import CliRunner

from benchmarks import score
from benchmarks.measuring import in_process
from gridwatch.domain.policy import Policy
from replay.order.emission import Item
from replay.scoring.score import Found

SMALL = ["--seeds", "2", "--meters", "8", "--days", "4"]


@pytest.mark.parametrize("faults", ["missing", "clocks", "everything"])
def test_everything_that_is_judged_is_found(faults: str) -> None:
    done = CliRunner().invoke(score.main, [*SMALL, "--faults", faults, "--json"])
    assert done.exit_code == 0, done.output
    (total,) = json.loads(done.output)["straight"].values()
    assert total["gaps"]["matched"] == total["gaps"]["expected"] == total["gaps"]["found"] > 20
    assert total["differences"] == []
    plain = total["plain_count"]
    assert "not explained" not in str(plain["why"])
    assert plain["withheld"] - plain["reported"] == sum(
        count for why, count in plain["why"].items() if why.startswith("not reported")
    )


def test_a_gap_that_is_not_reported_is_below_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = in_process.detected

    def blind(items: Iterable[Item], policy: Policy) -> Found:
        found = whole(items, policy)
        found.gaps = found.gaps[1:]
        return found

    monkeypatch.setattr(in_process, "detected", blind)
    done = CliRunner().invoke(score.main, [*SMALL, "--faults", "missing"])
    assert done.exit_code == 1
    assert "gap missed" in done.output
    assert "below what is to be reached: missing" in done.output
