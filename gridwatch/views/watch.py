"""What this worker knows of itself and of the others: partitions, readiness, the numbers of a scrape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from faust.exceptions import ConsumerNotStarted

from gridwatch.clock import now_micros
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.ticks import idle_instant
from gridwatch.durations import micros
from gridwatch.health.condition import Condition, condition
from gridwatch.health.measures import measure
from gridwatch.health.progress import Progress
from gridwatch.health.prometheus import Scrape
from gridwatch.kafka.broker_monitor import BrokerMonitor, BrokerView
from gridwatch.kafka.open_transactions import MENTIONED_AFTER, Held, OpenTransactions, held_reason
from gridwatch.settings import Settings
from gridwatch.streaming.faust.fetching import Undecodable, undecodable_reason
from gridwatch.streaming.faust.recovery import recovered
from gridwatch.streaming.stage.dead_letter_limit import feed_reason
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import RAW, all_topics
from gridwatch.views import state
from gridwatch.views.queries import Problem
from gridwatch.views.rates import Throughput
from gridwatch.views.routing import Cluster
from gridwatch.views.state import Record


class Watch:
    """Looks at the application, its pipeline and the other workers; changes none of them."""

    def __init__(self, app: Any, settings: Settings, pipeline: Pipeline[PartitionState]) -> None:
        self._app = app
        self._settings = settings
        self._pipeline = pipeline
        topics = [topic.name for topic in all_topics(settings.app_id)]
        self._broker = BrokerMonitor(settings, "gridwatch-health", topics, [RAW.name])
        self._view = BrokerView()
        self._commits = Progress()
        self._watermarks = Progress()
        self._takings = Progress()
        self._transactions = OpenTransactions()
        self._watermarks_standing: Mapping[int, float] = {}
        self._silent_owners: Mapping[str, str] = {}
        self.cluster = Cluster(app, RAW.name)
        self.throughput = Throughput()

    # -- readiness

    def _condition(self) -> Condition:
        return condition(self._app, assigned=bool(self.cluster.mine()))

    def is_settled(self) -> bool:
        """Whether the state of this worker's partitions is there whole."""
        now = self._condition()
        return now.settled and (now.assigned or bool(self.cluster.owners()))

    def require_settled(self) -> None:
        """Problem 503 unless the state of this worker's partitions is there whole."""
        if not self.is_settled():
            raise Problem(503, *self._condition().reasons())

    async def look(self) -> None:
        """Look at the brokers and at the other workers, and take note of each partition's progress."""
        self._view = await self._broker.look()
        self._silent_owners = await self._unanswered()
        self.throughput.note(
            {partition: owned.state.next_offset for partition, owned in self._pipeline.owned.items()}
        )
        self._now()

    async def close(self) -> None:
        """Disconnect."""
        await self._broker.close()

    async def reasons(self) -> list[str]:
        """Why this worker is not ready; empty when it is."""
        self._view = await self._broker.look()
        return self._now().reasons()

    def last_reasons(self) -> list[str]:
        """The same with what the brokers said at the last look, some seconds ago: it waits for nobody."""
        return self._now().reasons()

    def warnings(self) -> list[str]:
        """What is wrong elsewhere, as of the last look: partitions that no worker works on, and transactions
        that have been open for a while."""
        return [
            *self.unowned(),
            *(
                f"partitions {', '.join(map(str, partitions))} are not worked on: {self._silent_owners[url]}"
                for url, partitions in self._unanswered_for().items()
            ),
            *(held_reason(*one) for one in self._held_back() if one[1].seconds >= MENTIONED_AFTER),
        ]

    def _now(self) -> Condition:
        """The condition with what the last look at the brokers said."""
        now, found = time.monotonic(), self._condition()
        self._watermarks_standing = self._watermarks.observe(now, self._moving_watermarks())
        ack_wait, ack_problem = self._pipeline.ack_wait()
        return replace(
            found,
            brokers=self._view.problems,
            partitions=self._hindrances(),
            not_taken=self._takings.observe(now, self._not_taken(found)),
            standing=self._commits.observe(now, self._positions()),
            ticks_overdue=self._ticks_overdue() if found.settled else {},
            ack_wait=ack_wait,
            ack_problem=ack_problem,
            stalled_after=self._settings.stalled_after.total_seconds(),
        )

    def _hindrances(self) -> list[str]:
        """What is wrong with single partitions, each with its remedy."""
        owned = sorted(self._pipeline.owned.items())
        limit = self._settings.stalled_after.total_seconds()
        feeds = [(partition, self._pipeline.feeds[partition].problem()) for partition, _ in owned]
        return [
            *(one.lost for _, one in owned if one.lost),
            *(
                undecodable_reason(tp.topic, tp.partition, stop)
                for tp, stop in sorted(self._undecodable().items())
            ),
            *(held_reason(place, held) for place, held in self._held_back() if held.seconds >= limit),
            *(feed_reason(RAW.name, partition, problem) for partition, problem in feeds if problem),
        ]

    def _undecodable(self) -> Mapping[Any, Undecodable]:
        try:
            found: Mapping[Any, Undecodable] = self._app.consumer.undecodable
        except ConsumerNotStarted:
            return {}
        return found

    def _held_back(self) -> list[tuple[tuple[str, int], Held]]:
        """What open transactions hold back in the partitions that are ours, as of the last look."""
        held = self._transactions.observe(time.monotonic(), self._view.stable, self._view.ends)
        mine = set(self.cluster.mine())
        return [
            (place, one)
            for place, one in sorted(held.items())
            if place[1] in mine and not self._is_worked_beyond(place[1], one.offset)
        ]

    def _is_worked_beyond(self, partition: int, offset: int) -> bool:
        """Whether a partition has come further than the last look at the brokers says that it can."""
        owned = self._pipeline.owned.get(partition)
        return owned is not None and owned.state.next_offset > offset

    def _not_taken(self, now: Condition) -> dict[int, tuple[int, int]]:
        """Partitions to be taken over, as positions that only a new assignment moves: with each the time that
        there is for it begins anew."""
        if not (now.settled and now.assigned):
            return {}
        generation = int(self._app.consumer_generation_id)
        return dict.fromkeys(self._pipeline.not_taken_over(), (generation, generation + 1))

    def _positions(self) -> dict[int, tuple[int, int]]:
        starts = self._view.starts  # what retention has removed lies behind everybody
        stable = self._view.stable  # what an open transaction holds back nobody can work on
        return {
            one["partition"]: (
                max(one["committed"] or 0, starts.get((RAW.name, one["partition"]), 0)),
                min(one["end"], stable.get((RAW.name, one["partition"]), one["end"])),
            )
            for one in self.my_partitions()
            if one["end"] is not None
        }

    def _ticks_overdue(self) -> dict[int, float]:
        """Seconds for which a tick has been due in each partition that is taken over."""
        now, timeout = now_micros(), micros(self._settings.idle_timeout)
        overdue = {}
        for partition, owned in self._pipeline.owned.items():
            due = idle_instant(
                owned.state,
                now,
                caught_up=owned.state.next_offset >= (self.end_offset(partition) or 0),
                idle_timeout=timeout,
                idle_delay=micros(self._settings.idle_delay),
            )
            silent = now - (owned.state.record_time or now)
            overdue[partition] = 0.0 if due is None else (silent - timeout) / 1e6
        return overdue

    def _moving_watermarks(self) -> dict[int, tuple[int, int]]:
        """The watermarks that wall time should move, as positions that always have something before them."""
        return {
            partition: (owned.state.watermark, owned.state.watermark + 1)
            for partition, owned in self._pipeline.owned.items()
            if owned.state.watermark is not None and not owned.state.replayed
        }

    async def _unanswered(self) -> dict[str, str]:
        """URL → why, of each other worker that owns partitions and does not answer."""
        others = self.cluster.others()
        answers = await asyncio.gather(
            *(self.cluster.ask(url, "/live/") for url in others), return_exceptions=True
        )
        return {
            url: str(answer)
            for url, answer in zip(others, answers, strict=True)
            if isinstance(answer, Problem)
        }

    def _unanswered_for(self) -> dict[str, list[int]]:
        """URL → its partitions now, of each worker that did not answer at the last look."""
        owned = {url: self.cluster.owned_by(url) for url in self._silent_owners}
        return {url: partitions for url, partitions in owned.items() if partitions}

    def ending(self) -> list[str]:
        """Why this worker will not live on; empty when it will."""
        return Condition(assigned=True, stopping=self._condition().stopping).reasons()

    # -- partitions

    def end_offset(self, partition: int) -> int | None:
        """The raw partition's end, as the last fetch or our own look told it; None before either did."""
        ends = [self._view.ends.get((RAW.name, partition))]
        ends += [
            self._app.consumer.highwater(tp)
            for tp in self._app.consumer.assignment()
            if tp == (RAW.name, partition)
        ]
        return max((end for end in ends if end is not None), default=None)

    def my_partitions(self) -> list[Record]:
        """The partitions of this worker, from committed state."""
        settled = self._condition().settled
        return [
            state.describe_partition(
                partition,
                self.cluster.me,
                state.read_partition(self._pipeline.store, partition) if settled else None,
                self.end_offset(partition) if settled else None,
            )
            for partition in self.cluster.mine()
        ]

    async def all_partitions(self) -> tuple[list[Record], list[str]]:
        """Every partition, asked of its owner, and what could not be had."""
        answers, incomplete = await self.cluster.ask_all("/partitions/")
        return self.everybodys(answers), incomplete + self.unowned()

    def everybodys(self, answers: Iterable[Record]) -> list[Record]:
        """Every partition: ours, and those that are told in other workers' answers."""
        owners = self.cluster.owners()
        known = {one["partition"]: one for one in self.my_partitions()}
        for answer in answers:
            known.update((one["partition"], one) for one in answer["partitions"])
        return [
            known.get(partition) or state.describe_partition(partition, owners.get(partition))
            for partition in range(self._settings.partitions)
        ]

    def unowned(self) -> list[str]:
        """A reason for the partitions that no worker owns."""
        nobodys = self._nobodys()
        return [f"no worker owns partition {', '.join(map(str, nobodys))}"] if nobodys else []

    def _nobodys(self) -> list[int]:
        return sorted(set(range(self._settings.partitions)) - self.cluster.owners().keys())

    # -- numbers

    async def scrape(self) -> Scrape:
        """Everything that Prometheus reads, as of now."""
        reasons = await self.reasons()
        now = now_micros()
        found = self._now()
        unserved = sum(map(len, self._unanswered_for().values()))
        taken = Scrape(
            worker={
                "ready": float(not reasons),
                "rebalancing": float(found.rebalancing),
                "recovering": float(found.recovering),
                "recovery_rows_remaining": float(sum(one.remaining for one in recovered(self._app))),
                "ack_wait_seconds": found.ack_wait,
                "broker_problems": float(len(found.brokers)),
                "partitions": float(self._settings.partitions),
                "partitions_owned": float(len(self.cluster.mine())),
                "partitions_unserved": float(len(self._nobodys()) + unserved),
                "foreign_changelog_rows": float(self._pipeline.store.foreign_rows),
            },
            causes={cause: float(count) for cause, count in self._app.rereads.counts.items()},
        )
        undecodable = {tp.partition for tp in self._undecodable() if tp.topic == RAW.name}
        held = {partition: one.seconds for (_, partition), one in self._held_back()}
        for one in self.my_partitions():
            partition = one["partition"]
            values = {
                "state_meters": one["meters"],
                "open_gaps": one["open_gaps"],
                "jump_candidates": one["jump_candidates"],
                "committed_offset": one["committed"],
                "standing_seconds": found.standing.get(partition),
                "tick_overdue_seconds": found.ticks_overdue.get(partition),
                "watermark_standing_seconds": self._watermarks_standing.get(partition),
                "open_transaction_seconds": held.get(partition, 0.0),
                "undecodable": float(partition in undecodable),
                "dead_letter_run": self._pipeline.feeds[partition].run,
            }
            owned = self._pipeline.owned.get(partition)
            if owned is not None:
                values.update(measure(self._pipeline, owned, now))
                values["commit_age_seconds"] = now / 1e6 - (owned.last_commit or owned.taken)
            # Not the consumer's own idea of it, which stands still when the consumer does.
            values["consumer_lag_records"] = one["lag"]
            known = {name: float(value) for name, value in values.items() if value is not None}
            taken.partitions[partition] = known
        return taken
