"""A Faust application as a program: what `gridwatch worker` and `gridwatch sink` run."""

from __future__ import annotations

import gc
import sys


def run_faust(app: str, name: str, arguments: tuple[str, ...]) -> None:
    """Replace this program by Faust's command line."""
    gc.disable()  # what is imported stays: to look through it took a tenth of a start (`garbage.py` goes on)
    from gridwatch.settings import load_settings

    settings = load_settings()  # a wrong setting is said in one line, before anything starts
    from faust.cli.faust import cli

    # Faust's banner is no JSON.
    quiet = ["--quiet"] if settings.log_format == "json" else []
    sys.argv = ["faust", *quiet, "-A", app, name, *arguments]
    cli.main(args=sys.argv[1:], prog_name="faust")
