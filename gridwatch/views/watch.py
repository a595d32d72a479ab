"""What the pages know of this worker and of the others: partitions of the readings, and what is wrong where.

Whether this worker is ready says `health/worker.py`. What only the pages ask for is here, and what is about
other workers: that makes this one no less ready, so it is a warning.
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
from gridwatch.topics import RAW
from gridwatch.views import state
from gridwatch.views.rates import Throughput
from gridwatch.views.state import Record


class Watch:
    """Looks at the worker and at the other ones; changes none of them. It is the `Health` of its pages.

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
        self._silent_owners: Mapping[str, str] = {}
        self.cluster = Cluster(worker.app, RAW.name)
        self.throughput = Throughput()
        self.close = self._health.close
        self.ending = self._health.ending

    # -- readiness

    def is_settled(self) -> bool:
        """Whether the state of this worker's partitions is there whole."""
        now = self._health.application()
        return now.settled and (now.assigned or bool(self.cluster.owners()))

    def require_settled(self) -> None:
        """Problem 503 unless the state of this worker's partitions is there whole."""
        if not self.is_settled():
            raise Problem(503, *self._health.application().reasons())

    async def look(self) -> None:
        """Look at the brokers and at the other workers, and take note of each partition's progress."""
        self._silent_owners = await self._unanswered()
        self.throughput.note(
            {partition: owned.state.next_offset for partition, owned in self._pipeline.owned.items()}
        )
        await self._health.look()

    async def reasons(self) -> list[str]:
        """Why this worker is not ready; empty when it is."""
        return (await self._health.look()).reasons()

    def last_reasons(self) -> list[str]:
        """The same with what the brokers said at the last look, some seconds ago: it waits for nobody."""
        return self._health.observe().reasons()

    def warnings(self) -> list[str]:
        """What is wrong and makes this worker no less ready, as of the last look: partitions that no worker
        works on, transactions that have been open for a while, foreign rows."""
        return [
            *self.unowned(),
            *(
                f"partitions {', '.join(map(str, partitions))} are not worked on: {self._silent_owners[url]}"
                for url, partitions in self._unanswered_for().items()
            ),
            *self._health.warnings(),
        ]

    async def samples(self) -> Samples:
        """Everything that Prometheus reads, as of now."""
        samples = self._health.samples(await self._health.look())
        unanswered = sum(map(len, self._unanswered_for().values()))
        samples.put("partitions_unserved", len(self._nobodys()) + unanswered)
        return samples

    # -- other workers

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

    def unowned(self) -> list[str]:
        """A reason for the partitions that no worker owns."""
        nobodys = self._nobodys()
        return [f"no worker owns partition {', '.join(map(str, nobodys))}"] if nobodys else []

    def _nobodys(self) -> list[int]:
        return sorted(set(range(self._settings.partitions)) - self.cluster.owners().keys())

    # -- partitions

    def my_partitions(self) -> list[Record]:
        """The partitions of this worker, from committed state."""
        settled = self._health.application().settled
        return [
            state.describe_partition(
                partition,
                self.cluster.me,
                self._readings.committed(partition) if settled else None,
                self._readings.end_offset(partition) if settled else None,
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
