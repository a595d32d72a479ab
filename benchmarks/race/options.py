"""The options that the benchmarks share, alike in all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from benchmarks.race.contestants import Contestant

Option = Callable[[Any], Any]

KEEP: Option = click.option("--keep", is_flag=True, help="Renew the kept results and docs/ from this run.")


def whole(name: str, default: Any, meaning: str, *, least: int = 1, multiple: bool = False) -> Option:
    """An option `--name` that takes whole numbers; its argument is called `name`, too."""
    kind = click.IntRange(min=least)
    return click.option(
        f"--{name}", default=default, show_default=True, type=kind, multiple=multiple, help=meaning
    )


def readings(default: int, meaning: str) -> Option:
    """`--readings`, as the argument `count`: enough for a figure to mean something."""
    kind = click.IntRange(min=10_000)
    return click.option("--readings", "count", default=default, show_default=True, type=kind, help=meaning)


def real(name: str, argument: str, default: float, meaning: str, *, least: float) -> Option:
    """An option `--name` that takes numbers, as `argument`."""
    kind = click.FloatRange(min=least)
    return click.option(f"--{name}", argument, default=default, show_default=True, type=kind, help=meaning)


def only(contestants: Sequence[Contestant]) -> Option:
    """`--only`: which of the contestants take part."""
    names = click.Choice([one.name for one in contestants])
    meaning = "Contestants besides the floor and gridwatch. Default: all."
    return click.option("--only", multiple=True, type=names, help=meaning)
