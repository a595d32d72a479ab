"""Which stage of the worker a sampled stack belongs to.

A stack belongs to the stage of its innermost frame of gridwatch that a rule matches, so a call into a library
counts for its caller; a stack without one, such as a task of aiokafka's own, to that of the innermost frame
of a library. What no rule matches is "rest", and listed by function, so that nothing is hidden in it.
"""

from __future__ import annotations

import linecache
from collections import defaultdict
from collections.abc import Mapping

from benchmarks.measuring.sampled import GARBAGE, MAIN, NATIVE
from benchmarks.race.environments import ROOT

#: In the order in which a reading meets them.
STAGES: Mapping[str, str] = {
    "fetch": "from the broker to a batch: sockets, parsing record batches, Faust's delivery",
    "decode": "JSON to readings",
    "domain": "the rules: lateness, gaps, windows, state",
    "encode": "what was decided to JSON",
    "emit": "packing outputs into record batches",
    "commit": "state rows, packing them for the changelog, the order of a commit",
    "RocksDB": "reading and writing local state, its own threads included",
    "send": "handing batches to the broker and awaiting acks: outputs and changelog",
    "garbage": "looking for garbage in cycles",
    "rest": "event loop, pages, everything else",
}

#: (prefix of `module:function`, stage); the first match wins. Valid in the main thread.
#: A function without a stage counts for its caller.
_RULES: tuple[tuple[str, str], ...] = (
    ("gridwatch.codecs.decode:", "decode"),
    ("gridwatch.domain.", "domain"),
    ("gridwatch.codecs.", "encode"),
    ("gridwatch.tables.rows:", "commit"),
    ("gridwatch.tables.", "RocksDB"),
    ("gridwatch.kafka.emission:", "emit"),
    ("gridwatch.streaming.stage.changelog:", "commit"),
    ("gridwatch.kafka.packing:", ""),
    ("gridwatch.kafka.requests:", "send"),
    # Compiled, the domain has no frames of its own: it is called from here.
    ("gridwatch.streaming.stage.pipeline:_decide", "domain"),
    ("gridwatch.streaming.stage.pipeline:", "commit"),
    ("gridwatch.streaming.", "fetch"),
    ("gridwatch.kafka.", "fetch"),
)
_LIBRARIES = (
    ("rocksdict", "RocksDB"),
    ("aiokafka.producer.", "send"),
    ("aiokafka.consumer.", "fetch"),
    ("aiokafka.", "send"),
    ("faust.", "fetch"),
)
#: Lines of a function that call into C for another stage: a part of the line, and that stage.
_LINES = {"gridwatch.domain.partition.processor:_run": ("decode(", "decode")}
#: Frames of the event loop: frames up to these do not determine the stage.
_LOOP = ("mode.worker:execute_from_commandline", "asyncio.base_events:_run_once")


def stage_of(stack: str) -> str:
    """The stage of `thread;module:function;…`, outermost first."""
    thread, *frames = stack.split(";")
    if thread == NATIVE:
        return "RocksDB"
    if frames == [GARBAGE]:
        return "garbage"
    if thread != MAIN:
        return "fetch"  # the thread that Faust's consumer runs in
    if frames and (inline := _inline(frames[-1])):
        return inline
    inside = max((place + 1 for place, frame in enumerate(frames) if frame in _LOOP), default=0)
    for rules in (_RULES, _LIBRARIES):
        for frame in reversed(frames[inside:]):
            stage = next((stage for beginning, stage in rules if frame.startswith(beginning)), "")
            if stage:
                return stage
    return "rest"


def _inline(innermost: str) -> str:
    """The stage of a call into C in the line of a frame, or nothing."""
    function, _, line = innermost.rpartition(":")
    part, stage = _LINES.get(function, ("", ""))
    source = ROOT / f"{function.partition(':')[0].replace('.', '/')}.py"
    return stage if part and part in linecache.getline(str(source), int(line)) else ""


def parse(text: str) -> dict[str, int]:
    """µs of CPU by stack, from what the sampler wrote."""
    return {stack: int(weight) for stack, _, weight in (line.rpartition(" ") for line in text.splitlines())}


def between(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """µs by stack that came in between."""
    return {stack: more for stack, weight in after.items() if (more := weight - before.get(stack, 0)) > 0}


def by_stage(stacks: Mapping[str, int]) -> dict[str, int]:
    """µs by stage, every stage named."""
    sums = dict.fromkeys(STAGES, 0)
    for stack, weight in stacks.items():
        sums[stage_of(stack)] += weight
    return sums


def functions(stacks: Mapping[str, int], most: int) -> dict[str, list[tuple[str, int]]]:
    """Of each stage the functions with the most µs of their own, as (module:function, µs)."""
    own: dict[str, defaultdict[str, int]] = {stage: defaultdict(int) for stage in STAGES}
    for stack, weight in stacks.items():
        module, _, rest = stack.rpartition(";")[2].partition(":")
        own[stage_of(stack)][f"{module}:{rest.partition(':')[0]}".rstrip(":")] += weight
    return {
        stage: sorted(sums.items(), key=lambda item: -item[1])[:most] for stage, sums in own.items() if sums
    }
