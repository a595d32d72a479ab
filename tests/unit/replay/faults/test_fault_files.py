"""Fault plans from files: what they may say, and what is said of one that will not do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import get_args

import pytest

from gridwatch.errors import UsageProblem
from gridwatch.models.anomaly import AnomalyKind
from replay.faults import FaultPlan
from replay.faults.catalogue import KINDS
from replay.faults.devices.clock import Clock
from replay.faults.file import PRESETS, plan_of
from replay.faults.missing.burst import Burst
from replay.faults.values.garbage import Garbage
from replay.truth.anomalies import ANOMALIES
from tests.unit.replay.rig import DAY, HOUR, SECOND, at

ROOT = Path(__file__).resolve().parents[4]


def plan(folder: Path, text: str) -> FaultPlan:
    path = folder / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return plan_of(str(path))


def test_a_file_says_seed_and_faults_with_their_options(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        """
        seed = 7
        [[fault]]
        kind = "burst"
        share = 0.2
        meters = "METER_00*"
        every = "3d"
        length = ["1h", "8h"]
        start = 2024-01-02
        end = "2024-01-05T12:00:00+01:00"
        [[fault]]
        kind = "clock"
        mode = "jump"
        by = 90
        [[fault]]
        kind = "garbage"
        forms = ["empty", "noise"]
        """,
    )
    burst, clock, garbage = found.faults
    assert found.seed == 7
    assert burst == Burst(
        "burst", "METER_00*", 0.2, at("00:00", 2), at("11:00", 5), every=3 * DAY, length=(HOUR, 8 * HOUR)
    )
    assert isinstance(clock, Clock)
    assert (clock.mode, clock.by) == ("jump", (90 * SECOND, 90 * SECOND))
    assert isinstance(garbage, Garbage)
    assert garbage.forms == ("empty", "noise")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fault", "not TOML"),
        ("faults = 1", "faults: no such key; known are seed and [[fault]]"),
        ("seed = 1.5", "seed: a whole number"),
        ('[fault]\nkind = "gap"', "fault: tables, each under [[fault]]"),
        ("[[fault]]\nrate = 1", "fault 1: kind: is missing; known are swap"),
        ('[[fault]]\nkind = "gap"\n[[fault]]\nkind = "gaps"', "fault 2: kind: 'gaps' is no kind of fault"),
        ('[[fault]]\nkind = "gap"\nrat = 0.5', "fault 1 (gap): rat: no such option; known are meters"),
        ('[[fault]]\nkind = "gap"\nrate = 1.5', "fault 1 (gap): rate: 1.5 will not do: a number from 0 to 1"),
        ('[[fault]]\nkind = "gap"\nrate = true', "rate: True will not do"),
        ('[[fault]]\nkind = "gap"\nrate = nan', "rate: nan will not do"),
        ('[[fault]]\nkind = "gap"\nmeters = 7', "meters: 7 will not do: a text"),
        ('[[fault]]\nkind = "gap"\nstart = "soon"', "start: 'soon' will not do: a date or a time"),
        ('[[fault]]\nkind = "gap"\nstart = 2024-01-02\nend = 2024-01-01', "end: later than start"),
        ('[[fault]]\nkind = "burst"\nevery = "0.5s"', "every: '0.5s' will not do: a duration"),
        ('[[fault]]\nkind = "burst"\nevery = "-1h"', "every: '-1h' will not do: a duration"),
        ('[[fault]]\nkind = "burst"\nevery = "900000d"', "every: '900000d' will not do: a duration"),
        ('[[fault]]\nkind = "burst"\nlength = ["8h", "1h"]', "the shorter duration first"),
        ('[[fault]]\nkind = "burst"\nlength = ["8h"]', "a duration, or two of them"),
        ('[[fault]]\nkind = "burst"\nevery = "1m"\nlength = "3h"', "length: at most 100 times every"),
        ('[[fault]]\nkind = "delay"\nshape = "flat"', "shape: 'flat' will not do: one of uniform, heavy"),
        ('[[fault]]\nkind = "delay"\ntail = 0', "tail: 0 will not do: a number greater than 0"),
        ('[[fault]]\nkind = "outage"\nregions = -1', "regions: -1 will not do: a whole number, 0 or more"),
        ('[[fault]]\nkind = "interval-change"\nto = 1.5', "to: 1.5 will not do: whole seconds"),
        ('[[fault]]\nkind = "interval-change"\nto = "45m"', "to: a multiple or a part of before"),
        ('[[fault]]\nkind = "interval-change"\nannounce = 1', "announce: 1 will not do: true or false"),
        ('[[fault]]\nkind = "surge"\nfactor = 1', "factor: more than 1"),
        ('[[fault]]\nkind = "drop"\nfactor = 1', "factor: less than 1"),
        ('[[fault]]\nkind = "level-shift"\nfactor = 1', "factor: another one than 1, or add"),
        ('[[fault]]\nkind = "level-shift"\nstays = true', "stays: goes with start"),
        ('[[fault]]\nkind = "garbage"\nforms = []', "forms: [] will not do: a list of some of truncated"),
    ],
)
def test_what_will_not_do_is_named_with_file_fault_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        plan(tmp_path, text)
    assert str(problem.value).startswith("faults.toml")
    assert said in str(problem.value)


def test_a_name_that_is_neither_preset_nor_file_is_told_the_presets(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="neither a preset nor a file") as problem:
        plan_of("everythin")
    assert "everything" in str(problem.value.remedy)


@pytest.mark.parametrize("name", sorted(set(PRESETS) - {"none"}))
def test_every_preset_has_faults(name: str) -> None:
    assert plan_of(name).active


def test_together_the_presets_have_every_kind() -> None:
    kinds = {fault.kind for name in ("everything", "anomalies") for fault in plan_of(name).faults}
    assert kinds == set(KINDS)


def test_the_preset_of_anomalies_has_every_kind_of_them() -> None:
    assert {ANOMALIES[fault.kind] for fault in plan_of("anomalies").faults} == set(get_args(AnomalyKind))


def test_every_kind_option_and_preset_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    common = page.partition("## Options of every fault")[2].partition("\n## ")[0]
    for kind, fault in KINDS.items():
        section = page.partition(f"\n### {kind}\n")[2].partition("\n### ")[0]
        assert f'kind = "{kind}"' in section
        for field in dataclasses.fields(fault):
            if field.metadata:
                assert f"| `{field.name}` |" in (common if field.name in _COMMON else section), (
                    kind,
                    field.name,
                )
    for name in PRESETS:
        assert f"| `{name}` |" in page


_COMMON = ("meters", "share", "start", "end")
