"""In which order meters and gaps are listed, and how a place in such an order is written in a link.

An order is made of a few numbers at the head of a stored row, so that a survey of a million meters reads no
more than those. Equal ones go by meter id, so every order is one and the same on every worker, and a page can
begin right after the last line of the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.meter.gaps import OPEN
from gridwatch.domain.policy import MINUTE
from gridwatch.http.reply import Problem
from gridwatch.tables.meter_rows import METER, gap_of
from gridwatch.views import state
from gridwatch.views.state import Record

Rank = tuple[Any, ...]
"""What a line is sorted by, ascending; no two lines of an order have the same."""


class Head(msgspec.Struct, array_like=True, gc=False):
    """The beginning of a meter's row (`tables/meter_rows.py`); what no order needs stays undecoded."""

    due: msgspec.Raw
    last_seen: int
    start: msgspec.Raw
    interval: int
    cursor: msgspec.Raw
    last_slot: int
    ahead: msgspec.Raw
    recent: msgspec.Raw
    gaps: list[Any]
    older: msgspec.Raw
    run: msgspec.Raw
    off_run: msgspec.Raw
    gap_count: int
    late_count: int


_head = msgspec.msgpack.Decoder(Head).decode
_BACKWARDS: Final = bytes(255 - byte for byte in range(256))

#: By what meters can be sorted: the name of the field, and its value in a row.
SORTS: dict[str, Callable[[Head], int]] = {
    "meter_id": lambda head: 0,
    "last_seen": lambda head: head.last_seen,
    "expected_next": lambda head: head.last_slot + head.interval,
    "interval_minutes": lambda head: head.interval // MINUTE,
    "gap_count": lambda head: head.gap_count,
    "late_count": lambda head: head.late_count,
}
ASCENDING, DESCENDING = "asc", "desc"
#: What is looked for first: the ones silent for longest, the ones with most.
USUAL = dict.fromkeys(SORTS, ASCENDING) | {"gap_count": DESCENDING, "late_count": DESCENDING}
#: Which gaps a list has, open ones first.
KINDS = {"all": ("open", "ended"), "open": ("open",), "ended": ("ended",)}


def head_of(row: bytes) -> Head:
    """The head of a meter's row; GridwatchError if a newer version wrote it."""
    return _head(METER.body_of(row))


@dataclass(frozen=True)
class MeterOrder:
    """Meters by one of SORTS, ascending or descending."""

    sort: str
    order: str

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterator[tuple[Rank, Any]]:
        """The meter's rank, and what its line is made of."""
        yield self._rank(SORTS[self.sort](head_of(row)), key), (partition, key, row)

    def record(self, made_of: Any) -> Record:
        """A line."""
        partition, key, row = made_of
        return state.describe_meter(key.decode(), partition, METER.decode(row))

    def rank(self, record: Record) -> Rank:
        """The rank of a line, ours or another worker's."""
        value = record[self.sort]
        number = (
            0 if self.sort == "meter_id" else parse_instant(value)[0] if isinstance(value, str) else value
        )
        return self._rank(number, str(record["meter_id"]).encode())

    def place(self, record: Record) -> str:
        """Where the page after this line begins, as `read_place` reads it."""
        meter_id = str(record["meter_id"])
        return meter_id if self.sort == "meter_id" else f"{abs(self.rank(record)[0])}:{meter_id}"

    def read_place(self, text: str) -> Rank:
        """The rank of the last line before a page; Problem 400 for what `place` cannot have written."""
        if self.sort == "meter_id":
            return self._rank(0, _key(text))
        number, found, meter_id = text.partition(":")
        if not found or not _is_whole(number):
            raise Problem(400, f"after: {text!r} is not a place that a page sorted by {self.sort} ended at")
        return self._rank(int(number), _key(meter_id))

    def _rank(self, value: int, key: bytes) -> Rank:
        if self.order == ASCENDING:
            return value, key
        # Byte strings backwards: the end of a longer one has to come first.
        return -value, (key.translate(_BACKWARDS) + b"\xff" if self.sort == "meter_id" else key)


@dataclass(frozen=True)
class GapOrder:
    """Gaps, open ones first, and then by how much is missing, most first. `grace` in µs."""

    kinds: tuple[str, ...]
    grace: int

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterator[tuple[Rank, Any]]:
        """Each of the meter's gaps: its rank, and what its line is made of."""
        for one in head_of(row).gaps:
            gap = gap_of(one)
            kind = "open" if gap.state == OPEN else "ended"
            if kind in self.kinds:
                minutes = gap.missing_count * gap.interval // MINUTE
                yield self._rank(kind, minutes, gap.first, key), (partition, key, gap)

    def record(self, made_of: Any) -> Record:
        """A line."""
        partition, key, gap = made_of
        return state.describe_gap(key.decode(), partition, gap, self.grace)

    def rank(self, record: Record) -> Rank:
        """The rank of a line, ours or another worker's."""
        kind = "open" if record["state"] == OPEN else "ended"
        first = parse_instant(record["missing_from"])[0]
        return self._rank(kind, record["gap_minutes"], first, str(record["meter_id"]).encode())

    def place(self, record: Record) -> str:
        """Where the page after this line begins, as `read_place` reads it."""
        ended, minutes, first, key = self.rank(record)
        return f"{'ended' if ended else 'open'}:{-minutes}:{first}:{key.decode()}"

    def read_place(self, text: str) -> Rank:
        """The rank of the last line before a page; Problem 400 for what `place` cannot have written."""
        kind, minutes, first, meter_id = (*text.split(":", 3), "", "", "")[:4]
        if kind not in self.kinds or not _is_whole(minutes) or not _is_whole(first) or not meter_id:
            raise Problem(400, f"after: {text!r} is not a place that a page of these gaps ended at")
        return self._rank(kind, int(minutes), int(first), _key(meter_id))

    @staticmethod
    def _rank(kind: str, minutes: int, first: int, key: bytes) -> Rank:
        return kind == "ended", -minutes, first, key


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _key(meter_id: str) -> bytes:
    try:
        return meter_id.encode()
    except UnicodeEncodeError:
        raise Problem(400, "after: no meter has such an id") from None
