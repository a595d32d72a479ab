"""Records with header names that are not UTF-8, which aiokafka's parser rejects with their whole batch.

Brokers accept any bytes as a header's name, and some producers send such names. The record itself is valid,
and its headers are not used here. So the bytes of a fetch are retained beside its parser, and a batch that is
rejected for such a name is parsed again with replacement characters in the names. Slow, and rare.
"""

from __future__ import annotations

from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

#: Size of the start of a batch: its base offset, and the size of the rest.
_HEAD_BYTES = 12


class RecordsWithBytes(MemoryRecords):  # type: ignore[misc, unused-ignore]
    """The batches of a fetch, and their bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


def retain_bytes() -> None:
    """Make aiokafka's fetchers retain the bytes of a fetch while they parse it."""
    fetcher.MemoryRecords = RecordsWithBytes


def lenient_batch(data: bytes, number: int) -> Any:
    """Parse the batch of that number in the bytes of a fetch, accepting any header names."""
    begin = 0
    for _ in range(number):
        begin += _size(data, begin)
    batch = _DefaultRecordBatchPy(bytearray(data[begin : begin + _size(data, begin)]))
    batch._maybe_uncompress()
    batch._buffer = _Lenient(batch._buffer)
    return batch


def _size(data: bytes, begin: int) -> int:
    return _HEAD_BYTES + int.from_bytes(data[begin + 8 : begin + _HEAD_BYTES], "big")


class _Lenient(bytearray):
    """Bytes of which every slice can be decoded."""

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        part = super().__getitem__(place)
        return _Lenient(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """The text, with replacement characters for invalid bytes."""
        return super().decode(encoding, "replace")
