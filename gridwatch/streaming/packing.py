"""Rows into Kafka record batches.

aiokafka's `BatchBuilder.append` checks and serialises what is bytes already, at three times the cost of the
parser's own `append`, which is used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = tuple[bytes | None, bytes | None]
"""Key and value."""

#: What a record costs in a batch beside key and value, at most.
RECORD_OVERHEAD = 64

_NO_HEADERS: list[tuple[str, bytes]] = []


def pack(batch: Any, rows: Sequence[Row], start: int, timestamp: int, most_bytes: int) -> int:
    """Put the rows from `start` on into an empty batch, stamped `timestamp` (milliseconds).

    Stops before the row that would make it larger than `most_bytes`, or than the batch may be; a first row is
    taken whatever it weighs. Returns the index of the first row left out.
    """
    append = batch._builder.append
    count = size = 0
    for key, value in rows if start == 0 else rows[start:]:
        size += len(key or b"") + len(value or b"") + RECORD_OVERHEAD
        if (count and size > most_bytes) or append(count, timestamp, key, value, _NO_HEADERS) is None:
            break
        count += 1
    batch._relative_offset = count
    return start + count
