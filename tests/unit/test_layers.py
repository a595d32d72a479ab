"""Imports go one way: one table of layers for the whole tree, every file of it, and no cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gridwatch", "sinks", "replay", "dashboards", "chaos")

#: From the bottom up: a room imports itself and those below it. Rooms of one line stand side by side and do
#: not know each other. A module of gridwatch itself is a room, too. A room within a room that is named here
#: has a place of its own; the rest of the outer one is one room.
LAYERS = (
    ("gridwatch.domain", "gridwatch.errors", "gridwatch.clock", "gridwatch.backoff", "gridwatch.plots"),
    ("gridwatch.domain.meter", "gridwatch.domain.validation", "gridwatch.domain.regions"),
    ("gridwatch.domain.registry",),
    ("gridwatch.domain.consumption",),
    ("gridwatch.domain.partials",),
    ("gridwatch.domain.partition",),
    ("gridwatch.durations", "gridwatch.models", "gridwatch.http", "gridwatch.embedded", "dashboards"),
    ("gridwatch.settings", "gridwatch.topics"),
    ("gridwatch.codecs", "gridwatch.tables", "gridwatch.logs"),
    ("gridwatch.kafka", "sinks.tables", "sinks.database", "gridwatch.bridge.formats"),
    ("replay.files", "replay.sample"),
    ("replay.files.values",),
    ("replay.files.reading",),
    ("replay.files.stamps",),
    ("replay.files.formats",),
    ("replay.files.profiles.datasets", "replay.files.profiles.portals", "replay.files.profiles.custom"),
    ("replay.files.profiles",),
    ("replay.files.detection", "replay.files.survey"),
    ("replay.faults.base",),
    ("replay.faults.missing", "replay.faults.network", "replay.faults.devices", "replay.faults.values"),
    ("replay.faults",),
    ("replay.order",),
    ("replay.sending", "replay.truth"),
    ("replay.scoring",),
    ("replay.run",),
    ("replay.cli",),
    ("replay",),
    ("gridwatch.simulator.model",),
    ("gridwatch.simulator",),
    ("sinks.migrations",),
    ("sinks.schema",),
    ("gridwatch.streaming", "gridwatch.streaming.faust"),
    ("gridwatch.streaming.stage",),
    ("gridwatch.health",),
    ("gridwatch.agents", "gridwatch.cluster", "gridwatch.registry", "sinks", "gridwatch.accounts"),
    ("gridwatch.registry.relay", "gridwatch.ingest", "gridwatch.bridge"),
    ("gridwatch.views",),
    ("gridwatch.app", "gridwatch.cli.export"),
    ("gridwatch.cli.doctor", "gridwatch.cli.scoring", "gridwatch.deployment"),
    ("gridwatch.cli.demo", "chaos"),
    ("gridwatch.cli.commands", "gridwatch.cli.registry", "gridwatch.cli.accounts"),
    ("gridwatch.cli",),
    ("gridwatch.__main__",),
)
#: The rooms whose docstring is a list of their files.
LISTED = (
    "dashboards",
    "gridwatch/health",
    "gridwatch/http",
    "gridwatch/plots",
    *(f"gridwatch/views{part}" for part in ("", "/lists", "/meter", "/registry")),
)
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


def room_of(module: str) -> str:
    """The room that a module is in. `python -m replay` is a way in, above everything."""
    if module.endswith("__main__") and not module.startswith("dashboards"):
        return "gridwatch.__main__"
    parts = module.split(".")
    within = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((room for room in within if room in HEIGHT), ".".join(parts[:2]))


def imports(path: Path, *, late: bool) -> Iterator[str]:
    """The modules of ours that a file imports; `late` with those that its functions do."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    within = ast.walk(tree) if late else _at_import(tree)
    for node in within:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found = module if module in MODULES else node.module
                if found in MODULES:
                    yield found


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _at_import(node)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_imports_from_its_own_room_and_from_below(path: Path) -> None:
    mine = room_of(name_of(path))
    upwards = {
        module
        for module in imports(path, late=True)
        if (other := room_of(module)) not in (mine, "gridwatch") and HEIGHT[other] >= HEIGHT[mine]
    }
    assert upwards == set()


def test_every_room_has_its_place() -> None:
    rooms = {room_of(module) for module in MODULES} - {"gridwatch"}
    assert rooms == HEIGHT.keys()


def test_no_module_imports_one_that_imports_it() -> None:
    # A package's __init__ hands on what is in it: it stands above its modules, and nobody inside asks it.
    graph = {
        name: {other for other in imports(path, late=False) if MODULES[other].name != "__init__.py"}
        for name, path in MODULES.items()
        if path.name != "__init__.py"
    }
    assert len(list(TopologicalSorter(graph).static_order())) > 200


def test_the_domain_imports_nothing_of_ours_but_itself() -> None:
    for name, path in MODULES.items():
        if name.startswith("gridwatch.domain"):
            assert all(other.startswith("gridwatch.domain") for other in imports(path, late=True)), name


@pytest.mark.parametrize("room", LISTED)
def test_a_room_is_small_and_its_docstring_lists_its_files(room: str) -> None:
    files = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py", "__main__.py"}
    listed = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert {name for name in files if name not in listed} == set()
    assert len(files) <= 14
