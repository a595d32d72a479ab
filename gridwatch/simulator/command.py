"""`gridwatch simulate`: a fleet of meters that is made up, as a stream on the raw topic."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click

from gridwatch.clock import now_micros
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.durations import micros
from gridwatch.errors import UsageProblem
from gridwatch.settings import Settings, load_settings
from gridwatch.simulator.entrance.address import Address
from gridwatch.simulator.entrance.options import address_for, http_options
from gridwatch.simulator.event_options import event_options, events_of
from gridwatch.simulator.events import Event
from gridwatch.simulator.options import EveryType, MomentType
from gridwatch.simulator.request import Request
from gridwatch.topics import flow
from replay.cli.options import DurationType, SpeedType, ZoneType, check_settling
from replay.run.progress import Terminal

_RATE = click.FloatRange(0, 1)
_FILE = click.Path(dir_okay=False, path_type=Path)
#: What `model/fleet.py` can name.
_METERS, _REGIONS = click.IntRange(1, 999_999), click.IntRange(1, 99)


@click.command(
    short_help="Make up a fleet of meters and send what it measures.",
    epilog="Example:  gridwatch simulate --meters 500 --every 15m --from -2d --outage R02@-20h+3h",
)
@click.option("--meters", type=_METERS, default=5000, show_default=True, help="How many meters.")
@click.option(
    "--every",
    type=EveryType(),
    default="10s",
    show_default=True,
    help="Time between two readings of a meter, 1s to 1d.",
)
@click.option(
    "--regions", type=_REGIONS, default=4, show_default=True, help="How many regions they are dealt to."
)
@click.option(
    "--mode",
    type=click.Choice(["kafka", "http"]),
    default="kafka",
    show_default=True,
    help="Where readings go: kafka is the raw topic of the flow (GRIDWATCH_FLOW), http is gridwatch ingest.",
)
@http_options
@click.option(
    "--speed",
    type=SpeedType(),
    default="max",
    show_default=True,
    help="max; 1: the past at once, then live by the clock; 60: event time 60 times as fast as the clock.",
)
@click.option(
    "--from",
    "start",
    type=MomentType(),
    default="-3h",
    show_default=True,
    help="First reading: -3h, now, a date or an instant.",
)
@click.option(
    "--until",
    "end",
    type=MomentType(),
    help="No reading from this time on; now if left out, never with --speed 1.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Other seeds, other meters and weather.")
@click.option(
    "--zone",
    type=ZoneType(),
    default="Europe/Berlin",
    show_default=True,
    help="Where the meters are: people get up by the clock on the wall.",
)
@event_options
@click.option("--drop", type=_RATE, default=0.0, help="Share of readings that are never sent.")
@click.option("--dup", type=_RATE, default=0.0, help="Share of readings that are sent twice.")
@click.option("--late", type=_RATE, default=0.0, help="Share of readings that are sent late.")
@click.option(
    "--late-by", type=DurationType(), default="5m", show_default=True, help="The latest that these come."
)
@click.option("--truth", type=_FILE, help="Write what must be detected to this file: see gridwatch score.")
@click.option("--registry", type=_FILE, help="Write every meter with its place in the grid to this CSV.")
@click.option("--regions-file", type=_FILE, help="Write the regions with capacity and price to this CSV.")
@click.option(
    "--no-registry",
    is_flag=True,
    help="Do not register meters and regions before the readings: they are known, or not to be.",
)
@click.option(
    "-o", "--output", type=_FILE, help="Write the readings to this CSV instead; gridwatch replay reads it."
)
@click.option(
    "--no-settle", is_flag=True, help="Send no last tick: a later window of the same fleet joins on."
)
@click.option(
    "--final",
    is_flag=True,
    help="Send a later last tick: nothing is waited for any more, so that every figure of the end is final.",
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted run of the same command stopped.")
@click.option("--dry-run", is_flag=True, help="Send nothing: counts, energy by class and the first readings.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    *,
    meters: int,
    every: int,
    regions: int,
    mode: str,
    url: str | None,
    key_file: Path | None,
    speed: float,
    start: int,
    end: int | None,
    seed: int,
    zone: str,
    drop: float,
    dup: float,
    late: float,
    late_by: int,
    truth: Path | None,
    registry: Path | None,
    regions_file: Path | None,
    no_registry: bool,
    output: Path | None,
    no_settle: bool,
    final: bool,
    resume: bool,
    dry_run: bool,
    as_json: bool,
    **events: tuple[Event, ...],
) -> None:
    """Send what a fleet of meters would measure: households, flats, heat pumps, electric cars, panels,
    businesses, street lighting, industry, with weather, voltage and one frequency for all.

    A reading depends on seed, meter and time alone: the same command sends the same again, and a window that
    starts in the middle agrees with one that starts earlier. Meters are called by where they hang: region
    R01, feeder R01-F0001, transformer R01-F0001-T1, meter R01-F0001-T1-M000001. Events name these, and FROM
    as --from does; × may be written x. docs/simulator.md has the classes and formulas.

    \b
    See what it would send:   gridwatch simulate --meters 20 --every 1m --from -1h --dry-run
    Live, after three hours:  gridwatch simulate --meters 200 --every 10s --speed 1
    A region overloaded:      gridwatch simulate --every 1m --overload R01@-1h+45m×1.8
    Faults, held to account:  gridwatch simulate --meters 50 --every 30m --from -2d --drop 0.02
                              --truth truth.jsonl, then gridwatch score truth.jsonl
    To a file:                gridwatch simulate --from 2026-01-01 --until 2026-01-02 -o day.csv
    To gridwatch ingest:      gridwatch simulate --mode http --url http://127.0.0.1:3001
    """
    # Its connection is tried again and again while a broker is away: we report the outcome once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = load_settings()
    if end is None and speed != 1:
        end = now_micros() // SECOND * SECOND
    address = address_for(mode, url, key_file)
    request = Request(
        meters, every, regions, start, end, zone, seed, speed or None, events_of(events),
        drop, dup, late, late_by, truth, not (no_settle or address), final, resume,
        not (no_registry or address), address is not None, flow(settings.flow).raw.name,
    )  # fmt: skip
    check_settling(no_settle=no_settle, final=final)
    _check(request, settings, output, address, dry_run=dry_run)
    _require_numpy()
    from gridwatch.simulator import report
    from gridwatch.simulator.modes import MODES, CsvFile, Way
    from gridwatch.simulator.registry import write_regions, write_registry
    from gridwatch.simulator.simulation import Simulation

    with Terminal() as terminal:
        simulation = Simulation(request, settings, terminal, terminal.warn)
        if registry is not None:
            write_registry(registry, simulation.fleet, zone, every)
        if regions_file is not None:
            write_regions(regions_file, simulation.fleet, zone)
        if dry_run:
            summary = simulation.plan()
        elif output is not None:
            summary = simulation.send(CsvFile(output, settings.policy().partitions))
        else:
            summary = simulation.send(MODES[mode](Way(settings, request.topic, terminal.warn, address)))
    if as_json:
        click.echo(json.dumps(report.as_dict(summary, request)))
    else:
        click.echo(report.text(summary, request, sent=not dry_run))
    if summary.answers and summary.answers.rejected:
        raise click.exceptions.Exit(1)


def _check(
    request: Request, settings: Settings, output: Path | None, address: Address | None, *, dry_run: bool
) -> None:
    if request.end is not None and request.start >= request.end:
        raise UsageProblem("--from must lie before --until", "correct one of them")
    if request.end is None and (request.truth or output or dry_run):
        raise UsageProblem(
            "--truth, -o and --dry-run need an end, and --speed 1 has none by itself", "add --until"
        )
    if output is not None and dry_run:
        raise UsageProblem("-o does not go with --dry-run, which writes no readings", "leave out one of them")
    if address is not None and output is not None:
        raise UsageProblem("-o does not go with --mode http, which sends readings", "leave out one of them")
    if address is not None and request.final:
        raise UsageProblem("--final is about the last tick, and none goes over HTTP", "leave out --final")
    if not request.readings and request.end is not None:
        raise UsageProblem(
            f"no interval of {request.every} s begins between --from and --until", "widen them"
        )
    longest = micros(settings.gap_memory) // 2
    if request.late_by > longest:
        raise UsageProblem(
            f"--late-by: at most {longest // MINUTE} minutes, half of GRIDWATCH_GAP_MEMORY",
            "a later reading would find its gap forgotten",
        )


def _require_numpy() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError as problem:
        raise UsageProblem(
            f"the simulator calculates with numpy, which is missing ({problem})",
            "pip install 'gridwatch[simulator]'",
        ) from problem
