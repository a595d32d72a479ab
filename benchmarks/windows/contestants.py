"""Who takes part in the job "windows", each with the settings that its documentation has for it."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.race import contestants as race
from benchmarks.race.contestants import Contestant
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, VALIDATED

_PEERS = "benchmarks.peers.windows"
_MINUTES = (VALIDATED.name, AGGREGATES_1M.name)

FLOOR = replace(
    race.FLOOR,
    settings="sums in a dict, written as the watermark passes a minute; otherwise as in the other job",
    arguments=("-m", f"{_PEERS}.floor"),
)
BYTEWAX = replace(
    race.BYTEWAX,
    settings="fold_window over TumblingWindower, unordered, by event time alone (now_getter, to_system_utc);"
    " otherwise as in the other job",
    arguments=("-m", "bytewax.run", f"{_PEERS}.bytewax_flow:flow"),
)
QUIX = replace(
    race.QUIX,
    settings="tumbling_window with grace, sum, final; windows closed by their meter, which is its default;"
    " otherwise as in the other job",
    arguments=("-m", f"{_PEERS}.quix_streams"),
    extra=(("BENCH_CLOSING", "key"),),
)
QUIX_PARTITION = replace(
    QUIX,
    name="quix-partition",
    title="Quix Streams, the same, windows closed by partition",
    settings="the same, windows closed by their partition, as gridwatch does it",
    extra=(("BENCH_CLOSING", "partition"),),
)
FAUST = replace(
    race.FAUST,
    settings="a tumbling table by event time, without expiry; a meter's readings close its minutes;"
    " otherwise as in the other job",
    arguments=tuple(one.replace("benchmarks.peers", _PEERS) for one in race.FAUST.arguments),
)


def _gridwatch(name: str, title: str, windows: str, flows: str, outputs: tuple[str, ...]) -> Contestant:
    settings = f"GRIDWATCH_WINDOWS={windows}, GRIDWATCH_REGION_FLOWS={flows}; otherwise as in the other job"
    extra = (("windows", windows), ("region_flows", flows))
    return replace(
        race.GRIDWATCH,
        name=name,
        title=f"gridwatch, {title}",
        settings=settings,
        extra=extra,
        outputs=outputs,
    )


def _compiled(one: Contestant) -> Contestant:
    return replace(
        one,
        name=one.name.replace("gridwatch", "gridwatch-compiled"),
        title=f"{one.title}, compiled",
        compiled=True,
    )


GRIDWATCH = _gridwatch(
    "gridwatch", "1m, 15m and regions", "1m,15m", "smartmeter", (*_MINUTES, AGGREGATES_15M.name)
)
GRIDWATCH_1M = _gridwatch("gridwatch-1m", "1m", "1m", "none", _MINUTES)
GRIDWATCH_NONE = _gridwatch("gridwatch-none", "no windows", "none", "none", (VALIDATED.name,))

CONTESTANTS = (
    FLOOR,
    BYTEWAX,
    QUIX,
    QUIX_PARTITION,
    FAUST,
    *(GRIDWATCH, GRIDWATCH_1M, GRIDWATCH_NONE),
    *map(_compiled, (GRIDWATCH, GRIDWATCH_1M, GRIDWATCH_NONE)),
)
