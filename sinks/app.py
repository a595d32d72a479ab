"""The sink's Faust application: output topics of every flow in, rows in the database out.

`faust -A sinks.app worker -l info` and `gridwatch sink` both start it.

    smartmeter_validated, …gap_alerts, …late_events, …metrics, …dead_letters, aggregates_1m, aggregates_15m,
    anomalies, and of all flows together regional_aggregates, incidents, homelab.*
        ──► queues ──► pool ─┬► store (decode, gather) ──► writer (one transaction) ──► database
                             └► … one of each per connection
                                  └─► smartmeter_dead_letters   foreign records, refused rows
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import Any

from gridwatch.kafka.emission import Emitter
from gridwatch.settings import load_settings
from gridwatch.streaming.faust.application import create_app
from gridwatch.streaming.faust.batches import BatchSchema
from gridwatch.streaming.faust.reader import ConsumerReader
from gridwatch.streaming.faust.transport import Hooks
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterPolicy
from gridwatch.streaming.stage.partition_queues import PartitionQueues
from gridwatch.topics import topics_of
from sinks import health, system_metrics, tables
from sinks.connection import SchemaMismatchError
from sinks.dead_letters import DeadLetterProducer
from sinks.pool import Pool

logger = logging.getLogger(__name__)

#: How often an idle connection is checked, seconds.
CHECK_SECONDS = 5.0

settings = load_settings()
topics = tables.topics(settings.flows)
app = create_app(
    settings,
    name=settings.sink_group,
    web_port=settings.sink_web_port,
    unpacked=dict.fromkeys(topics),
    topics=topics_of(settings.applications),
)
emitter = Emitter(settings, client_id=app.conf.broker_client_id)
dead_letters = DeadLetterProducer(emitter)
pool = Pool(
    settings.database,
    dead_letters.send,
    settings.sink_batch_rows,
    settings.sink_connections,
    DeadLetterPolicy.of(settings),
    topics=topics,
)
queues = PartitionQueues(
    pool.store, app.crash, ConsumerReader(app), app.rereads, most=settings.sink_batch_rows
)


@app.agent(  # type: ignore[untyped-decorator, unused-ignore]
    app.topic(*topics, schema=BatchSchema(key_type=bytes, value_type=bytes)),
    name="sink",
)
async def sink(stream: Any) -> None:
    """Write batches to the database; commit offsets only after the transaction."""
    await queues.feed(app, stream)


@app.task  # type: ignore[untyped-decorator, unused-ignore]
async def monitor_database() -> None:
    """Refuse to start on a wrong schema; then check idle connections."""
    try:
        await pool.check()
    except SchemaMismatchError as problem:
        logger.critical("%s at %s\n  remedy: %s", problem.message, pool.address, problem.remedy)
        os._exit(problem.exit_code)
    while not app.should_stop:
        await app.sleep(CHECK_SECONDS)
        if not app.should_stop:
            with contextlib.suppress(SchemaMismatchError):  # the writer waits for it; /ready/ reports it
                await pool.check()


async def release_partitions() -> None:
    """Abort what is not in the database yet: the next owner of the partitions reads it again."""
    pool.abort()
    await queues.empty()
    pool.resume()


async def shut_down() -> None:
    """Abort what is not in the database yet, and stop the queues and the connections."""
    pool.abort()
    await queues.stop()
    await pool.stop()


app.transport.hooks = Hooks(
    before_revoked=release_partitions, after_recovered=queues.reopen, after_seek=queues.begin
)
app.checks.append(queues.check)
app.before_stop.append(shut_down)
app.after_stop.append(emitter.stop)
health.register(app, settings, pool, dead_letters)
system_metrics.register(app, settings, emitter, pool)
