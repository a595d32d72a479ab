"""The part of `gridwatch chaos` that is in every run of the tests: two fixed seeds and a random one.

Everything else about it is in `test_chaos_parts.py`; more seeds: `make chaos`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.schedule import INPUTS
from gridwatch.settings import PREFIX

pytestmark = [pytest.mark.failure, pytest.mark.integration]

#: All with the same input, so that one fault-free run serves the three. Together these two have twelve kinds
#: of faults: processes killed and frozen at their steps, disks, broker, PostgreSQL, the changelog, batches
#: dropped; the input of the second ends before the last faults.
FIXED = (151 * INPUTS, 15 * INPUTS)
FAULTS = 6
#: A worker with a second stage besides its own: what holds for both holds for one.
BOTH_STAGES = ("--subject", "tests.sums.subject:BOTH")
ROOT = Path(__file__).parents[2]
READINGS = 3000


@pytest.mark.timeout(600)
def test_random_faults_change_no_row_no_output_and_no_state(tmp_path: Path) -> None:
    drawn = random.SystemRandom().randrange(1000, 1_000_000) * INPUTS
    kept = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX) or "CACHE" in key}
    seeds = [part for seed in (*FIXED, drawn) for part in ("--seed", str(seed))]
    size = ["--faults", str(FAULTS), "--readings", str(READINGS)]
    print("repeat it with: gridwatch chaos", *BOTH_STAGES, *size, "--seed", drawn)
    ran = subprocess.run(
        [sys.executable, "-m", "gridwatch", "chaos", "--json", *BOTH_STAGES, *size, *seeds],
        env=kept | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    print(ran.stderr)
    assert ran.stdout, ran.stderr
    results = json.loads(ran.stdout)
    for result in results:
        assert result["error"] == ""
        assert result["differences"] == []
        assert result["inconsistencies"] == []
        assert result["compared"] > READINGS
        assert result["faults"] >= FAULTS - 2, result["notes"]
    for result in results[: len(FIXED)]:  # a drawn schedule may name steps that its input does not lead to
        assert sum("was not reached" in note for note in result["notes"]) <= 2, result["notes"]
    assert [result["seed"] for result in results] == [*FIXED, drawn]
    assert ran.returncode == 0
