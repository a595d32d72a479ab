"""Lists in an order that no key has, such as the longest gaps: found by looking at every row, gently.

The state is stored by meter id, and keeping every other order up to date would cost each reading. So such a
list is made when somebody looks at it: a survey goes through the rows of this worker's partitions, some
milliseconds at a time between batches and heartbeats, and keeps the lines of one page, so that its memory
does not grow with the meters. Whoever asks for the same page shares it. A page does not wait for its end: it
shows what was found so far, and says how many rows that is. While readings wait, surveys take a twentieth of
the worker's time; a finished one is done anew only after twenty times as long as it took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gridwatch.http.reply import Problem
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import Store
from gridwatch.views.lists.rankings import GapOrder, MeterOrder, Rank

#: How long one look at the rows takes, and how long a page waits for the end of a survey, seconds.
SLICE_SECONDS = 0.004
PATIENCE = 1.0
#: Of the worker's time, surveys take one part in this many, while readings wait and in the long run.
SHARE = 20
#: A finished survey stands for this long at least, and one that nobody asks for ends after this, seconds.
FRESH_SECONDS = 2.0
ABANDONED_SECONDS = 20.0
#: Pages whose surveys are kept; the one asked for longest ago makes room.
KEPT = 16
_CLOCK_ROWS = 64


@dataclass(frozen=True)
class Question:
    """A page of a list: up to `limit` lines of meters that begin with `prefix`, after a rank."""

    order: MeterOrder | GapOrder
    prefix: str
    after: Rank | None
    limit: int


@dataclass
class Survey:
    """The answer to a question, as far as it has come."""

    question: Question
    #: Meters looked at, seconds that it took, and whether those were all.
    looked: int = 0
    cost: float = 0.0
    complete: bool = False
    finished: float = 0.0
    _kept: list[tuple[Rank, Any]] = field(default_factory=list)
    #: Lines from here on cannot be on the page.
    _beyond: Rank | None = None

    def look(self, store: Store, partition: int, start: bytes, seconds: float) -> bytes | None:
        """Look at the rows of a partition from a key on, for about so long: where to go on, or None."""
        question = self.question
        prefix, after, most = question.prefix.encode(), question.after, 2 * question.limit + 64
        lines, kept, beyond = question.order.lines, self._kept, self._beyond
        until = time.perf_counter() + seconds
        for number, (key, row) in enumerate(store.rows_from(partition, start), 1):
            if not key.startswith(prefix):
                return None
            if not METERS.is_state(key):
                continue
            self.looked += 1
            for rank, made_of in lines(partition, key, row):
                if (beyond is None or rank < beyond) and (after is None or rank > after):
                    kept.append((rank, made_of))
                    if len(kept) >= most:
                        beyond = self._beyond = self._cut()
            if not number % _CLOCK_ROWS and time.perf_counter() > until:
                return key + b"\x00"
        return None

    def _cut(self) -> Rank:
        self._kept.sort(key=lambda line: line[0])
        del self._kept[self.question.limit :]
        return self._kept[-1][0]

    def records(self) -> list[dict[str, Any]]:
        """The lines found so far, in order."""
        if self._kept:
            self._cut()
        return [self.question.order.record(made_of) for _, made_of in self._kept]


@dataclass
class _Asked:
    """A question that somebody asked: the last whole answer, and the one being worked on."""

    last: float
    done: Survey | None = None
    running: Survey | None = None
    task: asyncio.Task[None] | None = None


class Surveys:
    """All surveys of a worker; one of them at a time has the turn.

    Args:
        mine: the partitions to look at; raises Problem 503 while their state is not there whole.
        busy: whether readings wait.
    """

    def __init__(
        self, store: Callable[[], Store], mine: Callable[[], list[int]], busy: Callable[[], bool]
    ) -> None:
        self._store = store
        self._mine = mine
        self._busy = busy
        self._asked: dict[Question, _Asked] = {}
        self._turn = asyncio.Lock()

    async def answer(self, question: Question) -> Survey:
        """The survey of a question, whole if that does not take long; Problem 503 if it cannot be had."""
        now = time.monotonic()
        asked = self._asked.pop(question, None) or _Asked(now)
        asked.last = now
        self._asked[question] = asked  # the order of the dictionary is that of asking
        while len(self._asked) > KEPT:
            self._drop(next(iter(self._asked)))
        if asked.task is not None and asked.task.done():
            self._settle(question, asked, asked.task)
        done = asked.done
        if asked.task is None and (
            done is None or now - done.finished > max(FRESH_SECONDS, SHARE * done.cost)
        ):
            asked.running = Survey(question)
            asked.task = asyncio.ensure_future(self._run(asked, asked.running))
            asked.task.add_done_callback(_look_at_failure)
        if asked.task is not None:
            task = asked.task
            await asyncio.wait({task}, timeout=PATIENCE)
            if task.done():
                self._settle(question, asked, task)
        found = asked.done or asked.running
        if found is None:
            raise Problem(503, "too many lists are being made at a time; try again")
        return found

    def close(self) -> None:
        """End all of them."""
        for question in list(self._asked):
            self._drop(question)

    def _drop(self, question: Question) -> None:
        gone = self._asked.pop(question)
        if gone.task is not None:
            gone.task.cancel()

    def _settle(self, question: Question, asked: _Asked, task: asyncio.Task[None]) -> None:
        """Take what a finished task leaves: the new answer, or why there is none."""
        if asked.task is task:
            asked.task = None
            if asked.running is not None and asked.running.complete:
                asked.done, asked.running = asked.running, None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._asked.pop(question, None)
            raise error

    async def _run(self, asked: _Asked, survey: Survey) -> None:
        first = survey.question.prefix.encode()
        for partition in self._mine():
            start: bytes | None = first
            while start is not None:
                if time.monotonic() - asked.last > ABANDONED_SECONDS:
                    return
                async with self._turn:
                    if partition not in self._mine():
                        raise Problem(503, f"partition {partition} is moving between workers; try again")
                    begun = time.perf_counter()
                    start = survey.look(self._store(), partition, start, SLICE_SECONDS)
                    spent = time.perf_counter() - begun
                    survey.cost += spent
                    # Batches and heartbeats share this loop.
                    await asyncio.sleep((SHARE - 1) * spent if self._busy() else 0)
        survey.complete, survey.finished = True, time.monotonic()


def _look_at_failure(task: asyncio.Task[None]) -> None:
    """A failure is told to whoever asks next; if nobody does, it is nobody's."""
    if not task.cancelled():
        task.exception()
