"""Runs the stages of a worker in one application and one consumer group.

Each stage has an agent on its source, a table, and a pipeline; they share the partition queues, the emitter
of outputs, and the hooks for assignment and revocation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.streaming.faust.application import Application, create_app
from gridwatch.streaming.faust.batches import BatchSchema, RecordBatch, TakeOverEvent
from gridwatch.streaming.faust.reader import ConsumerReader
from gridwatch.streaming.faust.transport import Hooks
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.streaming.stage.partition_queues import PartitionQueues
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.state_table import state_table

#: How often assigned partitions without batches are taken over, seconds.
_TAKE_OVER_SECONDS = 1.0


class Worker:
    """An application that runs stages.

    Args:
        stages: each after those whose outputs it reads.
    """

    def __init__(self, settings: Settings, stages: Iterable[Stage[Any]]) -> None:
        self.stages = tuple(stages)
        self.app = create_app(
            settings,
            name=settings.app_id,
            web_port=settings.web_port,
            unpacked={
                topic: unpack
                for stage in self.stages
                for topic, unpack in (
                    (stage.source.name, stage.unpack),
                    (stage.changelog(settings.app_id).name, list),
                )
            },
            topics=[topic for stage in self.stages for topic in stage.topics(settings.app_id)],
        )
        self.emitter = Emitter(settings, client_id=self.app.conf.broker_client_id)
        #: The pipeline of each stage, by the stage's name.
        self.pipelines: dict[str, Pipeline[Any]] = {
            stage.name: Pipeline(
                self.app, settings, stage, self.emitter, state_table(self.app, settings, stage)
            )
            for stage in self.stages
        }
        self._of_source = {one.stage.source.name: one for one in self.pipelines.values()}
        self.queues = PartitionQueues(
            self._work,
            self.app.crash,
            ConsumerReader(self.app),
            self.app.rereads,
            rejoin=self._rejoin,
            most=settings.batch_records,
        )
        for stage in self.stages:
            _agent(self.app, self.queues, stage)
        self._attach()

    async def _work(self, batch: RecordBatch | TakeOverEvent) -> int | None:
        return await self._of_source[batch.topic].work(batch)

    def _rejoin(self) -> None:
        self.app.consumer.rejoin()  # late, since Faust creates its consumer late

    def _attach(self) -> None:
        app, queues = self.app, self.queues
        app.transport.hooks = Hooks(
            before_recovery=self._describe_topics,
            resume_offsets=self._resume_offsets,
            before_revoked=self._hand_over,
            after_recovered=queues.reopen,
            after_seek=queues.begin,
        )
        app.checks.append(queues.check)
        app.before_stop += [queues.stop, self._release]
        app.after_stop.append(self.emitter.stop)

        @app.timer(_TAKE_OVER_SECONDS, name="take_over")  # type: ignore[untyped-decorator, unused-ignore]
        async def take_over() -> None:
            """Take over partitions that get no batches."""
            if not (app.rebalancing or app.in_recovery):
                await self._request_take_overs()

    async def _request_take_overs(self) -> None:
        for pipeline in self.pipelines.values():
            topic = pipeline.stage.source.name
            for partition in pipeline.not_taken_over():
                if self.queues.is_idle((topic, partition)):
                    await self.queues.put(TakeOverEvent(topic, partition))

    def _resume_offsets(self, partitions: set[Any]) -> Mapping[Any, int]:
        return {
            tp: offset
            for pipeline in self.pipelines.values()
            for tp, offset in pipeline.resume_offsets(partitions).items()
        }

    async def _describe_topics(self) -> None:
        await self._each(Pipeline.describe_topics)

    async def _hand_over(self) -> None:
        await self.queues.empty()
        await self._release()

    async def _release(self) -> None:
        await self._each(Pipeline.release)

    async def _each(self, do: Callable[[Pipeline[Any]], Awaitable[None]]) -> None:
        await asyncio.gather(*map(do, self.pipelines.values()))


def _agent(app: Application, queues: PartitionQueues, stage: Stage[Any]) -> None:
    source = app.topic(stage.source.name, schema=BatchSchema(key_type=bytes, value_type=bytes))

    async def agent(stream: Any) -> None:
        await queues.feed(app, stream)

    agent.__doc__ = stage.meaning  # `faust agents` shows it
    app.agent(source, name=stage.name)(agent)
