"""`gridwatch sample`: realistic meter data as a CSV file, the same for the same options on any day."""

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
from gridwatch.errors import GridwatchError
from replay.households import MONDAY, Households
from replay.options import InstantType, IntervalType

HEADER = "meter_id,timestamp,consumption_kwh\n"
_MINUTE = 60_000_000
_SLOTS_A_CHUNK = 512


def lines(  # noqa: PLR0917 - the options of the command, in their order
    meters: int, days: int, interval: int, seed: int, start: int, by_time: bool
) -> Iterator[str]:
    """The CSV in pieces of many lines; `interval` in minutes, `start` in µs."""
    households = Households(meters, interval, seed)
    names = [f"METER_{number:04d}" for number in range(1, meters + 1)]
    times = range(start, start + days * 1440 * _MINUTE, interval * _MINUTE)
    yield HEADER
    if by_time:
        for time in times:
            end = f",{format_instant(time)},"
            values = households.at(time, range(meters))
            yield "".join([f"{name}{end}{value:.3f}\n" for name, value in zip(names, values, strict=True)])
        return
    stamps = [format_instant(time) for time in times]
    for meter, name in enumerate(names):
        for first in range(0, len(times), _SLOTS_A_CHUNK):
            yield "".join(
                f"{name},{stamp},{households.at(time, range(meter, meter + 1))[0]:.3f}\n"
                for time, stamp in zip(
                    times[first : first + _SLOTS_A_CHUNK], stamps[first : first + _SLOTS_A_CHUNK], strict=True
                )
            )


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
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where to; compressed if it ends in .gz; - is stdout.",
)
def command(*, meters: int, days: int, interval: int, seed: int, start: int, order: str, output: str) -> None:
    """Make realistic meter data: daily and weekly shapes, households of several kinds, some with panels.

    Columns are meter_id, timestamp (UTC), consumption_kwh.
    """
    with _opened(output) as file:
        for piece in lines(meters, days, interval, seed, start, order == "time"):
            file.write(piece)
    if output != "-":
        count = meters * -(-days * 1440 // interval)
        click.echo(
            f"{output}: {count:,} readings of {meters:,} meters from {format_instant(start)}, "
            f"every {interval} min"
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
