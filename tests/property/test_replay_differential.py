"""Files made from a known truth, by code that shares nothing with the replay: the energy of each meter and
local day is that of the truth to the mWh, or the file is refused with an error that names it and a remedy."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any
from unittest.mock import patch

import pytest

import tests.differential
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from replay.files.profiles import PROFILES, load_custom
from replay.files.rows import Row
from replay.order.emission import Item, Kind
from replay.order.time_order import RUN_ROWS
from replay.run.progress import Quiet
from replay.run.replay import Replay
from replay.run.request import Request
from tests.differential.case import Case
from tests.differential.choice import case
from tests.differential.comparison import difference

BLOCKS, A_BLOCK = 20, 100
SETTINGS = Settings()
DAY = 86_400_000_000
#: Profiles whose rows say their version: what stands is theirs to say only in order of time.
VERSIONED = ("nem12", "goiener", "green-button", "auto")
#: What a note says that names what was assumed where a file does not tell; the general word on stamps of two
#: instants, which every file of a repeated hour gets, is none.
ASSUMED = (
    "came more than twice",
    "taken as the first of the two",
    "taken as they come",
    "lie apart in a file",
    "not by the clock",
    "part thousands",
)


@dataclass
class Outcome:
    """What became of a file: the rows in the order of sending, or the error; and what was noted."""

    rows: list[tuple[int, str, float]] = field(default_factory=list)
    error: BaseException | None = None
    notes: list[str] = field(default_factory=list)


class Kept:
    """Stands where the sender does, and keeps what would be sent."""

    rows: list[tuple[int, str, float]]

    def __init__(self, *_: Any) -> None:
        """Whatever a sender needs."""

    def take(self, parts: Iterable[list[Row] | Item]) -> None:
        for part in parts:
            if isinstance(part, list):
                self.rows += [row[:3] for row in part]
            elif part.kind is Kind.READING and part.row is not None:
                self.rows.append(part.row[:3])


def replayed(one: Case, folder: Path, seed: int = 1) -> Outcome:
    """The file through all that `gridwatch replay` does before it sends."""
    file = folder / one.file
    file.write_bytes(one.data)
    outcome = Outcome()
    by_time = seed % 9 > 0 or one.profile in VERSIONED
    run_rows = 64 if seed % 5 == 0 else RUN_ROWS
    kept = type("KeptHere", (Kept,), {"rows": outcome.rows})
    try:
        profile = None
        if one.described:
            (folder / "profile.toml").write_text(one.described, encoding="utf-8")
            profile = load_custom(folder / "profile.toml")
        elif one.profile != "auto":
            profile = PROFILES[one.profile]
        settings = SETTINGS.model_copy(update={"timezone": one.timezone})
        request = Request((file,), profile, by_time=by_time)
        replay = Replay(request, settings, Quiet(), outcome.notes.append)
        with patch(f"{Replay.__module__}.Delivery", kept), patch(f"{Replay.__module__}.RUN_ROWS", run_rows):
            summary = replay.plan()
        outcome.notes += [*summary.tally.notes, *summary.doubts]
    except Exception as problem:  # what is no error of ours is the finding
        outcome.error = problem
    return outcome


def fault(one: Case, outcome: Outcome) -> str:
    """What is wrong with an outcome, or an empty text."""
    error = outcome.error
    if error is not None:
        if not isinstance(error, GridwatchError):
            return f"a traceback: {type(error).__name__}: {error}"
        names = one.file.removesuffix(".zip") in str(error) or "profile.toml" in str(error)
        if not (names and error.remedy):
            return f"an error without file or remedy: {error}"
        return f"refused, though the file says it all: {error}" if one.expect == "energy" else ""
    if one.expect != "energy" and any(word in note for note in outcome.notes for word in ASSUMED):
        return ""
    found = difference(one, outcome.rows)
    if found is not None:
        return f"silently wrong: {found.where}: expected {found.expected} mWh, got {found.got} mWh"
    return "taken without a word" if one.expect == "refused" else ""


def told(seed: int, one: Case, wrong: str) -> str:
    """A fault with all that is needed to see it again."""
    return (
        f"seed {seed}: {one.layout}\n{wrong}\nexpected: {one.expect} {one.why}\nzone {one.zone}, settings "
        f"{one.timezone}, profile {one.profile or 'custom'}:\n{one.described}\n{one.text[:600]}"
    )


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_meter_and_day_has_its_energy_or_the_file_is_refused(block: int, tmp_path: Path) -> None:
    faults, right = [], 0
    for seed in range(block * A_BLOCK, (block + 1) * A_BLOCK):
        one, folder = case(seed), tmp_path / str(seed)
        folder.mkdir()
        outcome = replayed(one, folder, seed)
        wrong = fault(one, outcome)
        if wrong:
            faults.append(told(seed, one, wrong))
        else:
            rmtree(folder)
        right += not wrong and outcome.error is None
    assert not faults, f"{len(faults)} of {A_BLOCK}; files under {tmp_path}\n\n" + "\n\n".join(faults)
    assert right > A_BLOCK // 2, "most files are to be read, not refused"


def test_the_files_are_of_every_layout_and_mostly_clear() -> None:
    made = [case(seed) for seed in range(0, BLOCKS * A_BLOCK, 4)]
    layouts = {one.layout.split(",")[0] for one in made}
    kinds = {"long", "span", "numbered", "day", "meters", "register"}
    assert layouts == kinds | (set(PROFILES) & layouts)
    assert len(layouts) > len(kinds) + 12
    clear = sum(one.expect == "energy" for one in made)
    assert 0.7 < clear / len(made) < 0.95
    assert any(one.expect == "refused" for one in made)


@pytest.mark.parametrize("seed", range(0, 40, 8))
def test_a_reading_that_is_lost_or_moved_or_changed_is_found(seed: int) -> None:
    one = case(seed)
    rows = [(start * 60_000_000, series, mwh / 1e6) for (series, start), mwh in one.energy.items()]
    assert difference(one, rows) is None
    time, series, kwh = rows[0]
    for wrong in ([], [(time, series, kwh + 1e-6)], [(time, series + "x", kwh)], [(time + DAY, series, kwh)]):
        assert difference(one, [*wrong, *rows[1:]]) is not None
    if one.placed:
        assert difference(one, [(time + 60_000_000, series, kwh), *rows[1:]]) is not None


def test_the_truth_is_not_made_by_the_code_that_is_tested() -> None:
    for file in Path(tests.differential.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import))
        names += [alias.name for node in imports for alias in node.names]
        assert not [name for name in names if name.split(".")[0] in ("replay", "gridwatch")], file.name
