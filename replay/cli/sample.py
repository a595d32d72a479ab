"""`gridwatch sample`: realistic meter data as a CSV file."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError, UsageProblem
from replay.cli.options import InstantType, IntervalType
from replay.files.profiles import PROFILES
from replay.sample.households import MONDAY
from replay.sample.lines import FORMS, lines


@click.command(
    epilog="Example:  gridwatch sample --meters 10 --days 7 -o meters.csv",
    short_help="Make realistic meter data.",
)
@click.option(
    "--meters", type=click.IntRange(1, 10_000_000), default=10, show_default=True, help="How many meters."
)
@click.option("--days", type=click.IntRange(1, 36_600), default=7, show_default=True, help="How many days.")
@click.option(
    "--interval",
    type=IntervalType(),
    default="30m",
    show_default=True,
    help="Time between two readings of a meter.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Other seeds, other households.")
@click.option(
    "--start",
    type=InstantType(),
    default=MONDAY,
    show_default="2024-01-01",
    help="Time of the first readings.",
)
@click.option(
    "--order",
    type=click.Choice(["time", "meter"]),
    default="time",
    show_default=True,
    help="What rows are sorted by.",
)
@click.option(
    "--profile",
    type=click.Choice(sorted(FORMS)),
    default="spec",
    show_default=True,
    help="The profile that reads the file: london is every 30m, as Low Carbon London has it.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where to; compressed if it ends in .gz; - is stdout.",
)
def command(
    *,
    meters: int,
    days: int,
    interval: int,
    seed: int,
    start: int,
    order: str,
    profile: str,
    output: str,
) -> None:
    """Make realistic meter data: daily and weekly shapes, households of several kinds, some with panels.

    Columns are meter_id, timestamp (UTC), consumption_kwh, or those of the profile.
    """
    if profile == "london" and interval != 60 * PROFILES[profile].interval:
        raise UsageProblem(f"--interval: readings of {profile} are every 30m", "leave it out")
    with _opened(output) as file:
        for piece in lines(meters, days, interval / 60, seed, start, order == "time", FORMS[profile]):
            file.write(piece)
    if output != "-":
        count = meters * -(-days * 86_400 // interval)
        every = f"{interval} s" if interval % 60 else f"{interval // 60} min"
        click.echo(
            f"{output}: {count:,} readings of {meters:,} meters from {format_instant(start)}, every {every}"
        )


@contextmanager
def _opened(output: str) -> Iterator[IO[str]]:
    if output == "-":
        yield sys.stdout
        return
    try:
        with Path(output).open("wb") as raw:
            if not output.endswith(".gz"):
                with io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
                    yield text
                return
            # Neither name nor time in the gzip header: the same data is the same file.
            with (
                gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=raw, mtime=0) as packed,
                io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
            ):
                yield text
    except OSError as problem:
        raise GridwatchError(
            f"{output}: cannot be written: {problem.strerror}", "name another file with -o"
        ) from problem
