"""The page of planned outages, over all workers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.partition.state import PartitionState
from gridwatch.http.queries import MAX_LIMIT, one_of, parameters, text, whole
from gridwatch.http.reply import Problem, Reply
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.views import state
from gridwatch.views.lists.pages import DEFAULT_LIMIT
from gridwatch.views.lists.rankings import Rank
from gridwatch.views.registry.outages import (
    COMING,
    NOW,
    PHASES,
    describe_outage,
    merged,
    read_outages,
    version_in,
)
from gridwatch.views.state import Record
from gridwatch.views.watch import Watch


def rank_of(outage: Record) -> Rank:
    """What is or will be first, the sooner it ends the earlier; then what has been, the last one first."""
    over = outage["phase"] not in (NOW, COMING)
    until = parse_instant(outage["until"])[0]
    return over, -until if over else until, outage["outage_id"]


def cursor_of(outage: Record) -> str:
    """The cursor for the page after this row, as `read_cursor` parses it."""
    over, until, outage_id = rank_of(outage)
    return f"{'over' if over else 'ahead'}:{abs(until)}:{outage_id}"


def read_cursor(text: str) -> Rank:
    """The rank of the last row before a page; Problem 400 for a malformed cursor."""
    kind, until, outage_id = (*text.split(":", 2), "", "")[:3]
    if kind not in ("ahead", "over") or not (until.isascii() and until.isdigit()) or not outage_id:
        raise Problem(400, f"after: {text!r} is not a cursor of the list of planned outages")
    return kind == "over", -int(until) if kind == "over" else int(until), outage_id


class OutagePage:
    """Planned outages, as the partitions know them."""

    def __init__(self, pipeline: Pipeline[PartitionState], watch: Watch, partitions: int) -> None:
        self._pipeline = pipeline
        self._watch = watch
        self._partitions = partitions

    async def page(self, request: Any) -> Reply:
        """Planned outages: those of now and to come first."""
        asked = parameters(
            request.query, {"phase": one_of(PHASES), "after": text, "limit": whole(1, MAX_LIMIT)}
        )
        phase, after = asked.get("phase", ""), asked.get("after", "")
        limit = asked.get("limit", DEFAULT_LIMIT)
        last = read_cursor(after) if after else None
        self._watch.require_state()
        mine = self._mine(phase, last, limit + 1)
        incomplete: list[str] = []
        if asked_by_a_worker(request):
            answers = [await mine]
        else:
            path = f"/outages/?{urlencode({'phase': phase, 'after': after, 'limit': limit})}"
            part, (others, incomplete) = await asyncio.gather(mine, self._watch.cluster.ask_all(path))
            answers, incomplete = [part, *others], incomplete + self._watch.unowned_reasons()
        found = sorted(merged(one["outages"] for one in answers).values(), key=rank_of)
        outages = found[:limit]
        more = len(found) > limit or any(one["next"] is not None for one in answers)
        counts = {name: max(one["counts"][name] for one in answers) for name in PHASES}
        data = {
            "outages": outages,
            "phase": phase,
            "limit": limit,
            "partitions": self._partitions,
            "counts": counts,
            "complete": all(one["complete"] for one in answers),
            "next": cursor_of(outages[-1]) if more and outages else None,
            "incomplete": incomplete,
        }
        return Reply(data, "outages.html", shown={"after": after, "phases": PHASES, "chosen": phase})

    async def _mine(self, phase: str, after: Rank | None, limit: int) -> Record:
        """This worker's part, in the shape of another worker's answer: the outages that the first of its
        partitions knows, each with how many of its partitions know that version."""
        own = self._watch.cluster.own_partitions()
        counts = dict.fromkeys(PHASES, 0)
        if not own:
            return {"outages": [], "counts": counts, "complete": True, "next": None}
        known, complete = await read_outages(lambda: self._pipeline.store, own[0])
        self._watch.require_state()
        store = self._pipeline.store
        partition = state.read_partition(store, own[0])
        watermark = None if partition is None else partition.watermark
        found = [describe_outage(outage_id, outage, watermark) for outage_id, outage in known]
        for one in found:
            counts[one["phase"]] += 1
        shown = sorted(
            (
                one
                for one in found
                if (not phase or one["phase"] == phase) and (after is None or rank_of(one) > after)
            ),
            key=rank_of,
        )[:limit]
        own = self._watch.cluster.own_partitions()
        for one in shown:
            version = one["version"]
            one["known_by"] = sum(version_in(store, number, one["outage_id"]) == version for number in own)
        return {"outages": shown, "counts": counts, "complete": complete, "next": None}
