"""The domain imports the standard library only, does no I/O and never asks what time it is."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import gridwatch.domain

MODULES = sorted(Path(gridwatch.domain.__file__).parent.rglob("*.py"))
FORBIDDEN = {
    "time",
    "os",
    "io",
    "socket",
    "random",
    "secrets",
    "threading",
    "asyncio",
    "subprocess",
    "pathlib",
}


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_it_imports_the_standard_library_and_itself_only(module: Path) -> None:
    for name in imported(ast.parse(module.read_text())):
        top = name.partition(".")[0]
        own = name.startswith("gridwatch.domain")
        assert own or (top in sys.stdlib_module_names and top not in FORBIDDEN), (
            f"{module.name} imports {name}"
        )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_it_never_asks_what_time_it_is(module: Path) -> None:
    asked = {
        node.attr
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today", "monotonic", "perf_counter"}
    }
    assert asked == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_module_says_its_rule_on_top_and_stays_readable(module: Path) -> None:
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 260
