"""`python -m benchmarks.windows.live BOOTSTRAP TOPIC PARTITIONS METERS MINUTES`: readings as they are made.

Every meter reports each 10 s, one after the other at a steady pace; a stamp is the time at which its reading
is due. It ends when MINUTES whole minutes are over, and what closes them is sent. `sent_at` of each reading
is the time of the produce call: µs since the epoch, as text.
"""

from __future__ import annotations

import random
import sys
import time

from benchmarks.measuring.pacer import prompt_producer, send_in_step
from benchmarks.peers.windows.rules import LENGTH, WAIT
from benchmarks.windows.minutes import INTERVAL_SECONDS, fields, meter_name
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import SECOND


def whole_minutes(first: int, count: int) -> range:
    """The starts of so many whole minutes from the instant `first` on, µs."""
    length = LENGTH * SECOND
    start = -(-first // length) * length
    return range(start, start + count * length, length)


def main() -> None:
    """Send, in step with the clock."""
    bootstrap, topic, partitions, meters, minutes = sys.argv[1:]
    names = [meter_name(number) for number in range(int(meters))]
    places = [partition_of(name, int(partitions)) for name in names]
    chance = random.Random(1)
    producer = prompt_producer(bootstrap)
    pause = INTERVAL_SECONDS * SECOND // len(names)
    begun = time.time_ns() // 1000
    # With a reading of every meter that closes the last minute.
    end = whole_minutes(begun, int(minutes)).stop + (WAIT + INTERVAL_SECONDS) * SECOND

    def send(start: int, stop: int) -> None:
        for number in range(start, stop):
            meter = number % len(names)
            stamp = format_instant(begun + number * pause)
            value = (
                f'{{"meter_id":"{names[meter]}","timestamp":"{stamp}",{fields(meter, chance)},'
                f'"sent_at":"{time.time_ns() // 1000}"}}'
            )
            producer.produce(topic, key=names[meter], value=value, partition=places[meter])
        producer.poll(0)

    send_in_step(send, 0, (end - begun) // pause, SECOND / pause)
    producer.flush()


if __name__ == "__main__":
    main()
