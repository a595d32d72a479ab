"""Runs a Faust application as a program: `gridwatch worker` and `gridwatch sink`."""

from __future__ import annotations

import gc
import sys


def run_faust(app: str, name: str, arguments: tuple[str, ...]) -> None:
    """Run Faust's command line in this process."""
    # Imported objects are never garbage: collecting took a tenth of a start. `garbage.py` takes over later.
    gc.disable()
    from gridwatch.settings import load_settings

    settings = load_settings()  # a wrong setting is reported in one line, before anything starts
    from faust.cli.faust import cli

    # Faust's banner is not JSON.
    quiet = ["--quiet"] if settings.log_format == "json" else []
    sys.argv = ["faust", *quiet, "-A", app, name, *arguments]
    cli.main(args=sys.argv[1:], prog_name="faust")
