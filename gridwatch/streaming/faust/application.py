"""A Faust application with batch delivery: the worker's and the sink's are both created here."""

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
from gridwatch.streaming.faust.garbage import collect_garbage
from gridwatch.streaming.faust.recovery import RecoveryWatch, log_progress
from gridwatch.streaming.faust.transport import Transport
from gridwatch.tables.store import SCHEME
from gridwatch.topics import Topic

logger = logging.getLogger(__name__)

#: Heartbeat interval, seconds; three fit into a session. A member that is silent for `session_timeout` loses
#: its partitions; a restarted one with its old instance id gets them back at once.
_HEARTBEAT_SECONDS = 2.0
_REQUEST_SECONDS = 60.0
#: How often metadata is refreshed, milliseconds. A broker that has just started lists topics without their
#: partitions; a leader that assigns partitions at that moment assigns none until the next refresh.
_METADATA_MS = 10_000
#: A stop that takes longer is forced: Faust waits for ever for a consumer that ended first. Seconds.
_STOP_SECONDS = 30.0
#: How often dropped batches are looked for, seconds.
_CHECK_SECONDS = 0.25
#: Batches (not records) that wait between fetcher and queues.
_BUFFERED_BATCHES = 16


class FlowControl(FlowControlEvent):  # type: ignore[misc, unused-ignore]
    """Faust's flow control, without losing batches in flight.

    Resuming clears every queue, so that nothing from before a rebalance is processed. But after a recovery
    flow is already active when Faust resumes it: partitions have been sought, and the batches of the first
    fetch may be in an agent's queue. Clearing it then loses them silently.
    """

    def resume(self) -> None:
        """Resume flow; queues are cleared only if it was suspended."""
        if not self.is_active():
            super().resume()


class Application(faust.App):  # type: ignore[misc, unused-ignore]
    """A Faust application that checks its topics before it starts and finishes its work before it stops."""

    settings: Settings
    #: The topics that must exist, with the partition count of the settings, before it starts.
    needed_topics: tuple[Topic, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The re-reads of partitions, by cause.
        self.rereads = Rereads()
        #: Called some times a second between rebalances, with the monotonic time.
        self.checks: list[Callable[[float], Awaitable[None]]] = []
        #: Awaited in order when the application stops: before Faust stops, and after it has.
        self.before_stop: list[Callable[[], Awaitable[None]]] = []
        self.after_stop: list[Callable[[], Awaitable[None]]] = []

    @cached_property
    def flow_control(self) -> FlowControlEvent:
        """Suspends and resumes every stream."""
        return FlowControl(loop=self.loop)

    async def on_first_start(self) -> None:
        """Refuse to start without brokers or with wrong topics."""
        try:
            await asyncio.get_running_loop().run_in_executor(
                None, require_topics, self.settings, self.needed_topics
            )
        except GridwatchError as problem:
            logger.critical("%s", problem)
            # The loop cannot be unwound from here, and nothing has been started that needs it.
            os._exit(problem.exit_code)
        # Faust creates the last folder of the path only; that of a flow lies in the data folder.
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        await super().on_first_start()
        self.add_future(collect_garbage())
        self.add_future(log_progress(self))
        self.add_future(self._watch_continuity())

    async def _watch_continuity(self) -> None:
        """Have batches read again that Faust drops before they reach a partition queue, or recovery."""
        # Not a Faust timer: those start after the first recovery.
        recovery = RecoveryWatch(self, self.rereads, ContinuityPolicy())
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            if self.in_recovery:
                await recovery.check(time.monotonic())
            elif not self.rebalancing:
                for check in self.checks:
                    await check(time.monotonic())

    async def on_stop(self) -> None:
        """Finish the work in progress, let Faust stop, then disconnect; by force if that takes too long."""
        self._force_stop = threading.Timer(_STOP_SECONDS, _exit_now)
        self._force_stop.daemon = True
        self._force_stop.start()
        for step in self.before_stop:
            await step()
        await super().on_stop()
        for step in self.after_stop:
            await step()

    async def on_shutdown(self) -> None:
        """Everything has stopped."""
        await super().on_shutdown()
        self._force_stop.cancel()


def _exit_now() -> None:
    logger.critical("still not stopped after %.0f s: exiting by force; nothing is lost", _STOP_SECONDS)
    os._exit(1)


def create_app(
    settings: Settings,
    *,
    name: str,
    web_port: int,
    unpacked: Mapping[str, Unpack | None],
    topics: Collection[Topic],
) -> Application:
    """Create the application `name`, which requires `topics`.

    Topics in `unpacked` are delivered in batches, with records made by the function, or aiokafka's own for
    None.
    """
    for noisy in ("aiokafka.conn", "aiokafka.producer.producer", "aiokafka.consumer.fetcher", "faust.topics"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # their debug calls alone cost 7% of a worker
    app = Application(
        name,
        broker=[URL(f"kafka://{address}") for address in settings.bootstrap.split(",")],
        broker_credentials=Security.of(settings).faust(),
        autodiscover=False,
        origin="gridwatch",
        datadir=str(settings.state_folder),
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
