"""Several connections to the database side by side, each with a store and a writer of its own.

While one waits for the server, others fetch, decode and write. A partition always uses the same connection: a
meter's records are all in one partition, so no two transactions of a sink lock the same row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from gridwatch.streaming.faust.batches import RecordBatch
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterPolicy
from sinks.store import BatchStore, Emit
from sinks.writer import Writer, WriterState


class Pool:
    """As many stores as there are connections.

    Args:
        url: of the database.
        emit: sends dead letters and returns once they are acknowledged.
        most_rows: of one transaction.
        connections: to the database, at least one.
        limit: when a feed counts as failing as a whole.
        topics: that are read; None: those of the default flow.
    """

    def __init__(
        self,
        url: str,
        emit: Emit,
        most_rows: int,
        connections: int,
        limit: DeadLetterPolicy = DeadLetterPolicy(),  # noqa: B008  frozen
        *,
        topics: Sequence[str] | None = None,
    ) -> None:
        self._writers = [Writer(url, topics) for _ in range(connections)]
        self._stores = [BatchStore(writer, emit, most_rows, limit) for writer in self._writers]
        self._stopped = False
        self.address = self._writers[0].address

    def watch(self, on_step: Callable[[str], None]) -> None:
        """Call `on_step` at each of `writer.STEPS`, in the writers' threads."""
        for writer in self._writers:
            writer.watch = on_step

    async def store(self, batch: RecordBatch) -> int:
        """Store a batch; returns its end once it is committed, its start when it was aborted."""
        stored = await self._stores[batch.partition % len(self._stores)].store(batch)
        return batch.end if stored else batch.start

    async def check(self) -> None:
        """Check the database over each idle connection.

        SchemaMismatchError when it answers with a schema at another revision.
        """
        for store, writer in zip(self._stores, self._writers, strict=True):
            if not store.busy and not self._stopped:
                await store.in_thread(writer.check)

    def abort(self) -> None:
        """Abort every batch; a running transaction may finish, unless it exceeds its time-out."""
        for store in self._stores:
            store.abort()

    def resume(self) -> None:
        """Accept batches again."""
        for store in self._stores:
            store.resume()

    async def stop(self) -> None:
        """Stop for good and close the connections."""
        self._stopped = True
        for store in self._stores:
            await store.stop()

    @property
    def state(self) -> WriterState:
        """The counts of all writers, and the state of the one that has waited longest."""
        return combined([writer.state for writer in self._writers])

    @property
    def rows_of_partition(self) -> Counter[tuple[str, int]]:
        """Rows written, by flow and partition number."""
        return sum((store.rows_of_partition for store in self._stores), Counter())

    @property
    def skipped(self) -> Counter[str]:
        """Records that are no rows of their table, by topic."""
        return sum((store.skipped for store in self._stores), Counter())

    @property
    def failing_feeds(self) -> dict[tuple[str, int], str]:
        """Topic partitions whose records nearly all become dead letters, and what is wrong with them."""
        feeds = {place: feed for store in self._stores for place, feed in list(store.feeds.items())}
        problems = {place: feed.problem() for place, feed in sorted(feeds.items())}
        return {place: problem for place, problem in problems.items() if problem}

    @property
    def lost_letters(self) -> int:
        """Dead letters that the table refused in any form."""
        return sum(store.lost_letters for store in self._stores)


def combined(states: Sequence[WriterState]) -> WriterState:
    """Counts added up; waiting and writing since the earliest, the last commit of the latest."""
    worst = min(states, key=lambda state: state.waiting_since or float("inf"))
    latest = max(states, key=lambda state: state.last_commit)
    return WriterState(
        waiting_since=worst.waiting_since,
        writing_since=min((state.writing_since for state in states if state.writing_since), default=None),
        last_error=worst.last_error,
        last_commit=latest.last_commit,
        commit_seconds=latest.commit_seconds,
        commits=sum(state.commits for state in states),
        commit_seconds_total=sum(state.commit_seconds_total for state in states),
        retries=sum(state.retries for state in states),
        rows=Counter({topic: sum(state.rows[topic] for state in states) for topic in states[0].rows}),
        refused=Counter(
            {topic: sum(state.refused[topic] for state in states) for topic in states[0].refused}
        ),
    )
