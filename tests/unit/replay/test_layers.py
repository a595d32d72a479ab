"""No module of the replay imports another one that imports it; what packages hand on is left aside."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import replay


def imported(path: Path, names: set[str]) -> set[str]:
    """The modules of `names` that a file imports, for typing alone too, less what a function imports."""
    found = set()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    below = [inner for node in body if isinstance(node, ast.If) for inner in node.body]
    for node in body + below:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found & names


def test_imports_go_one_way() -> None:
    root = Path(replay.__file__).parent
    modules = {
        ".".join(path.relative_to(root.parent).with_suffix("").parts): path
        for path in root.rglob("*.py")
        if path.name != "__init__.py"
    }
    order = TopologicalSorter({name: imported(path, set(modules)) for name, path in modules.items()})
    assert len(list(order.static_order())) > 30
