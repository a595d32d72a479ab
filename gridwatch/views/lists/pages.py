"""The lists of meters and of gaps, over all workers.

Meters in order of their id are read from the key where a page begins, so the cost is that of one page. Every
other order needs a survey (`survey.py`). Each worker answers the same query for its own partitions, and the
answers are merged: each is sorted, and no row is in two of them.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlencode

from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.partition.state import PartitionState
from gridwatch.durations import micros
from gridwatch.http.queries import MAX_LIMIT, one_of, parameters, text, whole
from gridwatch.http.reply import Reply
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.views import state
from gridwatch.views.lists.rankings import (
    ASCENDING,
    DESCENDING,
    KINDS,
    REASONS,
    SORTS,
    USUAL,
    GapOrder,
    MeterOrder,
)
from gridwatch.views.lists.survey import Question, Surveys
from gridwatch.views.state import Record, sums
from gridwatch.views.watch import Watch

DEFAULT_LIMIT = 50


class Lists:
    """Pages of meters and of gaps."""

    def __init__(
        self, settings: Settings, pipeline: Pipeline[PartitionState], watch: Watch, surveys: Surveys
    ) -> None:
        self._grace = micros(settings.grace)
        self._pipeline = pipeline
        self._watch = watch
        self._surveys = surveys

    async def meters(self, request: Any) -> Reply:
        """Meters whose id begins with a prefix, in the order asked for."""
        asked = parameters(
            request.query,
            {
                "prefix": text,
                "sort": one_of(SORTS),
                "order": one_of((ASCENDING, DESCENDING)),
                "after": text,
                "limit": whole(1, MAX_LIMIT),
            },
        )
        sort = asked.get("sort", "meter_id")
        order = MeterOrder(sort, asked.get("order", USUAL[sort]))
        prefix, after, limit = (
            asked.get("prefix", ""),
            asked.get("after", ""),
            asked.get("limit", DEFAULT_LIMIT),
        )
        question = Question(order, prefix, order.read_cursor(after) if after else None, limit + 1)
        self._watch.require_state()
        by_id = order == MeterOrder("meter_id", ASCENDING)
        mine = self._of_ids(prefix, after, limit + 1) if by_id else self._survey(question)
        query = {"prefix": prefix, "sort": sort, "order": order.order, "after": after, "limit": limit}
        answers, incomplete = await self._all_parts(request, mine, f"/meters/?{urlencode(query)}")
        found = list(heapq.merge(*(one["meters"] for one in answers), key=order.rank))
        meters = found[:limit]
        more = len(found) > limit or any(one["next"] is not None for one in answers)
        data = {
            "meters": meters,
            **query,
            "total": sum(one["total"] for one in answers),
            "looked": sum(one["looked"] for one in answers),
            "complete": all(one["complete"] for one in answers),
            "next": order.cursor(meters[-1]) if more and meters else None,
            "incomplete": incomplete,
        }
        del data["after"]
        return Reply(data, "meters.html", shown={"after": after, "usual": USUAL})

    async def gaps(self, request: Any) -> Reply:
        """Gaps of all meters, open ones first, longest first."""
        asked = parameters(
            request.query,
            {
                "state": one_of(KINDS),
                "reason": one_of(REASONS),
                "prefix": text,
                "after": text,
                "limit": whole(1, MAX_LIMIT),
            },
        )
        kind, reason, prefix = asked.get("state", "all"), asked.get("reason", "all"), asked.get("prefix", "")
        after, limit = asked.get("after", ""), asked.get("limit", DEFAULT_LIMIT)
        order = GapOrder(KINDS[kind], self._grace, reason)
        question = Question(order, prefix, order.read_cursor(after) if after else None, limit + 1)
        self._watch.require_state()
        query = {"state": kind, "reason": reason, "prefix": prefix, "after": after, "limit": limit}
        answers, incomplete = await self._all_parts(
            request, self._survey(question), f"/gaps/?{urlencode(query)}"
        )
        found = list(heapq.merge(*(one["gaps"] for one in answers), key=order.rank))
        gaps = found[:limit]
        more = len(found) > limit or any(one["next"] is not None for one in answers)
        data = {
            "gaps": gaps,
            "state": kind,
            "reason": reason,
            "prefix": prefix,
            "limit": limit,
            "open_gaps": sum(one["open_gaps"] for one in answers),
            "total": sum(one["total"] for one in answers),
            "looked": sum(one["looked"] for one in answers),
            "complete": all(one["complete"] for one in answers),
            "next": order.cursor(gaps[-1]) if more and gaps else None,
            "incomplete": incomplete,
        }
        return Reply(data, "gaps.html", shown={"after": after, "reasons": REASONS})

    # -- this worker's part, in the shape of another worker's answer

    async def _of_ids(self, prefix: str, after: str, limit: int) -> Record:
        found = state.find_meters(self._pipeline.store, self._own_partitions(), prefix, after, limit)
        return self._part("meters", found, scanned=0, complete=True)

    async def _survey(self, question: Question) -> Record:
        survey = await self._surveys.answer(question)
        name = "gaps" if isinstance(question.order, GapOrder) else "meters"
        return self._part(name, survey.records(), scanned=survey.scanned, complete=survey.complete)

    def _part(self, name: str, records: list[Record], *, scanned: int, complete: bool) -> Record:
        known = sums(self._watch.own_partitions())
        return {
            name: records,
            "total": known["meters"],
            "open_gaps": known["open_gaps"],
            "looked": scanned,
            "complete": complete,
            "next": None,
        }

    async def _all_parts(
        self, request: Any, mine: Awaitable[Record], path: str
    ) -> tuple[list[Record], list[str]]:
        """This worker's part and the other workers', and a reason for each part that is missing."""
        if asked_by_a_worker(request):
            return [await mine], []
        part, (answers, incomplete) = await asyncio.gather(mine, self._watch.cluster.ask_all(path))
        return [part, *answers], incomplete + self._watch.unowned_reasons()

    def _own_partitions(self) -> list[int]:
        self._watch.require_state()
        return self._watch.cluster.own_partitions()


def surveys_of(settings: Settings, pipeline: Pipeline[PartitionState], watch: Watch) -> Surveys:
    """The surveys of a worker's partitions, which all lists share."""

    def own_partitions() -> list[int]:
        watch.require_state()
        return watch.cluster.own_partitions()

    return Surveys(
        lambda: pipeline.store,
        own_partitions,
        # A lag of a full batch means that the worker is catching up.
        lambda: any(pipeline.lag(partition) >= settings.batch_records for partition in pipeline.owned),
    )
