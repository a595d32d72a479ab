"""What the pages know of the anomalies of the worker's flow: their topic, followed while pages are open."""

from __future__ import annotations

from typing import Final

from gridwatch.settings import Settings
from gridwatch.topics import flow
from gridwatch.views.anomalies.known import KnownAnomalies
from gridwatch.views.following import Following, Waiting
from gridwatch.views.log_tail import LogTail

#: Records read at first, of all partitions; of each one so many at least.
SCANNED_ANOMALIES: Final = 40_000
_LEAST_RECORDS: Final = 200


class AnomalyLog:
    """Anomalies, whoever owns the partitions: the topic has all of them."""

    def __init__(self, settings: Settings, tail: LogTail) -> None:
        partitions = range(settings.partitions)
        #: Whether anything is judged: `GRIDWATCH_ANOMALY_ON`.
        self.judges = settings.policy().judges
        self.known = KnownAnomalies()
        self._following = Following(
            tail,
            flow(settings.flow).anomalies.name,
            partitions,
            self.known,
            scanned=max(_LEAST_RECORDS, SCANNED_ANOMALIES // len(partitions)),
        )
        self._waiting = Waiting(self.read, lambda: self._following.begun)

    async def read(self) -> None:
        """Take what was written; Problem 503 when the brokers do not answer."""
        await self._following.update()

    async def read_within(self, seconds: float) -> str | None:
        """The same for so long at most, as `Waiting` does."""
        return await self._waiting.read_within(seconds)

    def close(self) -> None:
        """Stop reading."""
        self._waiting.close()
