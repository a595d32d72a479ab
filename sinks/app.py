"""The sink's Faust application: output topics in, rows in the database out.

`faust -A sinks.app worker -l info` and `gridwatch sink` both start it.

    smartmeter_validated, …gap_alerts, …late_events, …metrics, …dead_letters
        ──► queues ──► pool ─┬► store (decode, gather) ──► writer (one transaction) ──► database
                             └► … one of each a connection
                                  └─► smartmeter_dead_letters   what is foreign, what the database refuses
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
from gridwatch.topics import all_topics
from sinks import health, system_metrics, tables
from sinks.connection import SchemaMismatchError
from sinks.dead_letters import DeadLetterOffice
from sinks.pool import Pool

logger = logging.getLogger(__name__)

#: How often an idle sink looks whether its database is there, seconds.
LOOK_SECONDS = 5.0

settings = load_settings()
app = create_app(
    settings,
    name=f"{settings.app_id}-sink",
    web_port=settings.sink_web_port,
    unpacked=dict.fromkeys(tables.topics()),
    topics=all_topics(settings.app_id),
)
emitter = Emitter(settings, client_id=app.conf.broker_client_id)
office = DeadLetterOffice(emitter)
pool = Pool(
    settings.database,
    office.send,
    settings.sink_batch_rows,
    settings.sink_connections,
    DeadLetterPolicy.of(settings),
)
queues = PartitionQueues(
    pool.store, app.crash, ConsumerReader(app), app.rereads, most=settings.sink_batch_rows
)


@app.agent(  # type: ignore[untyped-decorator, unused-ignore]
    app.topic(*tables.topics(), schema=BatchSchema(key_type=bytes, value_type=bytes)),
    name="sink",
)
async def sink(stream: Any) -> None:
    """Batches to the database; offsets only after the commit."""
    await queues.feed(app, stream)


@app.task  # type: ignore[untyped-decorator, unused-ignore]
async def database_is_there() -> None:
    """Refuse to start on a wrong schema; then look whether the database is there when nothing is to do."""
    try:
        await pool.check()
    except SchemaMismatchError as problem:
        logger.critical("%s at %s\n  remedy: %s", problem.message, pool.address, problem.remedy)
        os._exit(problem.exit_code)
    while not app.should_stop:
        await app.sleep(LOOK_SECONDS)
        if not app.should_stop:
            with contextlib.suppress(SchemaMismatchError):  # by now it is waited for; /ready/ says so
                await pool.check()


async def hand_over() -> None:
    """Let go of what is not in the database yet: whoever owns the partitions next reads it again."""
    pool.give_up()
    await queues.empty()
    pool.go_on()


async def finish() -> None:
    """The same, for good."""
    pool.give_up()
    await queues.stop()
    await pool.stop()


app.transport.hooks = Hooks(before_revoked=hand_over, after_recovered=queues.reopen, after_seek=queues.begin)
app.checks.append(queues.check)
app.before_stop.append(finish)
app.after_stop.append(emitter.stop)
health.register(app, settings, pool, office)
system_metrics.register(app, emitter, pool)
