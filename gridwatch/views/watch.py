"""What this worker knows of itself and of the others: partitions, readiness, the numbers of a scrape."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

from gridwatch.agents.system_metrics import measure
from gridwatch.clock import now_micros
from gridwatch.settings import Settings
from gridwatch.streaming.pipeline import Pipeline
from gridwatch.topics import RAW
from gridwatch.views import state
from gridwatch.views.health import BrokerCheck, Condition, Progress, condition
from gridwatch.views.prometheus import Scrape
from gridwatch.views.queries import Problem
from gridwatch.views.routing import Cluster
from gridwatch.views.state import Record


class Watch:
    """Looks at the application, its pipeline and the other workers; changes none of them."""

    def __init__(self, app: Any, settings: Settings, pipeline: Pipeline) -> None:
        self._app = app
        self._settings = settings
        self._pipeline = pipeline
        self._progress = Progress()
        self._broker = BrokerCheck(settings)
        self.cluster = Cluster(app, RAW.name)

    # -- readiness

    def _condition(self) -> Condition:
        return condition(self._app, assigned=bool(self.cluster.mine()))

    def require_settled(self) -> None:
        """Problem 503 unless the state of this worker's partitions is there whole."""
        now = self._condition()
        unplaced = not (now.assigned or self.cluster.owners())
        if not now.settled or unplaced:
            raise Problem(503, *now.reasons())

    def look(self) -> dict[int, float]:
        """Take note of each partition's progress; returns the seconds each has been standing."""
        positions = {
            one["partition"]: (one["committed"] or 0, one["end"])
            for one in self.my_partitions()
            if one["end"] is not None
        }
        return self._progress.observe(time.monotonic(), positions)

    async def reasons(self) -> list[str]:
        """Why this worker is not ready; empty when it is."""
        broker = await self._broker.problem()
        return replace(self._condition(), broker=broker, standing=self.look()).reasons()

    def ending(self) -> list[str]:
        """Why this worker will not live on; empty when it will."""
        return Condition(assigned=True, stopping=self._condition().stopping).reasons()

    # -- partitions

    def end_offset(self, partition: int) -> int | None:
        """The raw partition's end as the last fetch told it; None before there was one, or when not ours."""
        for tp in self._app.consumer.assignment():
            if tp == (RAW.name, partition):
                end: int | None = self._app.consumer.highwater(tp)
                return end
        return None

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
        owners = self.cluster.owners()
        known = {one["partition"]: one for one in self.my_partitions()}
        answers, incomplete = await self.ask_all("/partitions/")
        for answer in answers:
            known.update((one["partition"], one) for one in answer["partitions"])
        everything = [
            known.get(partition) or state.describe_partition(partition, owners.get(partition))
            for partition in range(self._settings.partitions)
        ]
        return everything, incomplete + self.unowned()

    def unowned(self) -> list[str]:
        """A reason for the partitions that no worker owns."""
        nobodys = sorted(set(range(self._settings.partitions)) - self.cluster.owners().keys())
        return [f"no worker owns partition {', '.join(map(str, nobodys))}"] if nobodys else []

    async def ask_all(self, path: str) -> tuple[list[Any], list[str]]:
        """The JSON that every other worker answers to `path`, and a reason for each that does not."""
        questions = [self.ask_json(url, path) for url in self.cluster.others()]
        results = await asyncio.gather(*questions, return_exceptions=True)
        answers: list[Any] = []
        incomplete: list[str] = []
        for result in results:
            if isinstance(result, Problem):
                incomplete += result.reasons
            elif isinstance(result, BaseException):
                raise result
            else:
                answers.append(result)
        return answers, incomplete

    async def ask_json(self, url: str, path: str) -> Any:
        """What the worker at `url` answers to `path`; Problem when it is not what was asked for."""
        answer = await self.cluster.ask(url, path)
        try:
            said = json.loads(answer.body)
        except ValueError as error:
            raise Problem(503, f"worker {url} answered {answer.status} and no JSON") from error
        if answer.status != 200:
            reasons = said.get("reasons", [f"status {answer.status}"])
            raise Problem(503, *(f"worker {url}: {reason}" for reason in reasons))
        return said

    # -- numbers

    async def scrape(self) -> Scrape:
        """Everything that Prometheus reads, as of now."""
        reasons = await self.reasons()
        now = now_micros()
        condition_now = self._condition()
        taken = Scrape(
            worker={
                "ready": float(not reasons),
                "rebalancing": float(condition_now.rebalancing),
                "recovering": float(condition_now.recovering),
                "partitions_owned": float(len(self.cluster.mine())),
            }
        )
        for one in self.my_partitions():
            partition = one["partition"]
            values = {
                "state_meters": one["meters"],
                "open_gaps": one["open_gaps"],
                "jump_candidates": one["jump_candidates"],
                "consumer_lag_records": one["lag"],
                "committed_offset": one["committed"],
            }
            owned = self._pipeline.owned.get(partition)
            if owned is not None:
                values.update(measure(self._pipeline, owned, now))
                if owned.last_commit:
                    values["commit_age_seconds"] = now / 1e6 - owned.last_commit
            known = {name: float(value) for name, value in values.items() if value is not None}
            taken.partitions[partition] = known
        return taken
