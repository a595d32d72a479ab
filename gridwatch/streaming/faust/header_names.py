"""Records with header names that are not UTF-8, which aiokafka's parser refuses with their whole batch.

Brokers take any bytes for a header's name, and some producers send such: nothing is wrong with the record,
whose headers mean nothing here. So what a fetch brought is kept beside its parser, and a batch that is
refused for such a name is parsed once more, with what cannot be read of names replaced. Slow, and rare.
"""

from __future__ import annotations

from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

#: What stands before the rest of a batch: its base offset, and the size of the rest.
_HEAD_BYTES = 12


class KeptRecords(MemoryRecords):  # type: ignore[misc, unused-ignore]
    """The batches of a fetch, and their bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


def keep_records() -> None:
    """Have aiokafka's fetchers keep the bytes of what they parse, for as long as they parse it."""
    fetcher.MemoryRecords = KeptRecords


def lenient(data: bytes, number: int) -> Any:
    """The batch of that number among the bytes of a fetch, whose records may have any header names."""
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
    """Bytes whose parts can be decoded whatever they are."""

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        part = super().__getitem__(place)
        return _Lenient(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """The text, with replacement characters for what is none."""
        return super().decode(encoding, "replace")
