"""`gridwatch chaos`, from a clone of the repository: the package `chaos/` is not installed with gridwatch."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from gridwatch.errors import GridwatchError

_CLONE = Path(__file__).parents[3]

if importlib.util.find_spec("chaos") is None and (_CLONE / "chaos" / "cli.py").is_file():
    sys.path.append(str(_CLONE))
try:
    from chaos.cli import command
except ModuleNotFoundError as problem:
    raise GridwatchError(
        "the fault injection of gridwatch chaos is not installed with gridwatch",
        "run it in a clone of the repository: make chaos",
    ) from problem

__all__ = ["command"]
