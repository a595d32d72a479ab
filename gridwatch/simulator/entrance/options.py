"""The options of `gridwatch simulate` that are about `--mode http`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gridwatch.errors import UsageProblem
from gridwatch.simulator.entrance.address import Address, address_of, key_of

#: Whatever the command does with these options, it is the same command.
Command = Callable[..., Any]


def http_options(command: Command) -> Command:
    """Add the options to a command."""
    command = click.option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --mode http: the file that holds the API key; else it is read from GRIDWATCH_INGEST_KEY.",
    )(command)
    return click.option(
        "--url", help="With --mode http: the address of gridwatch ingest, such as http://127.0.0.1:3001."
    )(command)


def address_for(mode: str, url: str | None, key_file: Path | None) -> Address | None:
    """The service to send to; None in the other modes. UsageProblem for options that do not go together."""
    if mode == "http":
        if not url:
            raise UsageProblem(
                "--mode http needs the address of gridwatch ingest", "add --url http://127.0.0.1:3001"
            )
        return address_of(url, key_of(key_file, os.environ))
    for option, value in (("--url", url), ("--key-file", key_file)):
        if value is not None:
            raise UsageProblem(f"{option} is for --mode http", f"add --mode http, or leave out {option}")
    return None
