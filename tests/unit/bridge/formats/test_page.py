"""docs/mqtt-formats.md has the formats, names and reasons that the code has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.dsmr import MAX_TELEGRAM
from gridwatch.bridge.formats.quantities import NAMED
from gridwatch.bridge.formats.strict_json import MAX_DEPTH

ROOT = Path(__file__).parents[4]
ROOM = ROOT / "gridwatch" / "bridge" / "formats"
PAGE = (ROOT / "docs" / "mqtt-formats.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> list[str]:
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def reasons_in_the_code() -> set[str]:
    calls = (
        node
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name)
    )
    named = ("malformed", "add")
    return {
        node.args[0].id
        for node in calls
        if getattr(node.func, "id", getattr(node.func, "attr", None)) in named and node.args[0].id.isupper()
    }


def test_every_format_has_a_section() -> None:
    assert first_column(PAGE.partition("\n## ")[0]) == ["format", *FORMATS]
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == [*FORMATS, "Reasons"]


def test_every_name_that_carries_a_unit_is_listed() -> None:
    assert set(first_column(section("json"))) == {*NAMED, "state"}


def test_every_reason_is_explained() -> None:
    assert set(first_column(section("Reasons"))) == reasons_in_the_code()


def test_limits_are_those_of_the_code() -> None:
    assert f"more than {MAX_DEPTH} objects" in PAGE
    assert f"more than {MAX_TELEGRAM:,} characters".replace(",", " ") in PAGE


def test_the_room_lists_its_files() -> None:
    text = ast.get_docstring(ast.parse((ROOM / "__init__.py").read_text(encoding="utf-8"))) or ""
    files = {path.name for path in ROOM.glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"^(\w+\.py) ", text, re.MULTILINE)) == files
