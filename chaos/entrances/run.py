"""One seed: senders, entrances and all behind them under faults; then the ledger against the database."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2

from chaos.entrances.checking import compare
from chaos.entrances.mosquitto import Mosquitto
from chaos.entrances.proxy import Proxy
from chaos.entrances.schedule import KINDS, make_faults
from chaos.entrances.senders import Clock, Ledger, send_http, send_mqtt
from chaos.run import Log, Result
from chaos.servers import Servers
from chaos.service import MOST_EXITS, SupervisedService, Supervisor
from chaos.site import RULES
from gridwatch.deployment.polling import WaitTimeoutError, until
from gridwatch.deployment.service import Service
from gridwatch.deployment.site import Site
from gridwatch.deployment.topics import recreate_topics
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.errors import GridwatchError
from gridwatch.http.client import fetch

#: Rounds of readings: minutes of event time, so that nothing becomes too late.
ROUNDS = 180
#: How long everything may take to be sent, whatever the faults.
_SENT_SECONDS = 300.0
_BETWEEN_SECONDS = 1.0
_STORED_SECONDS = 150.0
#: How long what should not be there has to come.
_EXCESS_SECONDS = 3.0
_NOTHING_PENDING = b"gridwatch_bridge_unacknowledged_messages 0.0"


class Entrances:
    """A deployment with entrances; the target of faults."""

    def __init__(
        self, servers: Servers, mosquitto: Mosquitto, proxy: Proxy, folder: Path, common: dict[str, object]
    ) -> None:
        self.servers = servers
        self.mosquitto = mosquitto
        self.proxy = proxy
        self.site = Site(folder, common, SupervisedService)
        for kind in ("worker", "sink", "ingest", "bridge"):
            self.site.add(kind, kind, instance_id=kind)

    def service(self, kind: str) -> SupervisedService:
        """The service of a kind."""
        return next(one for one in self.site.services if one.kind.name == kind)

    def wait_until_ready(self) -> None:
        """Return when every service is ready; GridwatchError with the reasons of those that are not."""
        try:
            until("all is ready", lambda: all(one.is_ready() for one in self.site.services), 120, pause=0.3)
        except WaitTimeoutError as problem:
            reasons = {one.name: _reasons(one) for one in self.site.services if not one.is_ready()}
            raise GridwatchError(f"not ready: {reasons}") from problem

    def drain(self, database: str, ledger: Ledger) -> None:
        """Return when the bridge owes no acknowledgement and everything promised is in the database, or when
        that takes too long: what is lost then is for the comparison to say."""

        def owes_nothing() -> bool:
            return _NOTHING_PENDING in fetch(f"{self.service('bridge').url}/metrics/")[1]

        def is_stored() -> bool:
            return not compare(database, ledger)[0]

        until("the bridge owes nothing", owes_nothing, 120, transient=(OSError,))
        with contextlib.suppress(WaitTimeoutError):
            until("everything is stored", is_stored, _STORED_SECONDS, pause=1, transient=(psycopg2.Error,))
        time.sleep(_EXCESS_SECONDS)


class EntranceChaos:
    """Runs seeds one after the other on the same servers."""

    def __init__(self, servers: Servers, folder: Path, log: Log, rounds: int = ROUNDS) -> None:
        self._servers = servers
        self._folder = folder
        self._log = log
        self._rounds = rounds
        self._runs = 0

    def run(self, seed: int, count: int) -> Result:
        """Run one seed from start to end; errors are in the result."""
        faults = make_faults(seed, count)
        result = Result(seed, list(map(str, faults)))
        began = time.monotonic()
        self._runs += 1
        name = f"entrances_{self._runs}_{seed}"
        folder = self._folder / name
        folder.mkdir()
        self._servers.start()
        try:
            with (
                self._servers.new_database(name) as database,
                Mosquitto(folder / "mosquitto") as mosquitto,
                Proxy(mosquitto.port) as proxy,
            ):
                common = {
                    **RULES,
                    "broker": f"kafka://{self._servers.kafka.bootstrap}",
                    "app_id": name,
                    "database_url": database,
                    "security_protocol": "PLAINTEXT",
                    "mqtt_url": f"mqtt://{LOOPBACK}:{proxy.port}",
                    "ingest_ack_timeout": "5s",
                }
                entrances = Entrances(self._servers, mosquitto, proxy, folder, common)
                recreate_topics(entrances.site.settings)
                with Supervisor(entrances.site.services):
                    try:
                        ledger = self._under_faults(entrances, database, seed, result)
                    finally:
                        result.exits = [one for service in entrances.site.services for one in service.exits]
                    result.differences, result.compared = compare(database, ledger)
        except (GridwatchError, TimeoutError, AssertionError) as problem:
            result.error = str(problem)
        result.seconds = time.monotonic() - began
        return result

    def _under_faults(self, entrances: Entrances, database: str, seed: int, result: Result) -> Ledger:
        for service in entrances.site.services:
            service.start()
        entrances.wait_until_ready()
        clock, ledger = Clock(self._rounds), Ledger()
        senders = [
            _thread(clock, lambda: send_http(entrances.service("ingest").port, seed, clock, ledger)),
            _thread(clock, lambda: send_mqtt(entrances.mosquitto.port, seed, clock, ledger)),
        ]
        began = time.monotonic()
        try:
            for fault in make_faults(seed, len(result.schedule)):
                clock.allow(fault.at)
                clock.wait_until_sent(max(0.0, fault.at - 0.05), _SENT_SECONDS)
                self._log(f"{time.monotonic() - began:6.1f} s {fault}")
                KINDS[fault.kind].inject(entrances, fault)
                result.injected = fault.number
                clock.allow(min(1.0, fault.at + 0.05))
                time.sleep(_BETWEEN_SECONDS)
            clock.allow(1.1)
            clock.wait_until_sent(1.0, _SENT_SECONDS)
        except BaseException as problem:
            clock.fail(GridwatchError(f"the run was given up: {problem}"))
            raise
        finally:
            for sender in senders:
                sender.join(30)
        for service in entrances.site.services:
            if len(service.exits) > MOST_EXITS:
                raise GridwatchError(f"{service.name} is in a crash loop:\n{service.exits[-1].log_excerpt}")
        self._log(f"{time.monotonic() - began:6.1f} s all sent, {ledger.repeated} repetitions; draining")
        entrances.drain(database, ledger)
        return ledger


def _reasons(service: Service) -> object:
    try:
        return service.page("/ready/")["reasons"]
    except (OSError, ValueError) as error:
        return repr(error)


def _thread(clock: Clock, work: Callable[[], None]) -> threading.Thread:
    """Run a sender; its failure ends the other one, and the run."""

    def guarded() -> None:
        try:
            work()
        except BaseException as problem:  # whatever it is, the run must hear of it
            clock.fail(problem)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    return thread
