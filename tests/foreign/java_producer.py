"""Child process: kafka-clients in a JVM, driven by commands that are lines of JSON on stdin.

Arguments: the path of libjvm, the class path. A command names its `op` and its `producer`, and is answered by
one line of JSON on stdout, `{"ok": true}` or `{"error": …}`. Keys, values and header values are Base64. The
process ends at the end of stdin, as if killed: open transactions stay open.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import jpype

#: Java's time-out for a broker that does not answer, seconds.
_TIMEOUT_SECONDS = 25


class Producers:
    """Java producers by name. Every public method is a command."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        self._decode = jpype.JClass("java.util.Base64").getDecoder().decode
        self._record = jpype.JClass("org.apache.kafka.clients.producer.ProducerRecord")
        self._header = jpype.JClass("org.apache.kafka.common.header.internals.RecordHeader")
        self._seconds = jpype.JClass("java.util.concurrent.TimeUnit").SECONDS

    def open(self, producer: str, properties: dict[str, str]) -> None:
        """Make a producer; one with a transactional id is made ready for transactions."""
        serializer = "org.apache.kafka.common.serialization.ByteArraySerializer"
        configured = jpype.JClass("java.util.HashMap")()
        for name, value in {
            **properties,
            "key.serializer": serializer,
            "value.serializer": serializer,
            "max.block.ms": str(_TIMEOUT_SECONDS * 1000),
        }.items():
            configured.put(name, value)
        self._named[producer] = jpype.JClass("org.apache.kafka.clients.producer.KafkaProducer")(configured)
        if "transactional.id" in properties:
            self._named[producer].initTransactions()

    def begin(self, producer: str) -> None:
        """Begin a transaction."""
        self._named[producer].beginTransaction()

    def send(self, producer: str, records: list[dict[str, Any]]) -> None:
        """Send records, and wait for every ack."""
        sender = self._named[producer]
        acks = [sender.send(self._made(**record)) for record in records]
        sender.flush()
        for ack in acks:
            ack.get(_TIMEOUT_SECONDS, self._seconds)

    def _made(
        self, topic: str, partition: int, key: str | None, value: str | None, headers: list[list[str]]
    ) -> Any:
        listed = jpype.JClass("java.util.ArrayList")()
        for name, text in headers:
            listed.add(self._header(name, self._decode(text)))
        number = jpype.JClass("java.lang.Integer")(partition)
        content = [None if text is None else self._decode(text) for text in (key, value)]
        no_time = None
        return self._record(topic, number, no_time, *content, listed)

    def commit(self, producer: str) -> None:
        """Commit the transaction."""
        self._named[producer].commitTransaction()

    def abort(self, producer: str) -> None:
        """Abort the transaction."""
        self._named[producer].abortTransaction()

    def close(self, producer: str) -> None:
        """Close the producer."""
        self._named.pop(producer).close()


def main(jvm: str, classpath: str) -> None:
    """Execute commands until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Java logs to stdout: only answers go there
    jpype.startJVM(
        jvm,
        "-Xmx256m",
        "-Xrs",  # signals are Python's
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "--enable-native-access=ALL-UNNAMED",
        classpath=classpath.split(os.pathsep),
    )
    producers = Producers()
    for line in sys.stdin:
        command = json.loads(line)
        op = command.pop("op")
        try:
            getattr(producers, op)(**command)
            answer: dict[str, Any] = {"ok": True}
        except Exception as error:  # Java's exceptions are among them; the parent decides
            answer = {"error": str(error)}
        print(json.dumps(answer), file=answers)
    os._exit(0)  # closing producers would abort what is open


if __name__ == "__main__":
    main(*sys.argv[1:])
