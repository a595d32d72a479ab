"""One deployment under faults: supervised workers and sinks, and when they have processed everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from chaos.compare.changelog import State
from chaos.registrar import TOPICS, Registrar
from chaos.schedule import SESSION_SECONDS
from chaos.servers import Servers
from chaos.service import MOST_EXITS, Exit, SupervisedService, Supervisor
from chaos.subject import GRIDWATCH, Observed, Subject
from gridwatch.deployment.catching_up import Ends, committed, output_ends
from gridwatch.deployment.polling import WaitTimeoutError, until, until_complete
from gridwatch.deployment.site import Site as Deployment
from gridwatch.deployment.topics import recreate_topics
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions

#: Without progress for this long a run counts as stalled.
STALLED_SECONDS = 75.0
_PAUSE_SECONDS = 0.3
WORKERS = 3
SINKS = 2

#: Settings of every run. Without idle ticks, and without sources that are put out: both depend on the wall
#: clock.
RULES: dict[str, Any] = {
    "partitions": 6,
    "metrics_window": "1h",
    "state_ttl": "2d",
    "idle_timeout": "30d",
    "source_out_after": "30d",
    "anomaly_on": "1m",  # windows of some meters, slots of others; and many of both in a stretch
    "session_timeout": f"{SESSION_SECONDS}s",
}


class Site(Deployment[SupervisedService]):
    """A deployment; created by `new_site`. tuning: more settings, and `commit_bytes`."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        common: dict[str, Any],
        tuning: dict[str, Any],
        *,
        subject: Subject,
        compacted: bool,
        input_seed: int = 0,
    ) -> None:
        self.servers = servers
        self.subject = subject
        self.compacted = compacted
        self.notes: list[str] = []
        #: Faults that were not injected: their drop point was not reached.
        self.missed = 0
        make = partial(SupervisedService, worker=subject.app, commit_bytes=tuning.pop("commit_bytes", 0))
        # Small batches make many commits in a worker; a sink would only be slow with them.
        of_workers = {name: tuning.pop(name) for name in ("batch_records",) if name in tuning}
        super().__init__(folder, common | tuning, make)
        self.workers = [self._numbered("worker", number, **of_workers) for number in range(WORKERS)]
        self.sinks = [self._numbered("sink", number) for number in range(SINKS)]
        self.registrar = Registrar(self.settings, folder, common, input_seed)

    def _numbered(self, kind: str, number: int, **own: object) -> SupervisedService:
        name = f"{kind}-{number + 1}"
        return self.add(kind, name, instance_id=name, **own)

    @property
    def data_folders(self) -> list[Path]:
        """The data folders of the workers."""
        return [service.data for service in self.workers]

    @property
    def exits(self) -> list[Exit]:
        """Exits of processes that no fault caused."""
        return [one for service in self.services for one in service.exits]

    def wait_until_ready(self) -> None:
        """Return when every wanted service is ready."""
        waiting: list[str] = []

        def all_ready() -> bool:
            nonlocal waiting
            self._check_for_crash_loops()
            waiting = [one.name for one in self.services if one.wanted and not one.is_ready()]
            return not waiting

        try:
            until("all is ready", all_ready, STALLED_SECONDS, pause=_PAUSE_SECONDS)
        except WaitTimeoutError as problem:
            raise GridwatchError(f"not ready within {STALLED_SECONDS:g} s: {', '.join(waiting)}") from problem

    def drain(self, log: Callable[[str], None] = lambda line: None) -> None:
        """Return when every stage has processed its source to the end, all outputs are stored, and each
        partition has an owner that can stop gracefully, which flushes its RocksDB.

        GridwatchError when there is no progress before that, or a service is in a crash loop.
        """
        for observed in self.subject.stages:  # the outputs of one are the source of the next
            self._drain_stage(observed)
        log("all processed; storing")
        written = self._ask_broker(partial(output_ends, self.settings))
        self._wait_until_complete("the sink", lambda: self._stored(written))
        self._wait_until_complete("the group of workers", self._served)

    def _drain_stage(self, observed: Observed) -> None:
        source = observed.stage.source.name
        ends = self._ask_broker(lambda positions: positions.ends([source]))
        wanted = {partition: end for (_, partition), end in ends.items()}
        state = State(self.settings, observed)
        try:
            self._wait_until_complete(f"stage {observed.stage.name}", lambda: self._processed(state, wanted))
        finally:
            state.close()

    def _processed(self, state: State, wanted: dict[int, int]) -> tuple[bool, object]:
        state.read()
        return state.is_done(wanted), (state.positions(), hash(tuple(state.rows.last.items())))

    def _served(self) -> tuple[bool, object]:
        wanted = [worker for worker in self.workers if worker.wanted]
        partitions = self.settings.partitions
        return all(worker.is_ready() and worker.sees_owners(partitions) for worker in wanted), None

    def _stored(self, ends: Ends) -> tuple[bool, object]:
        done = committed(Positions(self.settings), self.settings.sink_group, ends)
        return done >= sum(ends.values()), done

    def _wait_until_complete(self, who: str, poll: Callable[[], tuple[bool, object]]) -> None:
        progress: object = None

        def poll_what_answers() -> tuple[bool, object]:
            nonlocal progress
            self._check_for_crash_loops()
            complete = False
            with suppress(GridwatchError, KafkaException):  # a broker that is down does not answer
                complete, progress = poll()
            return complete, progress

        until_complete(who, poll_what_answers, STALLED_SECONDS, pause=_PAUSE_SECONDS)

    def _check_for_crash_loops(self) -> None:
        for service in self.services:
            if len(service.exits) > MOST_EXITS:
                raise GridwatchError(
                    f"{service.name} is in a crash loop; the end of its log:\n{service.exits[-1].log_excerpt}"
                )

    def _ask_broker(self, ask: Callable[[Positions], Ends]) -> Ends:
        """Query the broker, with retries: it may have just restarted."""
        return until(
            "the broker answers with end offsets",
            lambda: ask(Positions(self.settings)),
            STALLED_SECONDS,
            pause=_PAUSE_SECONDS,
            transient=(GridwatchError,),
        )

    def stop(self) -> None:
        """Stop every service for good."""
        self.registrar.relay.stop()
        for service in self.services:
            service.wanted = False
        super().stop()


@contextmanager
def new_site(
    servers: Servers,
    folder: Path,
    name: str,
    *,
    compacted: bool,
    raw: bool = True,
    subject: Subject = GRIDWATCH,
    input_seed: int = 0,
    **tuning: Any,
) -> Iterator[Site]:
    """A deployment with empty topics and tables, its services not started; at the end all are killed.

    raw: False keeps the raw topic with its records.
    """
    folder.mkdir()
    with servers.new_database(name) as database:
        common = {
            **RULES,
            "broker": f"kafka://{servers.kafka.bootstrap}",
            "app_id": name,
            "database_url": database,
            "security_protocol": "PLAINTEXT",
        }
        site = Site(
            servers, folder, common, tuning, subject=subject, compacted=compacted, input_seed=input_seed
        )
        servers.recreate_topics(site.settings, subject, compacted=compacted, raw=raw)
        recreate_topics(site.settings, topics=list(TOPICS))
        with Supervisor(site.services), site.registrar.relay:
            yield site
