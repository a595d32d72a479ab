"""The pages: each a question to this worker's state and, for what others own, to theirs.

A page is first made as plain data, which is its JSON; its HTML shows the same data. What cannot be had
(a worker that does not answer, a partition without owner) is named in `incomplete`, so that a part is never
taken for the whole.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from gridwatch.clock import now_micros
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.durations import micros
from gridwatch.settings import Settings
from gridwatch.streaming.pipeline import Pipeline
from gridwatch.topics import RAW
from gridwatch.views import state
from gridwatch.views.gap_search import KINDS, GapSearch, Place, place
from gridwatch.views.meter_plot import meter_plot
from gridwatch.views.queries import MAX_LIMIT, Problem, one_of, parameters, text, whole
from gridwatch.views.routing import ASKED_BY, Answer
from gridwatch.views.state import Record
from gridwatch.views.watch import Watch

DEFAULT_LIMIT = 50
#: The template of what is for machines alone.
JSON_ONLY = ""


@dataclass(frozen=True)
class Reply:
    """A page: the data that is its JSON, the template that shows it, and what only the template needs."""

    data: Record
    template: str
    status: int = 200
    shown: Record = field(default_factory=dict)


Handler = Callable[..., Awaitable[Reply | Answer]]


class Pages:
    """Every page of a worker.

    Args:
        watch: what this worker knows of itself and of the others.
    """

    def __init__(self, settings: Settings, pipeline: Pipeline, watch: Watch) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._watch = watch
        self._search = GapSearch(settings, pipeline, watch)
        self._grace = micros(settings.grace)

    # -- the whole

    async def overview(self, request: Any) -> Reply:
        """How it stands, in a few numbers."""
        parameters(request.query, {})
        partitions, incomplete = await self._watch.all_partitions()
        reasons = await self._watch.reasons()
        watermarks = sorted(
            (parse_instant(one["watermark"])[0], one["watermark"])
            for one in partitions
            if one["watermark"] is not None
        )
        commits = [owned.last_commit for owned in self._pipeline.owned.values() if owned.last_commit]
        mine = self._watch.cluster.mine()
        workers = []
        for url in sorted({self._watch.cluster.me, *(one["owner"] for one in partitions if one["owner"])}):
            theirs = [one for one in partitions if one["owner"] == url]
            numbers = [one["partition"] for one in theirs]
            workers.append({"url": url, "partitions": numbers, **_sums(theirs)})
        data = {
            "ready": not reasons,
            "reasons": reasons,
            **_sums(partitions),
            "partitions": self._settings.partitions,
            "partitions_owned": len(mine),
            "watermark_lowest": watermarks[0][1] if watermarks else None,
            "watermark_highest": watermarks[-1][1] if watermarks else None,
            "watermark_lag_seconds": (now_micros() - watermarks[0][0]) / 1e6 if watermarks else None,
            "last_commit": state.instant(int(max(commits)) * 1_000_000) if commits else None,
            "workers": workers,
            "incomplete": incomplete,
        }
        return Reply(data, "overview.html")

    async def partitions(self, request: Any) -> Reply:
        """Each partition: owner, position, time, size."""
        parameters(request.query, {})
        incomplete: list[str] = []
        if _asked_by_a_worker(request):
            partitions = self._watch.my_partitions()
        else:
            partitions, incomplete = await self._watch.all_partitions()
        data = {"topic": RAW.name, "partitions": partitions, "incomplete": incomplete}
        return Reply(data, "partitions.html")

    # -- meters

    async def meters(self, request: Any) -> Reply | Answer:
        """Meters whose id begins with a prefix, page by page in order of their id."""
        asked = parameters(
            request.query, {"prefix": text, "after": text, "limit": whole(1, MAX_LIMIT), "id": text}
        )
        if "id" in asked:
            return await self._meter(request, asked["id"])
        prefix, after = asked.get("prefix", ""), asked.get("after", "")
        limit = asked.get("limit", DEFAULT_LIMIT)
        self._watch.require_settled()
        mine = self._watch.cluster.mine()
        found = state.find_meters(self._pipeline.store, mine, prefix, after, limit + 1)
        more = len(found) > limit
        incomplete: list[str] = []
        total = sum(one["meters"] or 0 for one in self._watch.my_partitions())
        if not _asked_by_a_worker(request):
            query = urlencode({"prefix": prefix, "after": after, "limit": limit})
            answers, incomplete = await self._watch.ask_all(f"/meters/?{query}")
            incomplete += self._watch.unowned()
            for answer in answers:
                found += answer["meters"]
                total += answer["total"]
                more = more or answer["next"] is not None
            found.sort(key=lambda meter: str(meter["meter_id"]))
        meters = found[:limit]
        data = {
            "meters": meters,
            "prefix": prefix,
            "limit": limit,
            "total": total,
            "next": meters[-1]["meter_id"] if more or len(found) > limit else None,
            "incomplete": incomplete,
        }
        return Reply(data, "meters.html", shown={"after": after})

    async def meter(self, request: Any, meter_id: str) -> Reply | Answer:
        """One meter, wherever it lives."""
        parameters(request.query, {})
        return await self._meter(request, meter_id)

    async def table_row(self, request: Any, meter_id: str) -> Reply | Answer:
        """The same under the address of Faust's table view, always as JSON."""
        reply = await self.meter(request, meter_id)
        return Reply(reply.data, JSON_ONLY) if isinstance(reply, Reply) else reply

    async def _meter(self, request: Any, meter_id: str) -> Reply | Answer:
        unknown = Problem(404, f"no meter {meter_id!r} is known")
        try:
            partition = partition_of(meter_id, self._settings.partitions)
        except UnicodeEncodeError:
            raise unknown from None
        owner = self._watch.cluster.owner_elsewhere(partition, asked=_asked_by_a_worker(request))
        if owner is not None:
            accept = request.headers.get("Accept", "")
            return await self._watch.cluster.ask(owner, request.rel_url.raw_path_qs, accept)
        self._watch.require_settled()
        store = self._pipeline.store
        meter = state.read_meter(store, partition, meter_id)
        if meter is None:
            raise unknown
        its_partition = state.read_partition(store, partition)
        watermark = its_partition.watermark if its_partition is not None else None
        data = state.describe_meter_fully(meter_id, partition, meter, self._grace, watermark)
        plot = meter_plot(meter_id, meter, self._grace, watermark)
        return Reply(data, "meter.html", shown={"meter": data, "plot": plot})

    # -- gaps

    async def gaps(self, request: Any) -> Reply:
        """Gaps of all meters, open ones first."""
        allowed = {"state": one_of(KINDS), "after": place, "limit": whole(1, MAX_LIMIT)}
        asked = parameters(request.query, allowed)
        kind, after, limit = asked.get("state", "all"), asked.get("after"), asked.get("limit", DEFAULT_LIMIT)
        partitions, incomplete = await self._watch.all_partitions()
        open_gaps = {one["partition"]: one["open_gaps"] for one in partitions}
        gaps, reached, missing = await self._search.page(KINDS[kind], after, limit, open_gaps)
        data = {
            "gaps": gaps,
            "state": kind,
            "limit": limit,
            "open_gaps": _sums(partitions)["open_gaps"],
            "next": None if reached is None else str(reached),
            "incomplete": incomplete + [reason for reason in missing if reason not in incomplete],
        }
        return Reply(data, "gaps.html", shown={"after": "" if after is None else str(after)})

    async def gaps_of_partition(self, request: Any, partition: str) -> Reply:
        """One step of the search in one partition of this worker: what the other workers ask for."""
        allowed = {"state": one_of(KINDS["all"]), "after": text, "limit": whole(1, MAX_LIMIT)}
        asked = parameters(request.query, allowed)
        number = whole(0, self._settings.partitions - 1)("partition", partition)
        start = Place(asked.get("state", "open"), number, asked.get("after", ""))
        scan = await self._search.step(start, asked.get("limit", DEFAULT_LIMIT))
        return Reply({"gaps": scan.gaps, "reached": scan.reached}, JSON_ONLY)

    # -- health

    async def live(self, request: Any) -> Reply:
        """200 while the loop answers and the worker means to go on."""
        reasons = self._watch.ending()
        return _health("live", reasons, "The worker’s loop answers.")

    async def ready(self, request: Any) -> Reply:
        """200 when readings that arrive now are worked on, else 503 and why not."""
        reasons = await self._watch.reasons()
        meaning = "Readings that arrive now are worked on."
        return _health("ready", reasons, meaning, self._watch.warnings())


def encode(data: Record) -> bytes:
    """A page's data as JSON."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _health(word: str, reasons: list[str], meaning: str, warnings: Sequence[str] = ()) -> Reply:
    good = not reasons
    shown = {"word": word.upper() if good else f"NOT {word.upper()}", "good": good, "meaning": meaning}
    data = {word: good, "reasons": reasons, "warnings": list(warnings)}
    return Reply(data, "health.html", 200 if good else 503, shown)


def _asked_by_a_worker(request: Any) -> bool:
    return ASKED_BY in request.headers


def _sums(partitions: list[Record]) -> Record:
    """Meters, open gaps and lag of several partitions; what is not known counts as nothing."""
    return {name: sum(one[name] or 0 for one in partitions) for name in ("meters", "open_gaps", "lag")}
