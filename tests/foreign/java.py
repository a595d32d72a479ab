"""Producers of kafka-clients, the Java library of Kafka Connect, Flink, Spark and Java programs.

The library is the one among the embedded broker's jars. A JVM cannot be started twice in a process, and
installs signal handlers; so it runs in a child process (`java_producer.py`), one for all producers of a
module. The child ends with this process: its commands come through a pipe.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from gridwatch.embedded.jars import kafka_jars
from gridwatch.embedded.java import find_java
from gridwatch.embedded.report import print_to_stderr
from gridwatch.topics import RAW
from tests.foreign.producers import TIMEOUT_SECONDS, Options
from tests.records import Raw

_CHILD = Path(__file__).with_name("java_producer.py")


def find_jvm() -> Path:
    """The library of the Java that runs the embedded broker."""
    # The java on the PATH is often a symbolic link.
    home = find_java().resolve().parents[1]
    libraries = [home / "lib" / "server" / name for name in ("libjvm.so", "libjvm.dylib")]
    found = [library for library in libraries if library.exists()]
    assert found, f"there is no libjvm in {home / 'lib' / 'server'}"
    return found[0]


class JavaClients:
    """A process with kafka-clients in it. Use it as a context manager; `producer` makes producers in it."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._made = 0

    def __enter__(self) -> JavaClients:
        jars = os.pathsep.join(str(jar) for jar in kafka_jars(print_to_stderr))
        self._log = tempfile.TemporaryFile()
        self._child = subprocess.Popen(
            [sys.executable, str(_CHILD), str(find_jvm()), jars],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with self._log, self._child.stdout:
            self._child.stdin.close()
            try:
                self._child.wait(TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def producer(self, options: Options) -> JavaProducer:
        """A new producer."""
        self._made += 1
        name = f"producer {self._made}"
        self.execute("open", name, properties=options.properties(self._bootstrap))
        return JavaProducer(self, name)

    def execute(self, op: str, producer: str, **more: Any) -> None:
        """Execute a command; AssertionError with Java's message if it failed."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        command = json.dumps({"op": op, "producer": producer, **more})
        try:
            self._child.stdin.write(command.encode() + b"\n")
            self._child.stdin.flush()
            # Longer than Java's own timeouts, so that Java names the reason.
            answers, _, _ = select.select([self._child.stdout], [], [], 2 * TIMEOUT_SECONDS)
            line = self._child.stdout.readline() if answers else b""
        except BrokenPipeError:
            line = b""
        assert line, f"kafka-clients did not answer to {op}:\n{self._log_end()}"
        answer = json.loads(line)
        assert answer == {"ok": True}, f"{op}: {answer['error']}"

    def _log_end(self) -> str:
        self._log.seek(0)
        return self._log.read()[-4000:].decode(errors="replace")


class JavaProducer:
    """A `ForeignProducer`."""

    def __init__(self, clients: JavaClients, name: str) -> None:
        self._clients = clients
        self._name = name

    def begin(self) -> None:
        """Begin a transaction."""
        self._clients.execute("begin", self._name)

    def send(self, records: Sequence[Raw]) -> None:
        """Send records, as one batch a partition, and wait until the broker has them."""
        encoded = [
            {
                "topic": RAW.name,
                "partition": record.partition,
                "key": _text(record.key),
                "value": _text(record.value),
                "headers": [[name, _text(value)] for name, value in record.headers],
            }
            for record in records
        ]
        self._clients.execute("send", self._name, records=encoded)

    def commit(self) -> None:
        """Commit the transaction."""
        self._clients.execute("commit", self._name)

    def abort(self) -> None:
        """Abort the transaction."""
        self._clients.execute("abort", self._name)

    def close(self) -> None:
        """Close the producer; Java aborts a transaction that is open."""
        self._clients.execute("close", self._name)


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
