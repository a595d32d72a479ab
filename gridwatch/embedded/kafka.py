"""EmbeddedKafka: one real Apache Kafka process, broker and controller in one (KRaft), on loopback.

The configuration is that of a single machine: replication 1, no automatic topics (a mistyped name must fail,
not make a topic), and nothing is deleted by age unless a topic says so: event time may lie years back.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from gridwatch.embedded.jars import Report, kafka_jars
from gridwatch.embedded.java import find_java
from gridwatch.embedded.kafka_probe import broker_is_ready
from gridwatch.embedded.ports import LOOPBACK, free_ports, is_free
from gridwatch.embedded.process import ServerEnded, ServerProcess, wait_until_ready
from gridwatch.errors import GridwatchError

_START_SECONDS = 90
_STOP_SECONDS = 20
_ATTEMPTS = 3

_LOG4J = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601}{UTC}Z %p %m (%c)%n
"""


def print_to_stderr(line: str) -> None:
    """The default report: one line to stderr, so that results on stdout stay clean."""
    print(line, file=sys.stderr, flush=True)


class EmbeddedKafka:
    """A broker that keeps its data in `folder`.

    port: the listener's port, 0 for any free one (kept across restart()). heap_mb: the Java heap's limit.
    overrides: broker properties that win over the ones here. report: gets lines about a first download.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int = 0,
        heap_mb: int = 1024,
        overrides: Mapping[str, str] | None = None,
        report: Report = print_to_stderr,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.port = port
        self.log = self.folder / "kafka.log"
        self._chosen = port != 0
        self._heap_mb = heap_mb
        self._overrides = dict(overrides or {})
        self._report = report
        self._process: ServerProcess | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The broker's process id while it runs."""
        if self._process is None:
            raise GridwatchError("the embedded Kafka is not running", "call start() first")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def start(self) -> EmbeddedKafka:
        """Start and return when the broker serves clients; GridwatchError with the log's end if it does not."""
        if self.running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        java = find_java()
        classpath = ":".join(str(jar) for jar in kafka_jars(self._report))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start_once(java, classpath)
                return self
            except ServerEnded as problem:
                clash = "Address already in use" in str(problem) or "BindException" in str(problem)
                if not clash or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """End in order and wait; does nothing when it is not running. The data stay."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """SIGKILL the broker, as a crash would. The data stay; start() brings it back on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """stop() and start() on the same port with the same data."""
        self.stop()
        self.start()

    def __enter__(self) -> EmbeddedKafka:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_once(self, java: Path, classpath: str) -> None:
        controller, *fresh = free_ports(1 if self.port else 2)
        if fresh:
            port = fresh[0]
        else:
            port = self.port
            if not is_free(port):
                raise GridwatchError(
                    f"port {port} on {LOOPBACK} is taken, so the embedded Kafka cannot listen there",
                    "end what listens there, or choose another port",
                )
        properties = self.folder / "server.properties"
        properties.write_text(self._properties(port, controller), encoding="utf-8")
        logging = self.folder / "log4j2.properties"
        logging.write_text(_LOG4J, encoding="utf-8")
        jvm = [str(java), "-XX:+UseSerialGC", f"-Dlog4j2.configurationFile={logging}", "-cp", classpath]
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(jvm, properties)
        process = ServerProcess(
            "Apache Kafka",
            [*jvm[:1], f"-Xmx{self._heap_mb}m", *jvm[1:], "kafka.Kafka", str(properties)],
            self.log,
            grace=_STOP_SECONDS,
        )
        try:
            wait_until_ready(process, lambda: broker_is_ready(port), seconds=_START_SECONDS)
        except BaseException:
            process.kill()
            raise
        self._process, self.port = process, port

    def _format(self, jvm: list[str], properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*jvm, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
        command.insert(1, "-XX:TieredStopAtLevel=1")
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_START_SECONDS, check=False)
        if ran.returncode != 0:
            raise GridwatchError(
                f"could not prepare {self.folder} for the embedded Kafka",
                (ran.stderr or ran.stdout).strip() or "choose an empty folder",
            )

    def _properties(self, port: int, controller: int) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "5",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "5",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "message.max.bytes": str(16 * 1024 * 1024),
            "replica.fetch.max.bytes": str(16 * 1024 * 1024),
            "log.retention.ms": "-1",
            # A killed broker may come back once its session has ended: 9 s by default.
            "broker.session.timeout.ms": "2500",
            "broker.heartbeat.interval.ms": "500",
            # The default of 128 MB is taken at once, whatever the heap.
            "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
            **self._overrides,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())
