"""One deployment: topics, a database and a folder of its own, workers and sinks, and when all is done."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from gridwatch.chaos.changelog import State
from gridwatch.chaos.schedule import SESSION_SECONDS
from gridwatch.chaos.servers import Servers
from gridwatch.chaos.service import MOST_EXITS, Exit, Service, Supervisor
from gridwatch.chaos.subject import GRIDWATCH, Observed, Subject
from gridwatch.embedded.ports import free_ports
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import OUTPUTS

#: Without any progress for this long something hangs.
STANDSTILL_SECONDS = 75.0
_LOOK_SECONDS = 0.3
WORKERS = 3
SINKS = 2

#: What every run has. Idle ticks go by wall clock, which is not in the log: none of them.
RULES: dict[str, Any] = {
    "partitions": 6,
    "metrics_window": "1h",
    "state_ttl": "2d",
    "idle_timeout": "30d",
    "session_timeout": f"{SESSION_SECONDS}s",
}


class Site:
    """A deployment; use it through `new_site`."""

    def __init__(
        self,
        servers: Servers,
        settings: Settings,
        folder: Path,
        tuning: dict[str, Any],
        *,
        subject: Subject,
        compacted: bool,
    ) -> None:
        self.servers = servers
        self.subject = subject
        self.compacted = compacted
        self.settings = settings
        self.folder = folder
        self.notes: list[str] = []
        #: Faults that could not happen: the step at which they were to happen was not reached.
        self.missed = 0
        commit_bytes = tuning.pop("commit_bytes", 0)
        # Small batches make many commits; a sink that polls for so few would take its time over nothing.
        of_workers = {name: tuning.pop(name) for name in ("batch_records",) if name in tuning}
        common = {
            **RULES,
            **tuning,
            "broker": settings.broker,
            "app_id": settings.app_id,
            "database_url": settings.database,
        }
        ports = free_ports(WORKERS + SINKS)
        self.workers: list[Service] = []
        self.sinks: list[Service] = []
        for number, port in enumerate(ports):
            kind, of = ("worker", self.workers) if number < WORKERS else ("sink", self.sinks)
            name = f"{kind}-{len(of) + 1}"
            of_its_own = {
                "datadir": str(folder / name),
                "instance_id": name,
                "web_port" if kind == "worker" else "sink_web_port": port,
            }
            settings_of_it = {**common, **of_its_own, **(of_workers if kind == "worker" else {})}
            app = subject.app if kind == "worker" else "sinks.app"
            of.append(Service(app, name, folder, port, settings_of_it, commit_bytes=commit_bytes))

    @property
    def services(self) -> list[Service]:
        """Workers and sinks."""
        return [*self.workers, *self.sinks]

    @property
    def data_folders(self) -> list[Path]:
        """Of the workers."""
        return [service.data for service in self.workers]

    @property
    def exits(self) -> list[Exit]:
        """Processes that ended although nobody had ended them."""
        return [one for service in self.services for one in service.exits]

    def wait_until_ready(self) -> None:
        """Return when everything that is wanted says that it is ready."""
        deadline = time.monotonic() + STANDSTILL_SECONDS
        while not all(service.ready for service in self.services if service.wanted):
            self._look_after()
            if time.monotonic() > deadline:
                waiting = [one.name for one in self.services if one.wanted and not one.ready]
                raise GridwatchError(f"not ready within {STANDSTILL_SECONDS:g} s: {', '.join(waiting)}")
            time.sleep(_LOOK_SECONDS)

    def settle(self, say: Callable[[str], None] = lambda line: None) -> None:
        """Return when every stage has worked its source to its end, all outputs are stored, and each
        partition is owned by a worker that can stop in order: its RocksDB gets the rest with that.

        GridwatchError when nothing moves any more before that, or a service is in a crash loop.
        """
        for observed in self.subject.stages:  # what one has said by its end is the source of another
            self._settle_stage(observed)
        say("all worked; storing")
        topics = [topic.name for topic in OUTPUTS]
        said = self._asked(lambda: Positions(self.settings).ends(topics))
        self._progress("the sink", lambda: self._stored(said))
        self._progress("the group of workers", self._served)

    def _settle_stage(self, observed: Observed) -> None:
        source = observed.stage.source.name
        ends = self._asked(lambda: Positions(self.settings).ends([source]))
        wanted = {partition: end for (_, partition), end in ends.items()}
        state = State(self.settings, observed)
        try:
            self._progress(f"stage {observed.stage.name}", lambda: self._worked(state, wanted))
        finally:
            state.close()

    def _worked(self, state: State, wanted: dict[int, int]) -> tuple[bool, object]:
        state.read()
        return state.is_done(wanted), (state.worked(), hash(tuple(state.rows.last.items())))

    def _served(self) -> tuple[bool, object]:
        wanted = [worker for worker in self.workers if worker.wanted]
        partitions = self.settings.partitions
        return all(worker.ready and worker.sees_owners(partitions) for worker in wanted), None

    def _stored(self, said: dict[tuple[str, int], int]) -> tuple[bool, object]:
        found = Positions(self.settings).of_group(
            f"{self.settings.app_id}-sink", sorted({topic for topic, _ in said})
        )
        committed = {(one.topic, one.partition): one.committed or 0 for one in found}
        done = all(committed.get(place, 0) >= end for place, end in said.items())
        return done, sum(committed.values())

    def _progress(self, who: str, look: Any) -> None:
        before: object = None
        since = time.monotonic()
        while True:
            self._look_after()
            done = False
            with contextlib.suppress(GridwatchError, KafkaException):
                done, now = look()
                if now != before:
                    before, since = now, time.monotonic()
            if done:
                return
            if time.monotonic() - since > STANDSTILL_SECONDS:
                raise GridwatchError(f"{who} has stood still for {STANDSTILL_SECONDS:g} s")
            time.sleep(_LOOK_SECONDS)

    def _look_after(self) -> None:
        for service in self.services:
            if len(service.exits) > MOST_EXITS:
                raise GridwatchError(
                    f"{service.name} is in a crash loop; the end of its log:\n{service.exits[-1].said}"
                )

    @staticmethod
    def _asked(ask: Any) -> Any:
        """An answer of the broker, which may have been back for a moment only."""
        deadline = time.monotonic() + STANDSTILL_SECONDS
        while True:
            try:
                return ask()
            except GridwatchError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """End everything in order, all at once: each may take seconds to finish its work."""
        ending = [threading.Thread(target=service.leave, args=("stop",)) for service in self.services]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()


@contextmanager
def new_site(
    servers: Servers,
    folder: Path,
    name: str,
    *,
    compacted: bool,
    raw: bool = True,
    subject: Subject = GRIDWATCH,
    **tuning: Any,
) -> Iterator[Site]:
    """A deployment with empty topics and tables, none of its services started; nothing of it runs on.

    raw: False leaves the raw topic as it is, with what it holds.
    """
    folder.mkdir()
    with servers.new_database(name) as database:
        settings = load_settings(
            **RULES,
            broker=f"kafka://{servers.kafka.bootstrap}",
            app_id=name,
            database_url=database,
            security_protocol="PLAINTEXT",
        )
        servers.renew_topics(settings, subject, compacted=compacted, raw=raw)
        site = Site(servers, settings, folder, dict(tuning), subject=subject, compacted=compacted)
        with Supervisor(site.services):
            yield site
