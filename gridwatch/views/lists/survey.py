"""Builds lists in orders other than the key's, such as the longest gaps, by scanning every row in slices.

State is stored by meter id, and an index for every other order would cost something for each reading. So a
list is built on request: a survey scans the rows of this worker's partitions, a few milliseconds at a time
between batches and heartbeats, and keeps the rows of one page, so its memory does not grow with the number
of meters. Requests for the same page share one survey. A page does not wait for the end of it: it shows what
was found so far, and how many rows were scanned. While readings wait, surveys take a twentieth of the
worker's time; a finished survey is repeated only after twenty times as long as it took.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gridwatch.http.reply import Problem
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import Store
from gridwatch.views.lists.rankings import Mark, Order, Rank

#: How long one slice of a scan takes, and how long a page waits for the end of a survey, seconds.
SLICE_SECONDS = 0.004
WAIT_SECONDS = 1.0
#: Surveys take one part in this many of the worker's time, while readings wait and in the long run.
SHARE = 20
#: Counts, which the overview shows, are repeated more seldom.
COUNTING_SHARE = 100
#: A finished survey is served for at least this long; one without requests is cancelled after this, seconds.
FRESH_SECONDS = 2.0
ABANDONED_SECONDS = 20.0
#: How many surveys are kept; the least recently requested one is evicted.
KEPT = 16
_CLOCK_ROWS = 64
#: Where the rows of meters begin: those of other kinds have control characters.
FIRST_STATE = b" "


@dataclass(frozen=True)
class Question:
    """A page of a list: up to `limit` rows of what has an id that begins with `prefix`, after a rank."""

    order: Order
    prefix: str
    after: Rank | None
    limit: int


@dataclass
class Survey:
    """The answer to a question, as far as the scan has come."""

    question: Question
    #: Rows scanned, seconds that it took, and whether those were all.
    scanned: int = 0
    cost: float = 0.0
    complete: bool = False
    finished: float = 0.0
    #: All rows by their marks.
    counts: Counter[Mark] = field(default_factory=Counter)
    _kept: list[tuple[Rank, Any]] = field(default_factory=list)
    #: Rows from this rank on cannot be on the page.
    _bound: Rank | None = None

    def scan(self, store: Store, partition: int, start: bytes, seconds: float) -> bytes | None:
        """Scan the rows of a kind, in a partition from a key on, for about `seconds`; return the key to go on
        from, None at their end."""
        question = self.question
        own, after, most = start[:1] if start[:1] < b" " else b"", question.after, 2 * question.limit + 64
        prefix = own + question.prefix.encode()
        order, kept, bound = question.order, self._kept, self._bound
        lines, is_first = order.lines, own.decode() == order.kinds_of_rows[0]
        until = time.perf_counter() + seconds
        for number, (key, row) in enumerate(store.rows_from(partition, start), 1):
            if not key.startswith(prefix):
                return None
            if not own and not METERS.is_state(key):
                continue
            self.scanned += is_first
            if order.counts:
                self.counts[order.mark(row)] += 1
            for rank, made_of in lines(partition, key, row):
                if (bound is None or rank < bound) and (after is None or rank > after):
                    kept.append((rank, made_of))
                    if len(kept) >= most:
                        bound = self._bound = self._truncate()
            if not number % _CLOCK_ROWS and time.perf_counter() > until:
                return key + b"\x00"
        return None

    def _truncate(self) -> Rank:
        self._kept.sort(key=lambda line: line[0])
        del self._kept[self.question.limit :]
        return self._kept[-1][0]

    def records(self) -> list[dict[str, Any]]:
        """The rows found so far, in order."""
        if self._kept:
            self._truncate()
        return [self.question.order.record(made_of) for _, made_of in self._kept]


@dataclass
class _Asked:
    """A question and its answers: the last complete one, and the one that is running."""

    last: float
    done: Survey | None = None
    running: Survey | None = None
    task: asyncio.Task[None] | None = None


class Surveys:
    """All surveys of a worker; one slice runs at a time.

    Args:
        owned: the partitions to scan; raises Problem 503 while their state is incomplete.
        busy: whether readings wait.
    """

    def __init__(
        self, store: Callable[[], Store], owned: Callable[[], list[int]], busy: Callable[[], bool]
    ) -> None:
        self._store = store
        self._owned = owned
        self._busy = busy
        self._asked: dict[Question, _Asked] = {}
        self._lock = asyncio.Lock()

    async def answer(self, question: Question, wait: float | None = None) -> Survey:
        """The survey of a question, complete if that takes at most `wait` seconds, or WAIT_SECONDS;
        Problem 503 if it cannot run."""
        now = time.monotonic()
        asked = self._asked.pop(question, None) or _Asked(now)
        asked.last = now
        self._asked[question] = asked  # the dictionary is ordered by last request
        while len(self._asked) > KEPT:
            self._drop(next(iter(self._asked)))
        if asked.task is not None and asked.task.done():
            self._collect(question, asked, asked.task)
        done = asked.done
        if asked.task is None and (
            done is None or now - done.finished > max(FRESH_SECONDS, _share(question) * done.cost)
        ):
            asked.running = Survey(question)
            asked.task = asyncio.ensure_future(self._run(asked, asked.running))
            asked.task.add_done_callback(_retrieve_failure)
        if asked.task is not None:
            task = asked.task
            await asyncio.wait({task}, timeout=WAIT_SECONDS if wait is None else wait)
            if task.done():
                self._collect(question, asked, task)
        found = asked.done or asked.running
        if found is None:
            raise Problem(503, "too many lists are being built at the same time; try again")
        return found

    def close(self) -> None:
        """Cancel all surveys."""
        for question in list(self._asked):
            self._drop(question)

    def _drop(self, question: Question) -> None:
        evicted = self._asked.pop(question)
        if evicted.task is not None:
            evicted.task.cancel()

    def _collect(self, question: Question, asked: _Asked, task: asyncio.Task[None]) -> None:
        """Keep a finished task's answer, or raise its error."""
        if asked.task is task:
            asked.task = None
            if asked.running is not None and asked.running.complete:
                asked.done, asked.running = asked.running, None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._asked.pop(question, None)
            raise error

    async def _run(self, asked: _Asked, survey: Survey) -> None:
        question = survey.question
        firsts = [(kind + question.prefix).encode() or FIRST_STATE for kind in question.order.kinds_of_rows]
        for partition, first in itertools.product(self._owned(), firsts):
            start: bytes | None = first
            while start is not None:
                if time.monotonic() - asked.last > ABANDONED_SECONDS:
                    return
                async with self._lock:
                    if partition not in self._owned():
                        raise Problem(503, f"partition {partition} is moving between workers; try again")
                    begun = time.perf_counter()
                    start = survey.scan(self._store(), partition, start, SLICE_SECONDS)
                    spent = time.perf_counter() - begun
                    survey.cost += spent
                    # Yield: batches and heartbeats run on this event loop too.
                    await asyncio.sleep((SHARE - 1) * spent if self._busy() else 0)
        survey.complete, survey.finished = True, time.monotonic()


def _share(question: Question) -> int:
    return COUNTING_SHARE if question.order.counts else SHARE


def _retrieve_failure(task: asyncio.Task[None]) -> None:
    """Mark a failure as retrieved: the next request raises it, and asyncio need not log it."""
    if not task.cancelled():
        task.exception()
