"""Health and partitions of this worker and of the others, for the pages.

`health/worker.py` decides whether this worker is ready. A problem of another worker does not make this one
unready, so it is a warning here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

from gridwatch.cluster import Cluster
from gridwatch.health.exposition import Samples
from gridwatch.health.worker import WorkerHealth
from gridwatch.http.reply import Problem
from gridwatch.settings import Settings
from gridwatch.streaming.stage.worker import Worker
from gridwatch.tables.readings import METERS
from gridwatch.views import state
from gridwatch.views.rates import Throughput
from gridwatch.views.state import Record


class Watch:
    """Observes this worker and the others without changing them; the `Health` of the worker's pages.

    Args:
        clock: monotonic, seconds.
    """

    def __init__(
        self, worker: Worker, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._pipeline = worker.pipelines[METERS.stage]
        self._health = WorkerHealth(worker, settings, clock)
        self._readings = next(one for one in self._health.stages if one.stage.name == METERS.stage)
        self._unreachable: Mapping[str, str] = {}
        self.cluster = Cluster(worker.app, self._pipeline.stage.source.name)
        self.throughput = Throughput()
        self.close = self._health.close
        self.ending = self._health.ending

    # -- readiness

    def is_state_ready(self) -> bool:
        """Whether the state of this worker's partitions is complete."""
        now = self._health.application()
        return now.state_ready and (now.assigned or bool(self.cluster.owners()))

    def require_state(self) -> None:
        """Problem 503 unless the state of this worker's partitions is complete."""
        if not self.is_state_ready():
            raise Problem(503, *self._health.application().reasons())

    async def check(self) -> None:
        """Ask the brokers and the other workers, and record the progress of each partition."""
        self._unreachable = await self._ask_others()
        self.throughput.observe(
            {partition: owned.state.next_offset for partition, owned in self._pipeline.owned.items()}
        )
        await self._health.check()

    async def reasons(self) -> list[str]:
        """Why this worker is not ready; empty when it is."""
        return (await self._health.check()).reasons()

    def last_reasons(self) -> list[str]:
        """The same with the brokers' answer of the last check, some seconds ago: it does no I/O."""
        return self._health.observe().reasons()

    def warnings(self) -> list[str]:
        """Problems that leave this worker ready, as of the last check: partitions that no worker processes,
        transactions that have been open for a while, foreign rows."""
        return [
            *self.unowned_reasons(),
            *(
                f"partitions {', '.join(map(str, partitions))} are not processed: {self._unreachable[url]}"
                for url, partitions in self._unreachable_partitions().items()
            ),
            *self._health.warnings(),
        ]

    async def samples(self) -> Samples:
        """The current value of every metric."""
        samples = self._health.samples(await self._health.check())
        unanswered = sum(map(len, self._unreachable_partitions().values()))
        samples.put("partitions_unserved", len(self._unowned()) + unanswered)
        return samples

    # -- other workers

    async def _ask_others(self) -> dict[str, str]:
        """URL → reason, of each other worker that owns partitions and does not answer."""
        others = self.cluster.others()
        answers = await asyncio.gather(
            *(self.cluster.ask(url, "/live/") for url in others), return_exceptions=True
        )
        return {
            url: str(answer)
            for url, answer in zip(others, answers, strict=True)
            if isinstance(answer, Problem)
        }

    def _unreachable_partitions(self) -> dict[str, list[int]]:
        """URL → current partitions, of each worker that did not answer at the last check."""
        owned = {url: self.cluster.owned_by(url) for url in self._unreachable}
        return {url: partitions for url, partitions in owned.items() if partitions}

    def unowned_reasons(self) -> list[str]:
        """A reason naming the partitions that no worker owns; empty if there are none."""
        unowned = self._unowned()
        return [f"no worker owns partition {', '.join(map(str, unowned))}"] if unowned else []

    def _unowned(self) -> list[int]:
        return sorted(set(range(self._settings.partitions)) - self.cluster.owners().keys())

    # -- partitions

    def own_partitions(self) -> list[Record]:
        """The partitions of this worker, from committed state."""
        state_ready = self._health.application().state_ready
        return [
            state.describe_partition(
                partition,
                self.cluster.own_url,
                self._readings.committed(partition) if state_ready else None,
                self._readings.end_offset(partition) if state_ready else None,
            )
            for partition in self.cluster.own_partitions()
        ]

    async def all_partitions(self) -> tuple[list[Record], list[str]]:
        """Every partition, as its owner reports it, and a reason for each that is missing."""
        answers, incomplete = await self.cluster.ask_all("/partitions/")
        return self.merged_partitions(answers), incomplete + self.unowned_reasons()

    def merged_partitions(self, answers: Iterable[Record]) -> list[Record]:
        """Every partition: this worker's, and those in other workers' answers."""
        owners = self.cluster.owners()
        known = {one["partition"]: one for one in self.own_partitions()}
        for answer in answers:
            known.update((one["partition"], one) for one in answer["partitions"])
        return [
            known.get(partition) or state.describe_partition(partition, owners.get(partition))
            for partition in range(self._settings.partitions)
        ]
