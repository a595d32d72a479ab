"""From the partition queues of partitions to a writer: what is ready at the same time shares a transaction.

Batches are decoded as they come, on the event loop; the writer works in a thread of its own. While a
transaction runs, the batches for the next one gather. A batch is done (its offsets may be committed)
only after its transaction, and after the dead letters that came of it have been acknowledged.

When partitions are handed over, what has not been written is given up: the next owner reads it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.streaming.faust.batches import RecordBatch
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy, run_at_end
from gridwatch.topics import DEAD_LETTERS
from sinks.intake import take_in
from sinks.refusals import refused
from sinks.rows import Refused, Rows
from sinks.writer import WriteInterruptedError, Writer

logger = logging.getLogger(__name__)

#: How long a transaction may go on after its partitions are asked for, before its connection is cut.
PATIENCE_SECONDS = 10.0

Emit = Callable[[Sequence[DeadLetter]], Awaitable[None]]
T = TypeVar("T")


@dataclass(eq=False)
class _Waiting:
    partition: int
    offsets: list[int]
    rows: Rows
    letters: list[DeadLetter]
    done: asyncio.Future[bool]


class BatchStore:
    """Stores batches of records.

    Args:
        writer: writes them.
        emit: sends dead letters and returns once they are acknowledged.
        most_rows: of one transaction; a single batch may hold more and is not cut.
        limit: when what comes is wrong as a whole.
    """

    def __init__(
        self,
        writer: Writer,
        emit: Emit,
        most_rows: int,
        limit: DeadLetterPolicy = DeadLetterPolicy(),  # noqa: B008
    ) -> None:
        self._writer = writer
        self._emit = emit
        self._most_rows = most_rows
        self._waiting: deque[_Waiting] = deque()
        self._some = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._task: asyncio.Task[None] | None = None
        self._emission: asyncio.Future[None] | None = None
        self._giving_up = False
        self._cut_later: asyncio.TimerHandle | None = None
        #: True while a transaction and what belongs to it is under way.
        self.busy = False
        #: What has come of each topic partition lately: rows or dead letters.
        self.feeds: defaultdict[tuple[str, int], DeadLetterLimit] = defaultdict(
            lambda: DeadLetterLimit(limit)
        )
        #: Rows written, by partition number.
        self.rows_of_partition: Counter[int] = Counter()
        #: Dead letters that no row can hold, logged and counted.
        self.lost_letters = 0

    async def store(self, batch: RecordBatch) -> bool:
        """Store a batch; True once it is safe, False when it was given up."""
        if self._giving_up:
            return False
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        rows, letters = take_in(batch.topic, batch.records)
        self._writer.watch("taken in")
        offsets = [record.offset for record in batch.records]
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = _Waiting(batch.partition, offsets, rows, letters, done)
        self._waiting.append(entry)
        self._some.set()
        return await entry.done

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            entries = self._take()
            if not entries:
                self._some.clear()
                continue
            self.busy = True
            try:
                stored = await self._store_together(entries)
            except Exception as error:  # each queue that waits for it hands the error on
                _settle(entries, error)
            else:
                _settle(entries, stored)
            finally:
                self.busy = False

    def _take(self) -> list[_Waiting]:
        entries: list[_Waiting] = []
        room = self._most_rows
        while self._waiting and (not entries or len(self._waiting[0].rows) <= room):
            entries.append(self._waiting.popleft())
            room -= len(entries[-1].rows)
        return entries

    async def _store_together(self, entries: list[_Waiting]) -> bool:
        letters = [letter for entry in entries for letter in entry.letters]
        try:
            unwanted = await self.in_thread(lambda: self._writer.write([entry.rows for entry in entries]))
            about_letters = [one for one in unwanted if one.source.topic == DEAD_LETTERS.name]
            if about_letters:
                await self.in_thread(lambda: self._store_directly(about_letters))
        except WriteInterruptedError:
            return False
        letters += [refused(one.source, one.error) for one in unwanted if one not in about_letters]
        if letters and not await self._send(letters):
            return False
        for entry in entries:
            self.rows_of_partition[entry.partition] += len(entry.rows)
            self._note_feed(entry, letters)
        self._writer.watch("stored")
        return True

    def _note_feed(self, entry: _Waiting, letters: Sequence[DeadLetter]) -> None:
        """Take note of how many records of an entry were good and how many became dead letters."""
        place = (entry.rows.topic, entry.partition)
        offsets = entry.offsets
        first, last = (offsets[0], offsets[-1]) if offsets else (0, -1)
        bad = {
            one.offset: one
            for one in letters
            if (one.topic, one.partition) == place and first <= one.offset <= last
        }
        run, example = 0, ""
        if bad:
            run, newest = run_at_end(offsets, bad), bad[max(bad)]
            example = f"{' '.join(newest.reasons)}: {newest.message}"
        self.feeds[place].observe(len(offsets) - len(bad), len(bad), run, example)

    async def _send(self, letters: list[DeadLetter]) -> bool:
        self._emission = asyncio.ensure_future(self._emit(letters))
        await asyncio.wait({self._emission})
        if self._emission.cancelled():
            return False
        self._emission.result()
        return True

    def _store_directly(self, about: list[Refused]) -> None:
        """Store dead letters about dead letters that the table refused, and send none about those."""
        letters = [refused(one.source, one.error) for one in about]
        rows = Rows(DEAD_LETTERS.name, letters, [one.source for one in about])
        for one in self._writer.write([rows]):
            self.lost_letters += 1
            source = one.source
            logger.error(
                "dead letter %s[%d]@%d cannot be stored in any form: %s",
                *(source.topic, source.partition, source.offset, one.error),
            )

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run something on the database connection, after what is under way."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def give_up(self) -> None:
        """Let go of every batch that is not in a running transaction, and of that too if it hangs."""
        self._giving_up = True
        self._writer.interrupt()
        if self._emission is not None:
            self._emission.cancel()
        _settle(list(self._waiting), False)
        self._waiting.clear()
        self._cut_later = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._writer.cut)

    def go_on(self) -> None:
        """Store again."""
        self._giving_up = False
        if self._cut_later is not None:
            self._cut_later.cancel()
        self._writer.go_on()

    async def stop(self) -> None:
        """End the work for good; the connection is closed."""
        if self._task is not None:
            self._task.cancel()
        if self._cut_later is not None:
            self._cut_later.cancel()
        await self.in_thread(self._writer.disconnect)
        self._thread.shutdown()


def _settle(entries: list[_Waiting], outcome: bool | Exception) -> None:
    for entry in entries:
        if entry.done.done():
            continue
        if isinstance(outcome, Exception):
            entry.done.set_exception(outcome)
        else:
            entry.done.set_result(outcome)
