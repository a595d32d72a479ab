"""The rooms of the code say what is in them, and stay small enough to be read at a glance."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gridwatch", "sinks", "replay", "dashboards", "chaos", "benchmarks")
ROOMS = sorted(path.parent for package in PACKAGES for path in (ROOT / package).rglob("__init__.py"))
MOST_MODULES = 14


def modules_of(room: Path) -> set[str]:
    return {path.name for path in room.glob("*.py")} - {"__init__.py", "__main__.py"}


def named_in(room: Path) -> set[str]:
    """What begins a line of the docstring as a module or a room."""
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    words = (line.split()[0] for line in text.splitlines() if line.strip())
    return {word for word in words if word.endswith((".py", "/")) and word.strip("/")}


@pytest.mark.parametrize(
    "room",
    [
        room
        for room in ROOMS
        if room.is_relative_to(ROOT / "replay") or room.is_relative_to(ROOT / "gridwatch" / "simulator")
    ],
    ids=lambda room: str(room.relative_to(ROOT)),
)
def test_a_room_lists_its_modules_and_rooms(room: Path) -> None:
    below = (path for path in room.iterdir() if path.is_dir() and path.name != "__pycache__")
    rooms = {f"{path.name}/" for path in below if any(path.glob("*.*"))}
    assert named_in(room) == modules_of(room) | rooms


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_has_few_modules(room: Path) -> None:
    assert len(modules_of(room)) <= MOST_MODULES
