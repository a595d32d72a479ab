"""Lines taken many at a time are the rows, counts and complaints of lines taken one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.errors import GridwatchError
from replay.files.formats.long_rows import LongParser
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading import reader
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import at

GOOD = st.tuples(
    st.sampled_from(["A", "B", " C ", "Ü", '"D,D"', '"E\nE"']),
    st.sampled_from([f"2024-10-27 {hour:02d}:{half}0:00" for hour in range(4) for half in (0, 3)]),
    st.sampled_from(["0", "0.25", " 1.5 ", "-1", "1e3"]),
)
ODD = st.one_of(
    st.tuples(st.sampled_from(["", "A\x01"]), st.just("2024-10-27 00:00:00"), st.just("1")),
    st.tuples(
        st.just("A"), st.sampled_from(["2024-03-31 01:30:00", "2024-10-27T10:00Z", "never", ""]), st.just("1")
    ),
    st.tuples(
        st.just("A"),
        st.just("2024-10-27 00:00:00"),
        st.sampled_from(["1,5", "Null", " NULL", "", "nan", "1e999", "1_0"]),
    ),
).map(",".join) | st.sampled_from(["", "A,B", "a,b,c,d", "LCLid,tstp,energy(kWh/hh)", '"'])
LINES = st.lists(st.one_of(*[GOOD.map(",".join)] * 5, ODD), max_size=12)
SELECTIONS = st.sampled_from(
    [Selection(), Selection(meters="A*"), Selection(at("00:30", 27) + 270 * 86_400_000_000)]
)


def read(path: Path, profile: str, selection: Selection, skip_bad: bool) -> tuple[list[Row], Tally, Any]:
    tally, found = Tally(), []
    try:
        for block in read_rows(path, PROFILES[profile], "Europe/London", selection, tally, skip_bad=skip_bad):
            found += block
    except GridwatchError as problem:
        return found[:0], Tally(), str(problem)
    return found, tally, None


@given(LINES, st.sampled_from(["spec", "london-kaggle"]), SELECTIONS, st.booleans(), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_lines_taken_together_are_lines_taken_one_by_one(
    lines: list[str], profile: str, selection: Selection, skip_bad: bool, at_once: int
) -> None:
    header = "id,timestamp,kwh" if profile == "spec" else "LCLid,tstp,energy(kWh/hh)"
    with tempfile.TemporaryDirectory() as folder, patch.object(reader, "_LINES_AT_ONCE", at_once):
        path = Path(folder) / "meters.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="")
        together = read(path, profile, selection, skip_bad)
        with patch.object(LongParser, "together", lambda self, lot: None):
            singly = read(path, profile, selection, skip_bad)
    assert together == singly
