"""Progress messages of the embedded servers, for the user."""

from __future__ import annotations

import sys
from collections.abc import Callable

Report = Callable[[str], None]


def print_to_stderr(line: str) -> None:
    """The default report: results on stdout stay clean."""
    print(line, file=sys.stderr, flush=True)
