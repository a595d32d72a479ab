"""Writes results: every run to `benchmarks/results/`, and with `--keep` also to the repository's kept ones.

Kept are `benchmarks/kept/<name>.json` and `docs/images/speed-<name>.svg`. The tables of docs/speed.md and
docs/capacity.md are generated from the kept JSON by `figures.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.race.environments import ROOT

RESULTS = ROOT / "benchmarks" / "results"
KEPT = ROOT / "benchmarks" / "kept"
IMAGES = ROOT / "docs" / "images"


def write(name: str, results: Any, *, keep: bool, pictures: Mapping[str, str] | None = None) -> None:
    """Write the results of one benchmark and its plots (SVG by name), and print their paths."""
    text = json.dumps(results, indent=1) + "\n"
    drawn = pictures or {}
    files = {RESULTS / f"{name}.json": text} | {RESULTS / f"{one}.svg": svg for one, svg in drawn.items()}
    if keep:
        files[KEPT / f"{name}.json"] = text
        files |= {IMAGES / f"speed-{one}.svg": svg for one, svg in drawn.items()}
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    print("written:", ", ".join(str(file.relative_to(ROOT)) for file in files))


def kept(name: str) -> Any:
    """The kept results of a benchmark; empty if there are none yet."""
    file = KEPT / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
