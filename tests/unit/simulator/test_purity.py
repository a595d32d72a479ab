"""A reading depends on seed, meter and time alone."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from gridwatch.simulator.model.fleet import make_fleet
from gridwatch.simulator.model.readings import Meters
from gridwatch.simulator.rows import Rows
from replay.files.rows import Row

ROOT = Path(__file__).parents[3]
MONDAY = 1_767_571_200
ZONE = "Europe/Berlin"


def rows(seed: int, start: int, end: int, every: int = 600, meters: int = 60) -> list[Row]:
    made = Meters(make_fleet(seed, meters, 2), ZONE, every)
    return [row for block in Rows(made).of(made.between(start, end)) for row in block]


def test_the_same_seed_makes_the_same_readings_byte_for_byte() -> None:
    assert rows(3, MONDAY, MONDAY + 7200) == rows(3, MONDAY, MONDAY + 7200)
    assert rows(3, MONDAY, MONDAY + 7200) != rows(4, MONDAY, MONDAY + 7200)


def test_readings_are_those_of_every_earlier_version() -> None:
    """Whoever changes the model on purpose raises `_MODEL` in request.py, and this digest."""
    digest = hashlib.blake2b(repr(rows(0, MONDAY, MONDAY + 86_400)).encode(), digest_size=8)
    assert digest.hexdigest() == "880fe6306d454c1c"


def test_a_window_that_starts_in_the_middle_agrees() -> None:
    whole = rows(1, MONDAY - 7200, MONDAY + 7200)
    middle = rows(1, MONDAY - 3599, MONDAY + 1)
    assert middle == [row for row in whole if MONDAY - 3600 < row[0] // 1_000_000 <= MONDAY]


def test_rows_are_in_order_of_time_and_meter_and_on_the_grid_of_the_interval() -> None:
    found = rows(1, MONDAY + 1, MONDAY + 7200, every=420)
    assert [row[:2] for row in found] == sorted(row[:2] for row in found)
    assert all(row[0] % 420_000_000 == 0 for row in found)


def test_an_interval_longer_than_the_rest_of_the_day_runs_into_the_next() -> None:
    found = rows(1, MONDAY, MONDAY + 3 * 86_400, every=7 * 3600, meters=5)
    hourly = rows(1, MONDAY, MONDAY + 4 * 86_400, every=3600, meters=5)
    for time, meter, kwh, _, _ in found:
        parts = [row[2] for row in hourly if row[1] == meter and time <= row[0] < time + 7 * 3_600_000_000]
        assert abs(kwh - sum(parts)) < 1e-5


def test_numpy_is_imported_by_the_simulator_alone() -> None:
    packages = ("gridwatch", "replay", "sinks", "chaos")
    importing = set()
    for path in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.split(".")[0] == "numpy" for name in names):
                importing.add(path.relative_to(ROOT).parts[:2])
    assert importing == {("gridwatch", "simulator")}
