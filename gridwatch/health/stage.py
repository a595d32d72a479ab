"""Observes the partitions of one stage: offsets, lag, progress, and what keeps them from being processed.

Nothing is changed here. Committed offsets come from the state, end offsets from a separate connection
(`kafka/broker_monitor.py`), because a consumer that has stopped fetching no longer learns of new ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic

from faust.exceptions import ConsumerNotStarted

from gridwatch.health.checks import Partition
from gridwatch.health.progress import Progress
from gridwatch.kafka.broker_monitor import BrokerView
from gridwatch.kafka.open_transactions import OpenTransaction, OpenTransactions
from gridwatch.streaming.faust.fetching import Undecodable
from gridwatch.streaming.stage.declaration import P
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.take_over import OwnedPartition
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.topics import REGIONAL_AGGREGATES, REGIONAL_PARTIALS, Flow, flow

#: A metric's name, value, and the labels that it has beside stage and partition.
Labelled = tuple[str, float, tuple[str, ...]]


def _counted(of: Flow) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The topics of a flow whose records are counted: the metric, and its further labels."""
    return {
        **{
            topic.name: ("windows_emitted", (f"{seconds // 60}m",))
            for seconds, topic in of.aggregates.items()
        },
        of.anomalies.name: ("anomalies_emitted", ()),
        REGIONAL_PARTIALS.name: ("bundles_emitted", ()),
        REGIONAL_AGGREGATES.name: ("regional_windows_emitted", ()),
    }


def assigned(app: Any, topic: str) -> list[int]:
    """Partitions of a topic assigned to this worker, in order; none before the first assignment."""
    return sorted(tp.partition for tp in app.assignor.assigned_actives() if tp.topic == topic)


