"""Puts out the sources of the regions that stand still, so that the others are not held up.

The owner of a partition of bundles writes it to the log: a record with the header `gridwatch-source-out`,
after `GRIDWATCH_SOURCE_OUT_AFTER` without progress. `domain/regions/standstill.py` decides which source that
is. Since it is in the log, reading the partition again gives the same rows.
"""

from __future__ import annotations

import logging
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.codecs.regions import source_out_record
from gridwatch.domain.regions.standstill import Standstill
from gridwatch.domain.regions.state import PartitionState
from gridwatch.durations import micros
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import SOURCE_OUT_HEADER

logger = logging.getLogger(__name__)

#: How often the progress of the sources is checked, seconds.
CHECK_SECONDS = 1.0


def register(app: Any, settings: Settings, pipeline: Pipeline[PartitionState], emitter: Emitter) -> None:
    """Declare the timer that checks the sources in the partitions of this worker."""
    check = SourceCheck(settings, pipeline, emitter)

    @app.timer(CHECK_SECONDS, name="source_out")  # type: ignore[untyped-decorator, unused-ignore]
    async def source_out() -> None:
        """Put out the sources that stand still."""
        if app.rebalancing or app.in_recovery:
            check.forget()
        else:
            await check.run(now_micros())


class SourceCheck:
    """Watches the sources in the partitions of one worker."""

    def __init__(self, settings: Settings, pipeline: Pipeline[PartitionState], emitter: Emitter) -> None:
        self._after = micros(settings.source_out_after)
        self._pipeline = pipeline
        self._emitter = emitter
        #: By partition, with the state that it was seen in: each take-over loads another one, and standstills
        #: begin again with it.
        self._standstills: dict[int, tuple[PartitionState, Standstill]] = {}

    def forget(self) -> None:
        """Begin again: nobody is live."""
        self._standstills.clear()

    async def run(self, now: int) -> None:
        """Check all partitions at wall time `now`, µs."""
        for owned in list(self._pipeline.owned.values()):
            partition, state = owned.partition, owned.state
            seen, standstill = self._standstills.get(partition, (None, Standstill()))
            if seen is not state:
                standstill = Standstill()
            self._standstills[partition] = (state, standstill)
            # What is not read yet may hold the progress of a source.
            if owned.lost or self._pipeline.lag(partition):
                continue
            for name in standstill.due(state.sources, now, self._after):
                flow, _, number = name.rpartition("/")
                message = source_out_record(flow, int(number))
                topic = self._pipeline.stage.source.name
                if await self._emitter.offer_control(
                    topic, partition, message, SOURCE_OUT_HEADER, now // 1000
                ):
                    standstill.put_out(name)
                    logger.warning(
                        "%s[%d]: %s stands still; regions go on without it until it sends again",
                        *(topic, partition, name),
                    )
