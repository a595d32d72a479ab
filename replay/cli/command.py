"""`gridwatch replay`: meter files as a stream on the raw topic."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import click

from gridwatch import topics
from gridwatch.durations import micros
from gridwatch.errors import UsageProblem
from gridwatch.settings import load_settings
from replay.cli.options import (
    DurationType,
    InstantType,
    IntervalType,
    SizeType,
    SpeedType,
    ZoneType,
    check_settling,
)
from replay.cli.report import done, found
from replay.faults import FaultPlan
from replay.faults.file import PRESETS, plan_of
from replay.files.detection.detect import detect
from replay.files.job import Flow, Selection
from replay.files.profiles import PROFILES, Profile, load_custom
from replay.files.sources import expand
from replay.run.progress import Terminal
from replay.run.replay import Replay
from replay.run.request import Request

_RATE = click.FloatRange(0, 1)


@click.command(
    epilog="Example:  gridwatch replay meters.csv --faults seed-spec --seed 7 --truth truth.jsonl",
    short_help="Turn meter files into a stream on the raw topic.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--profile",
    type=click.Choice(["auto", "custom", *sorted(PROFILES)]),
    default="spec",
    show_default=True,
    help="How the files are laid out; auto finds out, custom takes --profile-file.",
)
@click.option(
    "--profile-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The TOML file of the custom profile.",
)
@click.option(
    "--speed",
    type=SpeedType(),
    default="max",
    show_default=True,
    help="Event time against the clock: 1, 60, or max.",
)
@click.option(
    "--order",
    type=click.Choice(["time", "file"]),
    default="time",
    show_default=True,
    help="Merge rows by time, or send them as they lie.",
)
@click.option(
    "--faults",
    metavar="PRESET|FILE",
    default="none",
    show_default=True,
    help=f"Faults from a TOML file, or ready-made: {', '.join(PRESETS)}.",
)
@click.option("--delay-rate", type=_RATE, help="Share of readings that are sent late.")
@click.option("--max-delay", type=DurationType(), help="Longest delay, such as 5m.")
@click.option("--gap-rate", type=_RATE, help="Share of readings that are never sent.")
@click.option(
    "--seed",
    type=int,
    help="What the faults are drawn from, with meter and time; 0, or what the file of faults says.",
)
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what must be detected to this file (JSON lines).",
)
@click.option("--start", type=InstantType(), help="Leave out readings before this time.")
@click.option("--end", type=InstantType(), help="Leave out readings from this time on.")
@click.option(
    "--meters",
    default="*",
    show_default=True,
    metavar="GLOB",
    help="Replay only meters whose id matches, such as 'METER_00*'.",
)
@click.option(
    "--flow",
    type=click.Choice(["both", "consumption", "generation"]),
    default="both",
    show_default=True,
    help="Of meters that count both ways: which series, each a meter of its own.",
)
@click.option(
    "--interval", type=IntervalType(), help="Send this interval with each reading that has none, such as 15m."
)
@click.option(
    "--zone",
    type=ZoneType(),
    help="Read stamps without offset in this zone, whatever the profile says, such as Europe/Dublin.",
)
@click.option(
    "--no-settle", is_flag=True, help="Send no last tick: what is missing at the very end stays undecided."
)
@click.option(
    "--final",
    is_flag=True,
    help="Send a later last tick: nothing is waited for any more, so that every figure of the end is final.",
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted replay of the same command stopped.")
@click.option("--skip-bad", is_flag=True, help="Count rows that cannot be read, and go on.")
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write rows that cannot be read to this file (CSV); goes with --skip-bad.",
)
@click.option(
    "--memory", type=SizeType(), help="Memory for the whole replay, such as 500M; sorts on disk beyond that."
)
@click.option("--dry-run", is_flag=True, help="Send nothing: say what was found and assumed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    *,
    files: tuple[Path, ...],
    profile: str,
    profile_file: Path | None,
    speed: float,
    order: str,
    faults: str,
    delay_rate: float | None,
    max_delay: int | None,
    gap_rate: float | None,
    seed: int | None,
    truth: Path | None,
    start: int | None,
    end: int | None,
    meters: str,
    flow: Flow,
    interval: int | None,
    zone: str | None,
    no_settle: bool,
    final: bool,
    resume: bool,
    skip_bad: bool,
    rejected: Path | None,
    memory: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Replay meter files to the raw topic of the flow that GRIDWATCH_FLOW names, in time order, with ticks
    and, if asked for, faults.

    FILE is a file, a folder or a pattern, plain, gzip or zip. In the profile spec a row is meter_id (or
    meterId, id), timestamp, consumption_kwh (or consumption, kwh), below a header; docs/datasets.md has the
    others, docs/faults.md the faults, which are drawn from seed, meter and time alone.
    """
    # Its connection is tried again and again while a broker is away: we report the outcome once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = load_settings()
    if zone is not None:
        settings = settings.model_copy(update={"timezone": zone})
    chosen = plan_of(faults)
    plan = replace(
        chosen,
        seed=chosen.seed if seed is None else seed,
        delay_rate=chosen.delay_rate if delay_rate is None else delay_rate,
        max_delay=chosen.max_delay if max_delay is None else max_delay,
        gap_rate=chosen.gap_rate if gap_rate is None else gap_rate,
    )
    selection = Selection(start, end, meters, flow)
    if rejected is not None and not skip_bad:
        raise UsageProblem("--rejected goes with --skip-bad", "add --skip-bad")
    check_settling(no_settle=no_settle, final=final)
    _check(plan, order, truth, selection, micros(settings.gap_memory) // 2)
    request = Request(
        files,
        _profile(profile, profile_file, files, zone),
        speed or None,
        order == "time",
        plan,
        selection,
        interval or 0,
        truth,
        not no_settle,
        final,
        resume,
        skip_bad,
        topic=topics.flow(settings.flow).raw.name,
        memory=memory,
        rejected=rejected,
    )
    with Terminal() as terminal:
        replay = Replay(request, settings, terminal, terminal.warn)
        summary = replay.plan() if dry_run else replay.send()
    if as_json:
        click.echo(json.dumps(summary.as_dict()))
    else:
        click.echo(found(summary, request, summary.zone) if dry_run else done(summary, request))


def _profile(name: str, file: Path | None, files: tuple[Path, ...], zone: str | None) -> Profile | None:
    """The profile that was named, in the zone that was; None where it is to be found out."""
    if (name == "custom") != (file is not None):
        raise UsageProblem("--profile custom and --profile-file go together", "give both, or none")
    if file is not None:
        profile = load_custom(file)
    elif name != "auto":
        profile = PROFILES[name]
    elif zone is None:
        return None
    else:
        profile = detect(expand(files), zone)[0]
    return profile if zone is None else replace(profile, zone=zone, zone_known=False)


def _check(plan: FaultPlan, order: str, truth: Path | None, selection: Selection, longest: int) -> None:
    if order == "file" and truth is not None:
        raise UsageProblem(
            "--truth does not go with --order file",
            "leave out --order file: only a replay by time has a known truth",
        )
    if plan.max_delay > longest:
        raise UsageProblem(
            f"--max-delay: at most {longest // 60_000_000} minutes, half of GRIDWATCH_GAP_MEMORY",
            "a later reading would find its gap forgotten",
        )
    if selection.start is not None and selection.end is not None and selection.start >= selection.end:
        raise UsageProblem("--start must lie before --end", "correct one of them")
