"""EmbeddedKafka: one real Apache Kafka process, broker and controller in one (KRaft), on loopback.

Configured for a single machine: replication factor 1, no automatic topic creation (a mistyped name must fail,
not create a topic), and no retention by age unless a topic has one: event time may lie years back.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from gridwatch.embedded.jars import kafka_jars
from gridwatch.embedded.java import find_java
from gridwatch.embedded.kafka_probe import broker_is_ready
from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.embedded.process import ServerProcess
from gridwatch.embedded.report import Report, print_to_stderr
from gridwatch.embedded.server import EmbeddedServer
from gridwatch.errors import GridwatchError

_STOP_SECONDS = 20.0
_FORMAT_SECONDS = 90

_LOG4J = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601}{UTC}Z %p %m (%c)%n
"""


class EmbeddedKafka(EmbeddedServer):
    """A broker that keeps its data in `folder`.

    port: the listener's port, 0 for any free one. heap_mb: the limit of the Java heap. overrides: broker
    properties that take precedence. report: gets progress messages of the first download.
    """

    name = "Apache Kafka"
    _port_in_use = "Address already in use"

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int = 0,
        heap_mb: int = 1024,
        overrides: Mapping[str, str] | None = None,
        report: Report = print_to_stderr,
    ) -> None:
        super().__init__(folder, port, "kafka.log")
        self._heap_mb = heap_mb
        self._overrides = dict(overrides or {})
        self._report = report
        self._data = self.folder / "data"
        self._java: list[str] = []

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self.port}"

    def _prepare(self) -> None:
        java = find_java()
        classpath = os.pathsep.join(str(jar) for jar in kafka_jars(self._report))
        logging = self.folder / "log4j2.properties"
        logging.write_text(_LOG4J, encoding="utf-8")
        # The serial collector: the least overhead with few cores and a small heap.
        flags = ["-XX:+UseSerialGC", f"-Dlog4j2.configurationFile={logging}"]
        self._java = [str(java), *flags, "-cp", classpath]
        if not self._data.exists():
            self._format()

    def _launch(self, port: int, lock: int) -> ServerProcess:
        properties = self._write_properties(port, free_ports(1)[0], self._data)
        java, *flags = self._java
        command = [java, f"-Xmx{self._heap_mb}m", *flags, "kafka.Kafka", str(properties)]
        return ServerProcess(self.name, command, self.log, lock, grace=_STOP_SECONDS)

    def _is_ready(self, process: ServerProcess, port: int) -> bool:
        return broker_is_ready(port)

    def _format(self) -> None:
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # what an interrupted start left
        port, controller = free_ports(2)
        # 16 bytes in base64; the first is fixed, because an id that begins with - would parse as an option.
        cluster = urlsafe_b64encode(b"g" + secrets.token_bytes(15)).decode().rstrip("=")
        properties = self._write_properties(port, controller, unfinished)
        java, *flags = self._java
        # It runs for a second: C2 compilation would not pay off.
        command = [java, "-XX:TieredStopAtLevel=1", *flags, "kafka.tools.StorageTool", "format"]
        command += ["-t", cluster, "-c", str(properties)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        if ran.returncode != 0:
            raise GridwatchError(
                f"could not prepare {self.folder} for the embedded {self.name}",
                (ran.stderr or ran.stdout).strip() or "choose an empty folder",
            )
        unfinished.rename(self._data)

    def _write_properties(self, port: int, controller: int, data: Path) -> Path:
        properties = self.folder / "server.properties"
        lines = [f"{key}={value}\n" for key, value in self._properties(port, controller, data).items()]
        properties.write_text("".join(lines), encoding="utf-8")
        return properties

    def _properties(self, port: int, controller: int, data: Path) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(data),
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
            # A killed broker can register again once its session has expired: 9 s by default.
            "broker.session.timeout.ms": "2500",
            "broker.heartbeat.interval.ms": "500",
            # The default of 128 MB is allocated at once, whatever the heap.
            "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
            **self._overrides,
        }
