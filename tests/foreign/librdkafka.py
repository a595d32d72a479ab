"""Producers of librdkafka, the library of Python, Go, .NET, Node.js and C programs."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaError, Producer

from gridwatch.topics import RAW
from tests.foreign.producers import TIMEOUT_SECONDS, Options
from tests.records import Raw


class LibrdkafkaProducer:
    """A `ForeignProducer`."""

    def __init__(self, bootstrap: str, options: Options) -> None:
        self._producer = Producer({**options.properties(bootstrap), "log_level": 0})
        if options.transactional_id:
            self._producer.init_transactions(TIMEOUT_SECONDS)

    def begin(self) -> None:
        """Begin a transaction."""
        self._producer.begin_transaction()

    def send(self, records: Sequence[Raw]) -> None:
        """Send records, as one batch a partition, and wait until the broker has them."""
        failed: list[KafkaError] = []
        for record in records:
            self._producer.produce(
                RAW.name,
                record.value,
                record.key,
                record.partition,
                headers=list(record.headers),
                on_delivery=lambda error, _message: failed.append(error) if error else None,
            )
        left = self._producer.flush(TIMEOUT_SECONDS)
        assert not failed, failed
        assert not left, f"{left} records were not acknowledged"

    def commit(self) -> None:
        """Commit the transaction."""
        self._producer.commit_transaction(TIMEOUT_SECONDS)

    def abort(self) -> None:
        """Abort the transaction."""
        self._producer.abort_transaction(TIMEOUT_SECONDS)

    def close(self) -> None:
        """Do nothing: everything is flushed."""
