"""`python -m benchmarks.measuring.pacer BOOTSTRAP TOPIC PARTITIONS METERS RATE SECONDS`: a steady rate.

The first ones are sent at once, to warm up the contestant; the rest after a line on stdin. A process of its
own, so that the measuring consumer is not delayed. `sent_at` of each reading is the time of the produce call:
µs since the epoch, as text.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import islice

from confluent_kafka import Producer

from benchmarks.race.readings import readings
from gridwatch.domain.partitioning import partition_of

FIRST = 100
#: How often readings are handed over, seconds: it adds half of this to what is measured, if anything.
_BEAT_SECONDS = 0.002


def prompt_producer(bootstrap: str) -> Producer:
    """A producer that hardly waits for more to send."""
    return Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0, "linger.ms": 1}
        | {"queue.buffering.max.messages": 2_000_000}
    )


def send_in_step(send: Callable[[int, int], None], first: int, total: int, rate: float) -> None:
    """Call `send` with [from, to) of what is due by the clock, from the number `first` on up to `total`."""
    begun = time.monotonic()
    sent = first
    while sent < total:
        due = min(total, max(sent, int((time.monotonic() - begun) * rate)))
        send(sent, due)
        sent = due
        time.sleep(_BEAT_SECONDS)


def main() -> None:
    """Send, in step with the clock."""
    bootstrap, topic, partitions, meters, rate, seconds = sys.argv[1:]
    producer = prompt_producer(bootstrap)
    total = int(float(rate) * float(seconds))
    source = [
        (name, value[:-1], partition_of(name, int(partitions)))
        for name, value in islice(readings(total, int(meters)), total)
    ]

    def send(start: int, end: int) -> None:
        for name, value, partition in source[start:end]:
            now = time.time_ns() // 1000
            producer.produce(topic, key=name, value=b'%s,"sent_at":"%d"}' % (value, now), partition=partition)
        producer.poll(0)

    send(0, FIRST)
    producer.flush()
    sys.stdin.readline()
    send_in_step(send, FIRST, total, float(rate))
    producer.flush()


if __name__ == "__main__":
    main()
