"""A Faust application with the batch seam in place: the worker's and the sink's are both made here."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property
from typing import Any

import faust
from mode.utils.queues import FlowControlEvent
from yarl import URL

from gridwatch.errors import GridwatchError
from gridwatch.kafka.broker import require_topics
from gridwatch.kafka.security import Security
from gridwatch.logs import logging_config
from gridwatch.settings import Settings
from gridwatch.streaming.faust.assignor import Assignor
from gridwatch.streaming.faust.batches import batch_scheduler
from gridwatch.streaming.faust.continuity import ContinuityPolicy, Rereads
from gridwatch.streaming.faust.fetching import Unpack
from gridwatch.streaming.faust.garbage import look_for_garbage
from gridwatch.streaming.faust.recovery import RecoveryWatch, say_progress
from gridwatch.streaming.faust.transport import Transport
from gridwatch.tables.store import SCHEME
from gridwatch.topics import Topic

logger = logging.getLogger(__name__)

#: How often a member says that it is there. One that is silent for `session_timeout` loses its partitions; a
#: restarted one with its old instance id has them back at once. Seconds; three fit into a session.
_HEARTBEAT_SECONDS = 2.0
_REQUEST_SECONDS = 60.0
#: How often topics are looked up, milliseconds. A broker that has just started names topics without their
#: partitions; a member that hands them out at that moment hands out none, and learns better only then.
_METADATA_MS = 10_000
#: An end that takes longer will never come: Faust waits for ever for a consumer that ended first. Seconds.
_STOP_SECONDS = 30.0
#: How often one looks for what did not arrive, seconds.
_CHECK_SECONDS = 0.25
#: Batches (not records) that wait between fetcher and queues.
_BUFFERED_BATCHES = 16


class FlowControl(FlowControlEvent):  # type: ignore[misc, unused-ignore]
    """Faust's flow control, without the loss of what flows.

    Resuming clears every queue, so that nothing from before a rebalance is worked. But when there was
    something to recover, flow is already active by the time that Faust resumes it: partitions have been
    sought, and what the first fetch brought may be in an agent's queue. Clearing it there loses it silently.
    """

    def resume(self) -> None:
        """Let events flow; queues are cleared only if they could not."""
        if not self.is_active():
            super().resume()


class Application(faust.App):  # type: ignore[misc, unused-ignore]
    """A Faust application that looks at its topics before it starts and finishes its work before it stops."""

    settings: Settings
    #: What has to be there, with the partition count of the settings, before it starts.
    needed_topics: tuple[Topic, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: What of the partitions had to be read again, and why.
        self.rereads = Rereads()
        #: Called some times a second between rebalances, with the monotonic time.
        self.checks: list[Callable[[float], Awaitable[None]]] = []
        #: Awaited in order when the application stops: before, and after Faust has let go of everything.
        self.before_stop: list[Callable[[], Awaitable[None]]] = []
        self.after_stop: list[Callable[[], Awaitable[None]]] = []

    @cached_property
    def flow_control(self) -> FlowControlEvent:
        """What suspends and resumes every stream."""
        return FlowControl(loop=self.loop)

    async def on_first_start(self) -> None:
        """Refuse to start without brokers or with topics that are not as they should be."""
        try:
            await asyncio.get_running_loop().run_in_executor(
                None, require_topics, self.settings, self.needed_topics
            )
        except GridwatchError as problem:
            logger.critical("%s", problem)
            # The loop is not ours to unwind from in here: nothing has been started that needs it.
            os._exit(problem.exit_code)
        await super().on_first_start()
        self.add_future(look_for_garbage())
        self.add_future(say_progress(self))
        self.add_future(self._watch_continuity())

    async def _watch_continuity(self) -> None:
        """Have what Faust drops on its way to the partition queues, or to recovery, read again."""
        # No timer of Faust's: those begin when the first recovery has ended.
        recovery = RecoveryWatch(self, self.rereads, ContinuityPolicy())
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            if self.in_recovery:
                await recovery.check(time.monotonic())
            elif not self.rebalancing:
                for check in self.checks:
                    await check(time.monotonic())

    async def on_stop(self) -> None:
        """Finish what is in work, let Faust stop, then disconnect; by force if that does not end."""
        self._giving_up = threading.Timer(_STOP_SECONDS, _end)
        self._giving_up.daemon = True
        self._giving_up.start()
        for step in self.before_stop:
            await step()
        await super().on_stop()
        for step in self.after_stop:
            await step()

    async def on_shutdown(self) -> None:
        """Everything has stopped."""
        await super().on_shutdown()
        self._giving_up.cancel()


def _end() -> None:
    logger.critical("still not stopped after %.0f s: ending all the same; nothing is lost", _STOP_SECONDS)
    os._exit(1)


def create_app(
    settings: Settings,
    *,
    name: str,
    web_port: int,
    unpacked: Mapping[str, Unpack | None],
    topics: Collection[Topic],
) -> Application:
    """Make the application `name`, which needs `topics`, and gets those in `unpacked` as batches, of records
    as their functions make them, or of aiokafka's own."""
    for noisy in ("aiokafka.conn", "aiokafka.producer.producer", "aiokafka.consumer.fetcher", "faust.topics"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # their debug calls alone cost 7% of a worker
    app = Application(
        name,
        broker=[URL(f"kafka://{address}") for address in settings.bootstrap.split(",")],
        broker_credentials=Security.of(settings).faust(),
        autodiscover=False,
        origin="gridwatch",
        datadir=str(settings.datadir),
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        topic_disable_leader=True,
        table_standby_replicas=0,
        store=f"{SCHEME}://",
        ConsumerScheduler=batch_scheduler(frozenset(unpacked)),
        PartitionAssignor=Assignor,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=_METADATA_MS,
        consumer_group_instance_id=settings.instance_id or f"{name}-{socket.gethostname()}-{web_port}",
        consumer_max_fetch_size=4 * 1024 * 1024,
        broker_max_poll_records=settings.batch_records,
        broker_session_timeout=settings.session_timeout.total_seconds(),
        broker_heartbeat_interval=_HEARTBEAT_SECONDS,
        broker_request_timeout=_REQUEST_SECONDS,
        stream_buffer_maxsize=_BUFFERED_BATCHES,
        stream_recovery_delay=0.0,
        processing_guarantee="at_least_once",
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=web_port,
        canonical_url=settings.web_advertised_url or f"http://{_reachable(settings.web_host)}:{web_port}",
        agent_supervisor="mode.supervisors:CrashingSupervisor",
        logging_config=logging_config(settings),
    )
    app.settings = settings
    app.needed_topics = tuple({topic.name: topic for topic in topics}.values())
    transport = app.transport = Transport(app.conf.broker, app, loop=None)
    transport.unpacked = unpacked

    @app.on_rebalance_complete.connect  # type: ignore[untyped-decorator, unused-ignore]
    async def recovered(*_args: Any, **_kwargs: Any) -> None:
        transport.hooks.after_recovered()

    return app


def _reachable(host: str) -> str:
    return socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104
