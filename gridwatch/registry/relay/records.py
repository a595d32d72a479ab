"""A row of the outbox as the records that are published of it.

A registry record goes to its meter's partition of the raw topic of its flow; records of regions and planned
outages go to every partition of every flow's raw topic. Each also goes to the compacted topic. Rows of other
services are published as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from gridwatch.domain.partitioning import partition_of
from gridwatch.registry.entities import ENTITIES
from gridwatch.registry.flows import raw_topic
from gridwatch.registry.relay.outbox import OutboxRow
from gridwatch.topics import METER_REGISTRY

Headers = list[tuple[str, bytes]]

_KINDS = {entity.header: entity for entity in ENTITIES}
#: In JSON a quote within a text is escaped, so this is the field itself.
_AS_OF = '"as_of":'


class Record(NamedTuple):
    """A record of a topic."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers


def records_of(row: OutboxRow, flows: Sequence[str], partitions: int, now: str) -> Iterator[Record]:
    """The records of a row; `now` is their `as_of` if the row has none."""
    headers = _headers(row.headers)
    entity = next((_KINDS[name] for name, _ in headers if name in _KINDS), None)
    value = row.value if entity is None or _AS_OF in row.value else f'{row.value[:-1]},{_AS_OF}"{now}"}}'
    data = value.encode()
    key = None if row.key is None else row.key.encode()
    home = partition_of(row.key, partitions) if row.key is not None else 0
    if row.topic is None:
        for topic in map(raw_topic, flows):
            for partition in range(partitions):
                yield Record(topic, partition, key, data, headers)
    else:
        yield Record(row.topic, home if row.partition is None else row.partition, key, data, headers)
    if entity is not None:
        name = f"{entity.prefix}{row.key}"
        kept = f'{{"kind":"{entity.name}",{value[1:]}'.encode()
        place = home if not entity.prefix else partition_of(name, partitions)
        yield Record(METER_REGISTRY.name, place, name.encode(), kept, [])


@lru_cache(maxsize=256)
def _headers(text: str) -> Headers:
    return [(name, value.encode()) for name, value in msgspec.json.decode(text, type=dict[str, str]).items()]
