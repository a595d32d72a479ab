"""Where results go: every run to `benchmarks/results/`, and with `--keep` also to what the repository keeps.

Kept are `benchmarks/kept/<name>.json` and `docs/images/speed-<name>.svg`. The tables of docs/speed.md and
docs/capacity.md are made of the kept JSON by `figures.py`.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.environments import ROOT

RESULTS = ROOT / "benchmarks" / "results"
KEPT = ROOT / "benchmarks" / "kept"
IMAGES = ROOT / "docs" / "images"


def write(name: str, results: Any, picture: str | None, *, keep: bool) -> None:
    """Write the results of one benchmark, and say where."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    written = [RESULTS / f"{name}.json"]
    written[0].write_text(text, encoding="utf-8")
    if picture is not None:
        written.append(RESULTS / f"{name}.svg")
        written[-1].write_text(picture, encoding="utf-8")
    if keep:
        KEPT.mkdir(exist_ok=True)
        written.append(KEPT / f"{name}.json")
        written[-1].write_text(text, encoding="utf-8")
        if picture is not None:
            written.append(IMAGES / f"speed-{name}.svg")
            written[-1].write_text(picture, encoding="utf-8")
    print("written:", ", ".join(str(path.relative_to(ROOT)) for path in written))


def kept(name: str) -> Any:
    """The kept results of a benchmark; empty if there are none yet."""
    file = KEPT / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
