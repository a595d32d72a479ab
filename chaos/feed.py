"""Produces the input to the raw topic, in bursts, whatever happens to the broker. Before it, the sources of
regions whose partition is empty are put out.

One idempotent producer: each record once and in order, also across a restart of the broker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, Message, Producer

from chaos.input import Raw
from gridwatch.codecs.regions import source_out_record
from gridwatch.errors import GridwatchError
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import RAW, REGIONAL_PARTIALS, SOURCE_OUT_HEADER

_BEAT_SECONDS = 0.25
#: A broker may restart slowly on a busy machine.
_FLUSH_SECONDS = 300.0


class Feed:
    """Sends records up to the allowed share, in bursts, from a thread of its own."""

    def __init__(self, settings: Settings, records: Sequence[Raw], burst: int) -> None:
        self._flow, self._partitions = settings.flow, settings.partitions
        self._records = records
        self._burst = burst
        self._allowed = 0
        self._sent = 0
        self._failed: list[str] = []
        self._last_error = ""
        self._stopped = False
        self._producer = Producer(
            librdkafka_config(settings)
            | {
                "log_level": 0,
                "enable.idempotence": True,
                "linger.ms": 2,
                "message.timeout.ms": int(_FLUSH_SECONDS * 1000),
                "error_cb": self._on_error,
            }
        )
        if settings.adds_up_regions:
            self._put_out(sorted(set(range(settings.partitions)) - {one.partition for one in records}))
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def _put_out(self, empty: Sequence[int]) -> None:
        """Put the empty partitions out, where no worker may do so: regions would wait for them for ever."""
        for source in empty:
            key, value = source_out_record(self._flow, source)
            for target in range(self._partitions):
                self._producer.produce(
                    REGIONAL_PARTIALS.name,
                    value,
                    key,
                    target,
                    headers=[(SOURCE_OUT_HEADER, b"1")],
                    on_delivery=self._delivered,
                )

    def allow(self, share: float) -> None:
        """Allow sending up to this share of the input, 0 to 1."""
        self._allowed = round(share * len(self._records))

    def wait(self) -> None:
        """Return when the allowed share has been passed to the producer."""
        while self._sent < self._allowed:
            time.sleep(_BEAT_SECONDS / 10)

    def _run(self) -> None:
        while not self._stopped:
            for record in self._records[self._sent : min(self._allowed, self._sent + self._burst)]:
                self._send(record)
                self._sent += 1
            self._producer.poll(0)
            time.sleep(_BEAT_SECONDS)

    def _send(self, record: Raw) -> None:
        self._producer.produce(
            RAW.name,
            record.value,
            record.key,
            record.partition,
            headers=record.headers,
            on_delivery=self._delivered,
        )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed.append(str(error))

    def _on_error(self, error: KafkaError) -> None:
        self._last_error = str(error)

    def finish(self) -> None:
        """Send the rest at once and wait for all acks; GridwatchError if some fail."""
        self._stopped = True
        self._thread.join()
        for record in self._records[self._sent :]:
            self._send(record)
        left = self._producer.flush(_FLUSH_SECONDS)
        if left or self._failed:
            raise GridwatchError(
                f"the input could not be sent: {left} records left, {len(self._failed)} failed: "
                f"{self._failed[:1]}; last error: {self._last_error}"
            )

    def stop(self) -> None:
        """Stop the thread, whatever was sent."""
        self._stopped = True
        self._thread.join()
