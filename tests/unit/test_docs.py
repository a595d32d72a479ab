"""The pages say what the code says: names, defaults, commands, links."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from gridwatch import __version__
from gridwatch.cli import COMMANDS
from gridwatch.domain.partition.windows import METRICS
from gridwatch.domain.reading import FLAG_NAMES
from gridwatch.domain.validation.findings import REASONS
from gridwatch.models.anomaly import Anomaly, AnomalyKind
from gridwatch.models.gap_alert import GapState
from gridwatch.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
#: Read from the environment before there are settings.
_OTHER_VARIABLES = {"GRIDWATCH_CACHE", "GRIDWATCH_COMPILE", "GRIDWATCH_CONFIG", "GRIDWATCH_INGEST_KEY"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _first_column(page: str, heading: str) -> list[str]:
    """The code words in the first column of the table below a heading."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        name
        for line in re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    ]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", ROOT / "docs" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_tables_are_those_of_the_code(tables: ModuleType) -> None:
    for path in tables.PAGES:
        page = path.read_text(encoding="utf-8")
        assert page == tables.renewed(page), f"{path.name} is behind the code: make docs"


def test_the_readme_has_every_setting_and_every_command() -> None:
    readme = _text("README.md")
    for name in Settings.model_fields:
        assert f"| `{PREFIX}{name.upper()}` |" in readme, name
    for name in COMMANDS:
        assert f"| `gridwatch {name}` |" in readme, name


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_variable_that_is_spoken_of_exists(page: Path) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | _OTHER_VARIABLES
    assert set(re.findall(r"GRIDWATCH_[A-Z0-9_]*[A-Z]", page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_that_is_spoken_of_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    spoken = {
        *re.findall(r"^gridwatch ([a-z]+)", blocks, re.MULTILINE),
        *re.findall(r"`gridwatch ([a-z]+)", text),
    }
    assert spoken <= COMMANDS.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_make_target_that_is_spoken_of_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    spoken = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {first or second for first, second in spoken} <= targets


def test_every_make_target_says_what_it_does() -> None:
    makefile = _text("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def test_every_reason_of_a_dead_letter_is_explained_in_the_order_in_which_they_are_listed() -> None:
    assert _first_column(_text("docs/records.md"), "Reasons of a dead letter") == [
        *REASONS,
        "REFUSED_BY_DATABASE",
    ]


def test_every_flag_is_explained() -> None:
    assert _first_column(_text("docs/records.md"), "Flags of a reading") == list(FLAG_NAMES)


def test_every_metric_is_explained() -> None:
    assert set(METRICS) <= set(_first_column(_text("docs/records.md"), "Metrics"))


def test_every_state_of_a_gap_is_explained() -> None:
    assert _first_column(_text("docs/gaps.md"), "The states of a gap") == list(get_args(GapState))


def test_every_kind_and_every_field_of_an_anomaly_is_explained() -> None:
    page = _text("docs/anomalies.md")
    assert _first_column(page, "Kinds") == list(get_args(AnomalyKind))
    assert set(_first_column(page, "Record")) == set(Anomaly.__struct_fields__)


def test_the_changelog_has_this_version() -> None:
    assert f"## [{__version__}]" in _text("CHANGELOG.md")


def test_constraints_are_exact_and_name_no_host() -> None:
    lines = [line for line in _text("constraints.txt").splitlines() if not line.startswith("#")]
    loose = [
        line
        for line in lines
        if not re.fullmatch(
            r'[\w.-]+==[\w.]+( ; python_version (<|>=) "3\.\d+"( and python_version < "3\.\d+")?)?', line
        )
    ]
    assert not loose


#: Pages that lead through the code: a path there is one of the repository, or of the package.
MAPS = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "docs/architecture.md")),
    *(ROOT / "docs" / "decisions").glob("*.md"),
]


@pytest.mark.parametrize("page", MAPS, ids=lambda path: path.name)
def test_every_file_that_a_map_names_exists(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    names = re.findall(r"`([\w./-]+(?:/|\.py|\.md))`", text)
    within = (ROOT, ROOT / "gridwatch", ROOT / "gridwatch" / "streaming" / "faust")
    assert [name for name in names if not any((root / name).exists() for root in within)] == []
