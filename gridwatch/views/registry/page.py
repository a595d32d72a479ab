"""The page of registered meters and regions, over all workers.

Meters in order of their id are read from the key where a page begins; a list with filters is a survey. The
counts come from a survey that all pages share.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import Any
from urllib.parse import urlencode

from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.partition.state import PartitionState
from gridwatch.http.queries import MAX_LIMIT, one_of, parameters, text, whole
from gridwatch.http.reply import Reply
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.views.lists.pages import DEFAULT_LIMIT
from gridwatch.views.lists.survey import Question, Surveys
from gridwatch.views.registry.counts import RegistryCounts, added_up
from gridwatch.views.registry.orders import HEARD_CHOICES, STATUS_CHOICES, RegisteredOrder
from gridwatch.views.registry.registrations import find_registered, latest, read_regions
from gridwatch.views.state import Record
from gridwatch.views.watch import Watch


class RegistryPage:
    """What the registry says of meters and regions."""

    def __init__(
        self, pipeline: Pipeline[PartitionState], watch: Watch, surveys: Surveys, counts: RegistryCounts
    ) -> None:
        self._pipeline = pipeline
        self._watch = watch
        self._surveys = surveys
        self._counts = counts

    async def page(self, request: Any) -> Reply:
        """Registered meters whose id begins with a prefix, by their id; counts; regions."""
        asked = parameters(
            request.query,
            {
                "prefix": text,
                "status": one_of(STATUS_CHOICES),
                "region": text,
                "heard": one_of(HEARD_CHOICES),
                "after": text,
                "limit": whole(1, MAX_LIMIT),
            },
        )
        names = ("prefix", "status", "region", "heard", "after")
        query: Record = {name: asked.get(name, "") for name in names}
        query["limit"] = limit = asked.get("limit", DEFAULT_LIMIT)
        order = RegisteredOrder(query["status"], query["region"], query["heard"])
        self._watch.require_state()
        answers, incomplete = await self._parts(request, order, query)
        found = list(heapq.merge(*(one["meters"] for one in answers), key=order.rank))
        meters = found[:limit]
        more = len(found) > limit or any(one["next"] is not None for one in answers)
        counts = added_up(one["counts"] for one in answers)
        after = query.pop("after")
        data = {
            "meters": meters,
            **query,
            "looked": sum(one["looked"] for one in answers),
            "complete": all(one["complete"] for one in answers),
            "next": meters[-1]["meter_id"] if more and meters else None,
            "counts": counts,
            "regions": latest(region for one in answers for region in one["regions"]),
            "incomplete": incomplete,
        }
        shown = {
            "after": after,
            "statuses": STATUS_CHOICES,
            "hearings": HEARD_CHOICES,
            "filtered": order.filtered,
            "chosen_status": query["status"],
        }
        return Reply(data, "registry.html", shown=shown)

    async def _parts(
        self, request: Any, order: RegisteredOrder, query: Record
    ) -> tuple[list[Record], list[str]]:
        """This worker's part and the other workers', and a reason for each part that is missing."""
        mine = self._mine(order, query)
        if asked_by_a_worker(request):
            return [await mine], []
        path = f"/registry/?{urlencode(query)}"
        part, (answers, incomplete) = await asyncio.gather(mine, self._watch.cluster.ask_all(path))
        return [part, *answers], incomplete + self._watch.unowned_reasons()

    async def _mine(self, order: RegisteredOrder, query: Record) -> Record:
        """This worker's part, in the shape of another worker's answer."""
        prefix, after, limit = query["prefix"], query["after"], query["limit"] + 1
        counts = await self._counts.own()
        store, partitions = self._pipeline.store, self._watch.cluster.own_partitions()
        looked, complete = 0, True
        if order.filtered:
            cursor = order.read_cursor(after) if after else None
            survey = await self._surveys.answer(Question(order, prefix, cursor, limit))
            found, looked, complete = survey.records(), survey.scanned, survey.complete
        else:
            found = find_registered(store, partitions, prefix, after, limit)
        return {
            "meters": found,
            "looked": looked,
            "complete": complete,
            "next": None,
            "counts": counts,
            "regions": read_regions(store, partitions[0]) if partitions else [],
        }
