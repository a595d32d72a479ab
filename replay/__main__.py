"""`python -m replay …` is `gridwatch replay …`."""

from __future__ import annotations

import sys

from gridwatch.cli import run

sys.exit(run(["replay", *sys.argv[1:]]))
