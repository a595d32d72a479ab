"""Where a meter's readings go, and what all of its records have in common."""

from __future__ import annotations

import json
from typing import NamedTuple

from gridwatch.domain.partitioning import partition_of
from gridwatch.errors import GridwatchError
from gridwatch.kafka.broker import Broker
from gridwatch.settings import Settings

_CACHED_METERS = 2_000_000


class Place(NamedTuple):
    """A meter's partition, the key of its records, and the beginning of their JSON."""

    partition: int
    key: bytes
    start: str


class Placement(dict[str, Place]):
    """Meter → its place; reckoned once for each meter."""

    def __init__(self, partitions: int) -> None:
        super().__init__()
        self.partitions = partitions

    def __missing__(self, meter: str) -> Place:
        if len(self) >= _CACHED_METERS:
            self.clear()
        start = f'{{"meter_id":{json.dumps(meter, ensure_ascii=False)},"timestamp":"'
        place = self[meter] = Place(partition_of(meter, self.partitions), meter.encode(), start)
        return place

    def partition(self, meter: str) -> int:
        """The partition of a meter."""
        return self[meter].partition


def partitions_of(settings: Settings, topic: str) -> int:
    """How many partitions a topic has. GridwatchError when there is no such topic, or no broker."""
    topics = Broker(settings).partitions()
    if topic not in topics:
        raise GridwatchError(
            f"there is no topic {topic} on {settings.bootstrap}",
            "create the topics with: gridwatch topics create",
        )
    return topics[topic]
