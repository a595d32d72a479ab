"""smartmeter_raw → lanes → pipeline: readings and ticks in, everything that is said about them out."""

from __future__ import annotations

from typing import Any

from gridwatch.kafka.emission import Emitter
from gridwatch.streaming.batches import BatchSchema
from gridwatch.streaming.lanes import Lanes
from gridwatch.streaming.pipeline import Pipeline
from gridwatch.streaming.reader import ConsumerReader
from gridwatch.streaming.transport import Hooks
from gridwatch.topics import RAW


def register(app: Any, pipeline: Pipeline, emitter: Emitter) -> Lanes:
    """Declare the agent, tie its lanes to the comings and goings of partitions, and return them."""

    def rejoin() -> None:
        app.consumer.rejoin()  # Faust makes its consumer late

    lanes = Lanes(
        pipeline.work,
        app.crash,
        ConsumerReader(app),
        app.rereads,
        rejoin=rejoin,
        most=app.settings.batch_records,
    )
    raw = app.topic(RAW.name, schema=BatchSchema(key_type=bytes, value_type=bytes))

    @app.agent(raw, name="readings")  # type: ignore[untyped-decorator, unused-ignore]
    async def readings(stream: Any) -> None:
        """Validate readings, tell late from on time, notice missing ones, keep each meter's state."""
        await lanes.feed(app, stream)

    async def before_revoked() -> None:
        await lanes.empty()
        await pipeline.release()

    app.transport.hooks = Hooks(
        before_recovery=pipeline.look_at_logs,
        resume_offsets=lambda partitions: pipeline.resume_offsets(RAW.name, partitions),
        before_revoked=before_revoked,
        after_recovered=lanes.reopen,
        after_seek=lanes.begin,
    )
    app.lanes = lanes
    app.before_stop += [lanes.stop, pipeline.release]
    app.after_stop.append(emitter.stop)
    return lanes
