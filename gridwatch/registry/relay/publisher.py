"""A producer that waits for every ack.

It is idempotent: its own retries append nothing twice, and records of a key stay in order. While the brokers
are away it tries again without a limit. What a broker refuses is an error that the caller waits out: a topic
that is missing can be created.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from gridwatch.backoff import BackOff
from gridwatch.kafka.security import librdkafka_config
from gridwatch.registry.relay.records import Record
from gridwatch.settings import Settings

_POLL_SECONDS = 0.2
#: Records that may wait for an ack at a time.
_QUEUE_RECORDS = 200_000
_POLL_EVERY = 1000
#: A topic that brokers do not know for so long is missing.
_UNKNOWN_TOPIC_MS = 5000
_BACK_OFF = BackOff()


class RefusedByBrokerError(Exception):
    """Records that the brokers did not take; the text says why."""


class Publisher:
    """Publishes records. A new one is needed after an error."""

    def __init__(self, settings: Settings) -> None:
        self._refusal = ""
        #: The last trouble with the brokers; empty after the next ack.
        self.trouble = ""
        self._producer = Producer(
            librdkafka_config(settings)
            | {
                "client.id": "gridwatch-relay",
                "enable.idempotence": True,
                "acks": "all",
                "message.timeout.ms": 0,
                "allow.auto.create.topics": False,
                "topic.metadata.propagation.max.ms": _UNKNOWN_TOPIC_MS,
                "linger.ms": 20,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": _QUEUE_RECORDS,
                "reconnect.backoff.ms": round(_BACK_OFF.first * 1000),
                "reconnect.backoff.max.ms": round(_BACK_OFF.most * 1000),
                "log_level": 0,
                "error_cb": self._note,
            }
        )

    def publish(self, records: Iterable[Record], waiting: Callable[[], bool]) -> bool:
        """Send records, and return when all are acknowledged.

        waiting: called while there is no ack; False ends it, and some may be there and others not. Whether
        all are. RefusedByBrokerError when a broker refused one.
        """
        producer = self._producer
        for number, one in enumerate(records, 1):
            while True:
                try:
                    producer.produce(
                        one.topic, one.value, one.key, one.partition,
                        headers=one.headers, on_delivery=self._acknowledged,
                    )  # fmt: skip
                    break
                except BufferError:
                    producer.poll(_POLL_SECONDS)
                    if not waiting():
                        return False
                except KafkaException as problem:
                    raise RefusedByBrokerError(f"{one.topic}: {problem.args[0].str()}") from problem
            if number % _POLL_EVERY == 0:
                producer.poll(0)
        while producer.flush(_POLL_SECONDS):
            if self._refusal:
                break
            if not waiting():
                return False
        if self._refusal:
            raise RefusedByBrokerError(self._refusal)
        return True

    def close(self) -> None:
        """Give up what has no ack yet."""
        self._producer.purge()
        self._producer.flush(_POLL_SECONDS)

    def _acknowledged(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self.trouble = ""
        else:
            self._refusal = f"{message.topic()}: {error.str()}"

    def _note(self, error: KafkaError) -> None:
        self.trouble = error.str()