class StageWatch(Generic[P]):
    """Observes the partitions of a stage.

    Args:
        named: whether reasons name the stage; those of a worker's first stage do not.
    """

    def __init__(self, app: Any, pipeline: Pipeline[P], *, named: bool) -> None:
        self._app = app
        self._pipeline = pipeline
        self.stage = pipeline.stage
        self._in_reasons = self.stage.name if named else ""
        self._source = self.stage.source.name
        self._view = BrokerView()
        self._commits = Progress()
        self._take_overs = Progress()
        self._transactions = OpenTransactions()
        self._held: Mapping[int, OpenTransaction] = {}

    # -- positions

    def partitions(self) -> list[int]:
        """Partitions of the source assigned to this worker, in order."""
        return assigned(self._app, self._source)

    def committed(self, partition: int) -> P | None:
        """The committed state of a partition; None before its first commit."""
        row = self._pipeline.store.row(partition, PARTITION_KEY)
        return None if row is None else self.stage.layout.decode_partition(row)[0]

    def end_offset(self, partition: int) -> int | None:
        """A partition's end offset, from the last fetch or the broker monitor; None before either."""
        place = (self._source, partition)
        ends = [self._view.ends.get(place)]
        ends += [self._app.consumer.highwater(tp) for tp in self._app.consumer.assignment() if tp == place]
        return max((end for end in ends if end is not None), default=None)

    # -- what is observed

    def observe(self, now: float, view: BrokerView, *, state_ready: bool) -> list[Partition]:
        """The current state of each partition, in order; records its progress.

        Args:
            now: monotonic, seconds.
            view: the brokers' last answer.
            state_ready: whether the worker's state is complete.
        """
        self._view = view
        mine, owned = self.partitions(), self._pipeline.owned
        self._held = self._held_back(now, mine)
        stalled = self._commits.observe(now, self._positions(mine) if state_ready else {})
        not_taken_over = self._take_overs.observe(
            now, self._pending_take_overs() if state_ready and mine else {}
        )
        undecodable = self._undecodable()
        overdue = self._ticks_overdue() if state_ready else {}
        of_source = {number for topic, number in undecodable if topic == self._source}
        found = [
            Partition(
                self._source,
                number,
                self._in_reasons,
                lost=owned[number].lost if number in owned else "",
                undecodable=undecodable.get((self._source, number)),
                held=self._held.get(number),
                feed=self._pipeline.feeds[number].problem() if number in owned else "",
                not_taken_over=not_taken_over.get(number),
                stalled=stalled.get(number),
                tick_overdue=overdue.get(number),
            )
            for number in sorted({*mine, *owned, *not_taken_over, *of_source})
        ]
        return found + [
            Partition(topic, number, self._in_reasons, undecodable=stop)
            for (topic, number), stop in sorted(undecodable.items())
            if topic != self._source
        ]

    def _positions(self, mine: list[int]) -> dict[int, tuple[int, int]]:
        """(committed, end) of each partition whose end is known."""
        view, found = self._view, {}
        for number in mine:
            end = self.end_offset(number)
            if end is not None:
                place = (self._source, number)
                state = self.committed(number)
                found[number] = (
                    # Retention may have deleted records after the committed offset.
                    max(0 if state is None else state.next_offset, view.starts.get(place, 0)),
                    # Records held back by an open transaction cannot be consumed.
                    min(end, view.stable.get(place, end)),
                )
        return found

    def _pending_take_overs(self) -> dict[int, tuple[int, int]]:
        """Partitions still to be taken over, as positions that only a new assignment moves, so that each
        assignment restarts the time allowed."""
        generation = int(self._app.consumer_generation_id)
        return dict.fromkeys(self._pipeline.not_taken_over(), (generation, generation + 1))

    def _undecodable(self) -> dict[tuple[str, int], Undecodable]:
        """Where the consumer has stopped in the stage's source and changelog."""
        try:
            stopped: Mapping[Any, Undecodable] = self._app.consumer.undecodable
        except ConsumerNotStarted:
            return {}
        topics = (self._source, self.stage.changelog(self._app.settings.app_id).name)
        return {(tp.topic, tp.partition): stop for tp, stop in stopped.items() if tp.topic in topics}

    def _held_back(self, now: float, mine: list[int]) -> dict[int, OpenTransaction]:
        """What open transactions hold back in this worker's partitions."""
        stable = {place: offset for place, offset in self._view.stable.items() if place[0] == self._source}
        held = self._transactions.observe(now, stable, self._view.ends)
        return {
            number: one
            for (_, number), one in sorted(held.items())
            if number in mine and not self._is_past(number, one.offset)
        }

    def _is_past(self, partition: int, offset: int) -> bool:
        """Whether a partition was processed past an offset, so that the brokers' last answer is stale."""
        owned = self._pipeline.owned.get(partition)
        return owned is not None and owned.state.next_offset > offset

    def _ticks_overdue(self) -> Mapping[int, float]:
        """Seconds for which a tick has been due in each partition; empty for a stage without event time."""
        return {}

    # -- numbers

    @property
    def foreign_rows(self) -> int:
        """Changelog records that are no rows of the stage."""
        return self._pipeline.store.foreign_rows

    def values(self, one: Partition, now: int, *, state_ready: bool) -> dict[str, float | None]:
        """The gauges of a partition that this worker owns, by name; None is no value.

        Args:
            now: wall time, µs.
        """
        owned = self._pipeline.owned.get(one.number)
        end, state = (
            (self.end_offset(one.number), self.committed(one.number)) if state_ready else (None, None)
        )
        position = 0 if state is None else state.next_offset
        return {
            **({} if owned is None else self.measured(owned, now)),
            # Not the consumer's own lag, which stops changing when the consumer stops fetching.
            "consumer_lag_records": None if end is None else max(0, end - position),
            "committed_offset": None if state is None else position,
            "commit_age_seconds": now / 1e6 - (owned.last_commit or owned.taken_over_at) if owned else None,
            "stalled_seconds": one.stalled,
            "tick_overdue_seconds": one.tick_overdue,
            "open_transaction_seconds": one.held.seconds if one.held else 0.0,
            "undecodable": one.undecodable is not None,
            "dead_letter_run": self._pipeline.feeds[one.number].run,
        }

    def measured(self, owned: OwnedPartition[P], now: int) -> dict[str, float | None]:
        """The measurements of the last batch, by name."""
        return {"batch_seconds": owned.batch_seconds, "batch_records": owned.batch_records}

    def labelled(self, partition: int) -> Iterator[Labelled]:
        """What a partition has emitted since the worker started, of the topics that are counted."""
        counts = self._pipeline.emitted[partition]
        counted = _counted(flow(self._app.settings.flow))
        for topic in self.stage.outputs:
            if topic.name in counted:
                name, labels = counted[topic.name]
                yield name, float(counts[topic.name]), labels
