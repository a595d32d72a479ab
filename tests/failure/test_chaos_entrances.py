"""The part of `gridwatch chaos --entrances` that is in every run of the tests: a fixed seed.

Mosquitto is installed in CI. Elsewhere it may be missing: then only these are left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.entrances.checking import consumptions
from chaos.entrances.schedule import KINDS, make_faults
from chaos.entrances.senders import START, Clock, Ledger
from gridwatch.settings import PREFIX
from tests.mosquitto import needs_mosquitto

ROOT = Path(__file__).parents[2]
#: Both entrances and the sink killed, connections cut.
FIXED = 9
FAULTS = 5


def test_a_seed_gives_the_same_faults_again_in_order_of_their_places() -> None:
    assert make_faults(3, 20) == make_faults(3, 20) != make_faults(4, 20)
    for fault in make_faults(3, 200):
        assert 0 < fault.at < 1 and fault.seconds in KINDS[fault.kind].seconds
    assert [one.at for one in make_faults(3, 50)] == sorted(one.at for one in make_faults(3, 50))
    assert {one.kind for one in make_faults(5, 500)} == set(KINDS)
    explained = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {kind.meaning} |" in explained for name, kind in KINDS.items())


def test_registers_are_taken_apart_in_order_of_time() -> None:
    registers = {("b", START + 20): 7.5, ("a", START): 3.0, ("b", START): 7.0, ("b", START + 10): 7.25}
    assert consumptions(registers) == {
        ("a", START): 0.0,
        ("b", START): 0.0,
        ("b", START + 10): 0.25,
        ("b", START + 20): 0.25,
    }


def test_no_sender_gets_more_than_a_round_ahead_of_the_other() -> None:
    clock = Clock(10)
    clock.allow(1.1)
    clock.wait_for(0, 0)
    clock.wait_for(0, 1)
    with pytest.raises(TimeoutError):
        clock.wait_until_sent(0.1, 0.05)
    clock.wait_for(1, 1)
    clock.wait_until_sent(0.1, 0.05)
    clock.fail(RuntimeError("ended"))
    with pytest.raises(RuntimeError):
        clock.wait_for(0, 5)
    assert Ledger().measured.keys() == {"energy", "heatpump", "temperature"}


@pytest.mark.failure
@pytest.mark.integration
@pytest.mark.timeout(600)
@needs_mosquitto
def test_what_was_acknowledged_is_stored_exactly_once_whatever_fails(tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX) or "CACHE" in key}
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "gridwatch", "chaos", "--entrances", "--json", "--faults", str(FAULTS)),
            *("--seed", str(FIXED)),
        ],
        env=kept | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    print(ran.stderr)
    assert ran.stdout, ran.stderr
    for result in json.loads(ran.stdout):
        assert not result["error"], result["error"]
        assert result["faults"] == FAULTS and result["compared"] > 5000
    assert ran.returncode == 0, ran.stdout
