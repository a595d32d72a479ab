"""`gridwatch chaos`: one input with and without random faults, and every difference."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import time
from pathlib import Path

import click

from chaos.schedule import KINDS
from gridwatch.deployment.signals import interrupted_by_signals
from gridwatch.errors import UsageProblem


def _kinds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    if value is None:
        return tuple(KINDS)
    chosen: set[str] = set()
    for word in value.split(","):
        meant = {kind for kind in KINDS if kind == word or kind.startswith(f"{word}-")}
        if not meant:
            raise UsageProblem(f"--kinds: {word!r} is none of them", f"known are: {', '.join(KINDS)}")
        chosen |= meant
    return tuple(kind for kind in KINDS if kind in chosen)


@click.command(epilog="Example:  gridwatch chaos --seeds 3 --faults 10")
@click.option(
    "--seeds",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="How many seeds, drawn at random.",
)
@click.option(
    "--seed",
    "chosen",
    type=click.IntRange(0),
    multiple=True,
    help="A seed to repeat; may be given several times.",
)
@click.option(
    "--faults", type=click.IntRange(0, 1000), default=10, show_default=True, help="Faults per seed."
)
@click.option(
    "--kinds", callback=_kinds, help="Only these kinds, by name or first word: worker,sink-kill,broker."
)
@click.option(
    "--readings",
    type=click.IntRange(100, 1_000_000),
    default=6000,
    show_default=True,
    help="Readings, roughly.",
)
@click.option("--workers", type=click.IntRange(1, 3), help="Workers at the start. Default: by seed.")
@click.option(
    "--early/--late",
    default=None,
    help="Whether all input is sent before the last third of the faults. Default: by seed.",
)
@click.option(
    "--replay-kills",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="Also kill and resume a replay this many times, and compare the raw topic.",
)
@click.option(
    "--subject",
    "place",
    default="chaos.subject:GRIDWATCH",
    show_default=True,
    metavar="MODULE:NAME",
    help="The worker under test, for one with further stages.",
)
@click.option(
    "--entrances",
    is_flag=True,
    help="The HTTP and MQTT entrances instead: everything that was acknowledged is stored exactly once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--keep", is_flag=True, help="Keep the folder with logs and data, as after a difference.")
@click.pass_context
def command(  # noqa: PLR0917  one per option
    context: click.Context,
    seeds: int,
    chosen: tuple[int, ...],
    faults: int,
    kinds: tuple[str, ...],
    readings: int,
    workers: int | None,
    early: bool | None,
    replay_kills: int,
    place: str,
    entrances: bool,
    as_json: bool,
    keep: bool,
) -> None:
    """Prove that failures change nothing: one input with and without random faults, compared.

    Starts a real Kafka and PostgreSQL and real workers and sinks in a temporary folder, and injects the
    faults of each seed: kill -9 at every step of a commit, frozen processes, servers down, disks damaged. At
    the end every row of the database, every output by its id, and the state of every meter must equal those
    of a fault-free run. Exit 1 if anything is lost, in excess or different. A seed repeats its schedule. The
    first run fetches Apache Kafka (43 MB) into the user's cache.

    With --entrances readings are sent over HTTP and published by MQTT through a real Mosquitto, which has to
    be installed; the entrances are killed, Kafka is stopped, connections are cut. What the senders were
    promised is compared with the database.
    """
    from rich.console import Console

    from chaos.entrances.run import EntranceChaos
    from chaos.report import as_data, print_result, print_summary
    from chaos.run import Chaos
    from chaos.schedule import make_schedule
    from chaos.servers import Servers
    from chaos.subject import subject_of

    subject = subject_of(place)
    console = Console(no_color=bool(os.environ.get("NO_COLOR")))
    drawn = chosen or tuple(random.SystemRandom().randrange(1_000_000) for _ in range(seeds))
    folder = Path(tempfile.mkdtemp(prefix="gridwatch-chaos-"))
    folder.chmod(0o755)
    began = time.monotonic()
    results = []
    servers = Servers(folder)
    try:
        with interrupted_by_signals():
            chaos = Chaos(servers, folder, readings, lambda line: click.echo(line, err=True), subject)
            of_entrances = EntranceChaos(servers, folder, lambda line: click.echo(line, err=True))
            for seed in drawn:
                if entrances:
                    click.echo(f"\nseed {seed}: entrances, {faults} faults", err=as_json)
                    result = of_entrances.run(seed, faults)
                else:
                    schedule = make_schedule(seed, faults, kinds, workers, early)
                    click.echo(f"\n{schedule}", err=as_json)
                    result = chaos.run(schedule)
                results.append(result)
                if not as_json:
                    print_result(console, result)
            if replay_kills:
                results.append(chaos.run_replay(drawn[0], replay_kills))
                if not as_json:
                    print_result(console, results[-1])
    finally:
        servers.stop()
        kept = keep or not all(result.same for result in results)
        if kept:
            click.echo(f"logs and data: {folder}", err=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        click.echo(json.dumps([as_data(result) for result in results], indent=2))
    else:
        print_summary(console, results, time.monotonic() - began)
    context.exit(0 if all(result.same for result in results) else 1)
