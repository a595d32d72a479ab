"""The interface of foreign producers in the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.records import Raw

#: Every codec that both clients write, with "none" for plain batches.
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
#: How long anything that waits for the broker may take, seconds.
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Options:
    """How a producer sends.

    transactional_id: makes it transactional. transaction_seconds: after this the broker aborts a transaction
    that was not ended; at most 15 minutes.
    """

    codec: str = "none"
    idempotent: bool = False
    transactional_id: str = ""
    transaction_seconds: int = 600

    def properties(self, bootstrap: str) -> dict[str, str]:
        """The properties that librdkafka and kafka-clients have under the same names."""
        found = {
            "bootstrap.servers": bootstrap,
            "compression.type": self.codec,
            "enable.idempotence": str(self.idempotent or bool(self.transactional_id)).lower(),
            "acks": "all",
            # Long, and ended by a flush: one call sends one batch per partition.
            "linger.ms": "1000",
        }
        if self.transactional_id:
            found["transactional.id"] = self.transactional_id
            found["transaction.timeout.ms"] = str(self.transaction_seconds * 1000)
        return found


class ForeignProducer(Protocol):
    """A producer of the raw topic. A transaction is left open by not ending it. All errors are raised."""

    def begin(self) -> None:
        """Begin a transaction."""

    def send(self, records: Sequence[Raw]) -> None:
        """Send records, as one batch a partition, and wait until the broker has them."""

    def commit(self) -> None:
        """Commit the transaction."""

    def abort(self) -> None:
        """Abort the transaction."""

    def close(self) -> None:
        """Close the producer."""
