"""Fault plans from TOML: a file of one's own, or a preset, which is such a file too.

seed = 7                     # what --seed says comes first

[[fault]]
kind = "burst"
share = 0.2
every = "3d"
length = ["1h", "8h"]
"""

from __future__ import annotations

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from gridwatch.errors import UsageProblem
from replay.faults.base.fault import Fault
from replay.faults.catalogue import KINDS
from replay.faults.plan import FaultPlan

_PRESETS = files("replay.faults") / "presets"
#: Made of the rates of the command line alone.
_RATES = {
    "none": FaultPlan(),
    "seed-spec": FaultPlan(delay_rate=0.10, max_delay=300_000_000, gap_rate=0.05),
}
PRESETS = (
    *_RATES,
    *sorted(entry.name[: -len(".toml")] for entry in _PRESETS.iterdir() if entry.name.endswith(".toml")),
)


def plan_of(name: str) -> FaultPlan:
    """The plan of a preset, or of the file at this path. UsageProblem names what will not do."""
    if name in _RATES:
        return _RATES[name]
    if name in PRESETS:
        return _plan(name, (_PRESETS / f"{name}.toml").read_bytes())
    path = Path(name)
    try:
        return _plan(path.name, path.read_bytes())
    except FileNotFoundError as problem:
        raise UsageProblem(
            f"--faults {name}: neither a preset nor a file", f"presets are {', '.join(PRESETS)}"
        ) from problem
    except OSError as problem:
        raise UsageProblem(
            f"--faults {name}: cannot be read: {problem.strerror}", "name a TOML file"
        ) from problem


def _plan(name: str, content: bytes) -> FaultPlan:
    try:
        found = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageProblem(f"{name}: not TOML: {problem}", "correct the file") from problem
    for key in found:
        if key not in ("seed", "fault"):
            raise _wrong(name, key, "no such key; known are seed and [[fault]]")
    seed, listed = found.get("seed", 0), found.get("fault", [])
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise _wrong(name, "seed", "a whole number")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _wrong(name, "fault", "tables, each under [[fault]]")
    faults = tuple(_fault(name, number, table) for number, table in enumerate(listed, 1))
    return FaultPlan(seed=seed, faults=faults)


def _fault(name: str, number: int, table: dict[str, Any]) -> Fault:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        problem = f"{kind!r} is no kind of fault" if "kind" in table else "is missing"
        raise _wrong(f"{name}, fault {number}", "kind", f"{problem}; known are {', '.join(KINDS)}")
    where = f"{name}, fault {number} ({kind})"
    fields = dataclasses.fields(KINDS[kind])
    readers = {field.name: field.metadata["read"] for field in fields if field.metadata}
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key == "kind":
            continue
        if key not in readers:
            raise _wrong(where, key, f"no such option; known are {', '.join(readers)}")
        try:
            given[key] = readers[key](value)
        except ValueError as problem:
            raise _wrong(where, key, f"{value!r} will not do: {problem}") from problem
    fault = KINDS[kind](kind, **given)
    try:
        fault.check()
    except ValueError as problem:
        key, _, what = str(problem).partition(": ")
        raise _wrong(where, key, what) from problem
    return fault


def _wrong(where: str, key: str, what: str) -> UsageProblem:
    return UsageProblem(f"{where}: {key}: {what}", "correct the file; docs/faults.md describes every option")
