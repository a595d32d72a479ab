"""`gridwatch sample`: realistic meter data as a CSV file, the same for the same options on any day."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import DAY, MINUTE
from gridwatch.errors import GridwatchError, UsageProblem
from replay.households import MONDAY, Households, Slot
from replay.options import InstantType, IntervalType
from replay.profiles import PROFILES

HEADER = "meter_id,timestamp,consumption_kwh\n"
#: Slots that are worked out at once, and how many such chunks are remembered from meter to meter.
_SLOTS_A_CHUNK, _CHUNKS_REMEMBERED = 4_096, 64


@dataclass(frozen=True)
class Form:
    """How a line is written: `meter` takes the number of a meter, `line` meter, stamp and kWh."""

    header: str
    meter: str
    stamp: Callable[[int], str]
    line: str


def _london_stamp(time: int) -> str:
    return format_instant(time).replace("T", " ").replace("Z", ".0000000")


#: By the name of the profile that reads it.
FORMS = {
    "spec": Form(HEADER, "METER_{:04d}", format_instant, "{},{},{:.3f}\n"),
    "london": Form(
        "LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r\n",
        "MAC{:06d}",
        _london_stamp,
        "{},Std,{}, {:.3f} \r\n",
    ),
}


def lines(  # noqa: PLR0917 - the options of the command, in their order
    meters: int,
    days: int,
    interval: int,
    seed: int,
    start: int,
    by_time: bool,
    form: Form = FORMS["spec"],
) -> Iterator[str]:
    """The CSV in pieces of many lines; `interval` in minutes, `start` in µs."""
    households = Households(meters, interval, seed)
    names = [form.meter.format(number) for number in range(1, meters + 1)]
    times = range(start, start + days * DAY, interval * MINUTE)
    line = form.line.format
    yield form.header
    if by_time:
        for time in times:
            stamp = form.stamp(time)
            values = households.at(time, range(meters))
            yield "".join([line(name, stamp, value) for name, value in zip(names, values, strict=True)])
        return
    chunks = [times[first : first + _SLOTS_A_CHUNK] for first in range(0, len(times), _SLOTS_A_CHUNK)]
    known: dict[int, tuple[list[str], list[Slot]]] = {}
    for meter, name in enumerate(names):
        for chunk in chunks:
            if chunk.start not in known:
                if len(known) >= _CHUNKS_REMEMBERED:
                    known.clear()
                known[chunk.start] = (
                    [form.stamp(time) for time in chunk],
                    [households.slot(time) for time in chunk],
                )
            stamps, slots = known[chunk.start]
            values = households.of(meter, slots)
            yield "".join([line(name, stamp, value) for stamp, value in zip(stamps, values, strict=True)])


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
    if profile == "london" and interval != PROFILES[profile].interval:
        raise UsageProblem(f"--interval: readings of {profile} are every 30m", "leave it out")
    with _opened(output) as file:
        for piece in lines(meters, days, interval, seed, start, order == "time", FORMS[profile]):
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
