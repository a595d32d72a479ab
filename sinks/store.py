"""Groups batches of the partition queues into transactions: what is pending at the same time shares one.

Batches are decoded as they arrive, on the event loop; the writer runs in a thread of its own. While a
transaction runs, the batches for the next one accumulate. A batch is done (its offsets may be committed)
only after its transaction, and after its dead letters have been acknowledged.

When partitions are revoked, batches that have not been written are aborted: the next owner reads them again.
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
from sinks import tables
from sinks.decoding import decode_records
from sinks.refusals import refused
from sinks.rows import Refused, Rows
from sinks.writer import WriteInterruptedError, Writer

logger = logging.getLogger(__name__)

#: How long a transaction may run after its partitions are revoked, before its connection is shut down.
REVOKE_TIMEOUT_SECONDS = 10.0

Emit = Callable[[Sequence[DeadLetter]], Awaitable[None]]
T = TypeVar("T")


@dataclass(eq=False)
class _Pending:
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
        most_rows: of one transaction; a single batch may hold more and is not split.
        limit: when a feed counts as failing as a whole.
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
        self._pending: deque[_Pending] = deque()
        self._has_pending = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._task: asyncio.Task[None] | None = None
        self._sending: asyncio.Future[None] | None = None
        self._aborting = False
        self._cancel_later: asyncio.TimerHandle | None = None
        #: True while a transaction or the dead letters of its batches are in flight.
        self.busy = False
        #: The share of dead letters among the latest records of each topic partition.
        self.feeds: defaultdict[tuple[str, int], DeadLetterLimit] = defaultdict(
            lambda: DeadLetterLimit(limit)
        )
        #: Rows written, by flow and partition number.
        self.rows_of_partition: Counter[tuple[str, int]] = Counter()
        #: Records that are no rows of their table, by topic.
        self.skipped: Counter[str] = Counter()
        #: Dead letters that no row can hold, logged and counted.
        self.lost_letters = 0

    async def store(self, batch: RecordBatch) -> bool:
        """Store a batch; True once it is committed, False when it was aborted."""
        if self._aborting:
            return False
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        rows, letters = decode_records(batch.topic, batch.records)
        self._writer.watch("decoded")
        offsets = [record.offset for record in batch.records]
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = _Pending(batch.partition, offsets, rows, letters, done)
        self._pending.append(entry)
        self._has_pending.set()
        return await entry.done

    async def _run(self) -> None:
        while True:
            await self._has_pending.wait()
            entries = self._next_group()
            if not entries:
                self._has_pending.clear()
                continue
            self.busy = True
            try:
                stored = await self._store_group(entries)
            except Exception as error:  # each queue that awaits it raises the error
                _resolve(entries, error)
            else:
                _resolve(entries, stored)
            finally:
                self.busy = False

    def _next_group(self) -> list[_Pending]:
        entries: list[_Pending] = []
        room = self._most_rows
        while self._pending and (not entries or len(self._pending[0].rows) <= room):
            entries.append(self._pending.popleft())
            room -= len(entries[-1].rows)
        return entries

    async def _store_group(self, entries: list[_Pending]) -> bool:
        letters = [letter for entry in entries for letter in entry.letters]
        try:
            refusals = await self.in_thread(lambda: self._writer.write([entry.rows for entry in entries]))
            about_letters = [
                one for one in refusals if tables.of_topic(one.source.topic).topic == DEAD_LETTERS
            ]
            if about_letters:
                await self.in_thread(lambda: self._store_directly(about_letters))
        except WriteInterruptedError:
            return False
        letters += [refused(one.source, one.error) for one in refusals if one not in about_letters]
        if letters and not await self._send(letters):
            return False
        for entry in entries:
            flow = tables.source_of(entry.rows.topic)[0]
            self.rows_of_partition[flow.name, entry.partition] += len(entry.rows)
            self.skipped[entry.rows.topic] += len(entry.offsets) - len(entry.rows) - len(entry.letters)
            self._note_feed(entry, letters)
        self._writer.watch("stored")
        return True

    def _note_feed(self, entry: _Pending, letters: Sequence[DeadLetter]) -> None:
        """Count how many records of an entry were stored and how many became dead letters."""
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
        self._sending = asyncio.ensure_future(self._emit(letters))
        await asyncio.wait({self._sending})
        if self._sending.cancelled():
            return False
        self._sending.result()
        return True

    def _store_directly(self, about: list[Refused]) -> None:
        """Store dead letters about dead letters that the table refused, and send none about those."""
        letters = [refused(one.source, one.error) for one in about]
        rows = [
            Rows(one.source.topic, [letter], [one.source]) for one, letter in zip(about, letters, strict=True)
        ]
        for one in self._writer.write(rows):
            self.lost_letters += 1
            source = one.source
            logger.error(
                "dead letter %s[%d]@%d cannot be stored in any form: %s",
                *(source.topic, source.partition, source.offset, one.error),
            )

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run something in the connection's thread, after what is running there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def abort(self) -> None:
        """Abort every batch; a running transaction may finish, unless it exceeds its time-out."""
        self._aborting = True
        self._writer.interrupt()
        if self._sending is not None:
            self._sending.cancel()
        _resolve(list(self._pending), False)
        self._pending.clear()
        self._cancel_later = asyncio.get_running_loop().call_later(
            REVOKE_TIMEOUT_SECONDS, self._writer.cancel_transaction
        )

    def resume(self) -> None:
        """Accept batches again."""
        self._aborting = False
        if self._cancel_later is not None:
            self._cancel_later.cancel()
        self._writer.resume()

    async def stop(self) -> None:
        """Stop for good and close the connection."""
        if self._task is not None:
            self._task.cancel()
        if self._cancel_later is not None:
            self._cancel_later.cancel()
        await self.in_thread(self._writer.disconnect)
        self._thread.shutdown()


def _resolve(entries: list[_Pending], outcome: bool | Exception) -> None:
    for entry in entries:
        if entry.done.done():
            continue
        if isinstance(outcome, Exception):
            entry.done.set_exception(outcome)
        else:
            entry.done.set_result(outcome)
