"""The lists of meters and of gaps, over all workers.

Meters in order of their id are read from where a page begins, which takes as long as the page is long. Every
other order is a survey (`survey.py`). Another worker answers the same question for what it owns, and the
answers are merged: each is in order, and no line is in two of them.
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
from gridwatch.views.lists.rankings import ASCENDING, DESCENDING, KINDS, SORTS, USUAL, GapOrder, MeterOrder
from gridwatch.views.lists.survey import Question, Surveys
from gridwatch.views.state import Record, sums
from gridwatch.views.watch import Watch

DEFAULT_LIMIT = 50


class Lists:
    """Pages of meters and of gaps."""

    def __init__(self, settings: Settings, pipeline: Pipeline[PartitionState], watch: Watch) -> None:
        self._grace = micros(settings.grace)
        self._pipeline = pipeline
        self._watch = watch
        self._surveys = Surveys(
            lambda: pipeline.store,
            self._mine,
            # A batch that waits whole is what catching up looks like.
            lambda: any(pipeline.lag(partition) >= settings.batch_records for partition in pipeline.owned),
        )

    async def close(self) -> None:
        """End what is being looked at."""
        self._surveys.close()

    async def meters(self, request: Any) -> Reply:
        """Meters whose id begins with a prefix, in an order of the reader's."""
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
        question = Question(order, prefix, order.read_place(after) if after else None, limit + 1)
        self._watch.require_settled()
        by_id = order == MeterOrder("meter_id", ASCENDING)
        mine = self._of_ids(prefix, after, limit + 1) if by_id else self._survey(question)
        query = {"prefix": prefix, "sort": sort, "order": order.order, "after": after, "limit": limit}
        answers, incomplete = await self._everybodys(request, mine, f"/meters/?{urlencode(query)}")
        found = list(heapq.merge(*(one["meters"] for one in answers), key=order.rank))
        meters = found[:limit]
        more = len(found) > limit or any(one["next"] is not None for one in answers)
        data = {
            "meters": meters,
            **query,
            "total": sum(one["total"] for one in answers),
            "looked": sum(one["looked"] for one in answers),
            "complete": all(one["complete"] for one in answers),
            "next": order.place(meters[-1]) if more and meters else None,
            "incomplete": incomplete,
        }
        del data["after"]
        return Reply(data, "meters.html", shown={"after": after, "usual": USUAL})

    async def gaps(self, request: Any) -> Reply:
        """Gaps of all meters, open ones first, longest first."""
        asked = parameters(
            request.query,
            {"state": one_of(KINDS), "prefix": text, "after": text, "limit": whole(1, MAX_LIMIT)},
        )
        kind, prefix = asked.get("state", "all"), asked.get("prefix", "")
        after, limit = asked.get("after", ""), asked.get("limit", DEFAULT_LIMIT)
        order = GapOrder(KINDS[kind], self._grace)
        question = Question(order, prefix, order.read_place(after) if after else None, limit + 1)
        self._watch.require_settled()
        query = {"state": kind, "prefix": prefix, "after": after, "limit": limit}
        answers, incomplete = await self._everybodys(
            request, self._survey(question), f"/gaps/?{urlencode(query)}"
        )
        found = list(heapq.merge(*(one["gaps"] for one in answers), key=order.rank))
        gaps = found[:limit]
        more = len(found) > limit or any(one["next"] is not None for one in answers)
        data = {
            "gaps": gaps,
            "state": kind,
            "prefix": prefix,
            "limit": limit,
            "open_gaps": sum(one["open_gaps"] for one in answers),
            "total": sum(one["total"] for one in answers),
            "looked": sum(one["looked"] for one in answers),
            "complete": all(one["complete"] for one in answers),
            "next": order.place(gaps[-1]) if more and gaps else None,
            "incomplete": incomplete,
        }
        return Reply(data, "gaps.html", shown={"after": after})

    # -- this worker's part, in the shape that another worker's answer has

    async def _of_ids(self, prefix: str, after: str, limit: int) -> Record:
        found = state.find_meters(self._pipeline.store, self._mine(), prefix, after, limit)
        return self._part("meters", found, looked=0, complete=True)

    async def _survey(self, question: Question) -> Record:
        survey = await self._surveys.answer(question)
        name = "gaps" if isinstance(question.order, GapOrder) else "meters"
        return self._part(name, survey.records(), looked=survey.looked, complete=survey.complete)

    def _part(self, name: str, records: list[Record], *, looked: int, complete: bool) -> Record:
        known = sums(self._watch.my_partitions())
        return {
            name: records,
            "total": known["meters"],
            "open_gaps": known["open_gaps"],
            "looked": looked,
            "complete": complete,
            "next": None,
        }

    async def _everybodys(
        self, request: Any, mine: Awaitable[Record], path: str
    ) -> tuple[list[Record], list[str]]:
        """Our part and the other workers', and what could not be had."""
        if asked_by_a_worker(request):
            return [await mine], []
        part, (answers, incomplete) = await asyncio.gather(mine, self._watch.cluster.ask_all(path))
        return [part, *answers], incomplete + self._watch.unowned()

    def _mine(self) -> list[int]:
        self._watch.require_settled()
        return self._watch.cluster.mine()
