"""Defines what a list has and in which order: of meters, of gaps; and encodes cursors into it.

A sort key uses a few numbers at the head of a stored row, so that a survey of a million meters decodes no
more than those. Ties are broken by meter id, so an order is total and the same on every worker, and a page
can start right after the last row of the page before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import msgspec

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.meter.gaps import FILLED, OPEN, Gap
from gridwatch.domain.meter.grid import shift
from gridwatch.domain.meter.terms import Terms
from gridwatch.domain.partition.registry import REGISTERED
from gridwatch.domain.policy import SECOND
from gridwatch.http.reply import Problem
from gridwatch.tables.meter_rows import METER, gap_of
from gridwatch.views import state
from gridwatch.views.registry.heads import RegistrationHead, registration_head_of
from gridwatch.views.state import Record

Rank = tuple[Any, ...]
"""A row's sort key, ascending; no two rows of an order share one."""
Mark = tuple[str | None, ...]
"""What rows are counted by."""


class Order(Protocol):
    """What a survey looks for in the rows that it scans. Frozen: it is part of the question."""

    #: The kinds of rows to scan, by the first character of their keys, "" for those of meters. Progress is
    #: counted in rows of the first one.
    kinds_of_rows: ClassVar[tuple[str, ...]]
    #: Whether rows are counted by their marks.
    counts: ClassVar[bool]

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterable[tuple[Rank, Any]]:
        """The rank of each list row that a stored row makes, and the data of it."""

    def record(self, made_of: Any) -> Record:
        """A list row as JSON."""

    def mark(self, row: bytes) -> Mark:
        """What a stored row is counted by."""


class ListOrder:
    """An order of a list, which counts nothing."""

    kinds_of_rows: ClassVar[tuple[str, ...]] = ("",)
    counts: ClassVar[bool] = False

    def mark(self, row: bytes) -> Mark:
        """Nothing."""
        return ()


class Head(msgspec.Struct, array_like=True, gc=False):
    """The first fields of a meter's row (`tables/meter_rows.py`); the others stay undecoded."""

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
    region: msgspec.Raw
    given: Any

    @property
    def grace(self) -> int | None:
        """The grace that the registry gives, µs."""
        terms = self.given[1] if isinstance(self.given, list) else None
        return None if terms is None else Terms(*terms).grace

    @property
    def expected_next(self) -> int:
        """The slot after the last one that was filled."""
        calendar = self.given[2] if isinstance(self.given, list) else None
        return shift(self.last_slot, 1, self.interval, None if calendar is None else Calendar(*calendar))


_head = msgspec.msgpack.Decoder(Head).decode
_REGISTERED: Final = REGISTERED.encode()
_BACKWARDS: Final = bytes(255 - byte for byte in range(256))


#: The fields that meters can be sorted by, and the value of each in a row.
SORTS: dict[str, Callable[[Head], int]] = {
    "meter_id": lambda head: 0,
    "last_seen": lambda head: head.last_seen,
    "expected_next": lambda head: head.expected_next,
    "interval_minutes": lambda head: head.interval // SECOND,
    "gap_count": lambda head: head.gap_count,
    "late_count": lambda head: head.late_count,
}
ASCENDING, DESCENDING = "asc", "desc"
#: Each field's default direction: longest silent first, highest counts first.
USUAL = dict.fromkeys(SORTS, ASCENDING) | {"gap_count": DESCENDING, "late_count": DESCENDING}
#: The gaps that a list shows, open ones first.
KINDS = {"all": ("open", "ended"), "open": ("open",), "ended": ("ended",)}
#: Why readings are missing: the outage or suspension was planned; the meter was never heard; neither.
PLANNED, NEVER_HEARD, UNPLANNED = "planned", "never_heard", "unplanned"
REASONS = ("all", UNPLANNED, PLANNED, NEVER_HEARD)


def head_of(row: bytes) -> Head:
    """The head of a meter's row; GridwatchError if a newer version wrote it."""
    return _head(METER.body_of(row))


@dataclass(frozen=True)
class MeterOrder(ListOrder):
    """Meters by one of SORTS, ascending or descending."""

    sort: str
    order: str

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterator[tuple[Rank, Any]]:
        """The meter's rank, and the data of its list row."""
        yield self._rank(SORTS[self.sort](head_of(row)), key), (partition, key, row)

    def record(self, made_of: Any) -> Record:
        """A list row as JSON."""
        partition, key, row = made_of
        return state.describe_meter(key.decode(), partition, METER.decode(row))

    def rank(self, record: Record) -> Rank:
        """The rank of a list row, also of one from another worker."""
        value = record["interval_seconds" if self.sort == "interval_minutes" else self.sort]
        number = (
            0 if self.sort == "meter_id" else parse_instant(value)[0] if isinstance(value, str) else value
        )
        return self._rank(number, str(record["meter_id"]).encode())

    def cursor(self, record: Record) -> str:
        """The cursor for the page after this row, as `read_cursor` parses it."""
        meter_id = str(record["meter_id"])
        return meter_id if self.sort == "meter_id" else f"{abs(self.rank(record)[0])}:{meter_id}"

    def read_cursor(self, text: str) -> Rank:
        """The rank of the last row before a page; Problem 400 for a malformed cursor."""
        if self.sort == "meter_id":
            return self._rank(0, _key(text))
        number, found, meter_id = text.partition(":")
        if not found or not _is_whole(number):
            raise Problem(400, f"after: {text!r} is not a cursor of a list sorted by {self.sort}")
        return self._rank(int(number), _key(meter_id))

    def _rank(self, value: int, key: bytes) -> Rank:
        if self.order == ASCENDING:
            return value, key
        # Inverted bytes sort in reverse; the suffix puts a longer string before its own prefix.
        return -value, (key.translate(_BACKWARDS) + b"\xff" if self.sort == "meter_id" else key)


@dataclass(frozen=True)
class GapOrder(ListOrder):
    """Gaps, open ones first, then by missing time, longest first.

    The gap of a meter that was never heard is in its registration, as it has no row of its own.

    Args:
        grace: the setting, µs.
        reason: one of REASONS.
    """

    kinds_of_rows: ClassVar[tuple[str, ...]] = ("", REGISTERED)

    kinds: tuple[str, ...]
    grace: int
    reason: str = "all"

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterator[tuple[Rank, Any]]:
        """The rank of each of the meter's gaps, and the data of its list row."""
        never_heard = key.startswith(_REGISTERED)
        head: Head | RegistrationHead = registration_head_of(row) if never_heard else head_of(row)
        key = key.removeprefix(_REGISTERED)
        for one in head.gaps:
            gap = gap_of(one)
            kind = "open" if gap.state == OPEN else "ended"
            if kind in self.kinds and self._is_asked_for(gap, never_heard=never_heard):
                seconds = state.missing_time(gap) // SECOND
                last_seen = head.last_seen if isinstance(head, Head) else None
                made_of = partition, key, gap, head.grace, last_seen, never_heard
                yield self._rank(kind, seconds, gap.first, key), made_of

    def _is_asked_for(self, gap: Gap, *, never_heard: bool) -> bool:
        if self.reason == "all":
            return True
        planned = gap.planned and gap.state != FILLED
        return self.reason == (PLANNED if planned else NEVER_HEARD if never_heard else UNPLANNED)

    def record(self, made_of: Any) -> Record:
        """A list row as JSON."""
        partition, key, gap, given, last_seen, never_heard = made_of
        grace = state.grace_of_slots(gap, self.grace, given, last_seen)
        return state.describe_gap(key.decode(), partition, gap, grace, never_heard=never_heard)

    def rank(self, record: Record) -> Rank:
        """The rank of a list row, also of one from another worker."""
        kind = "open" if record["state"] == OPEN else "ended"
        first = parse_instant(record["missing_from"])[0]
        seconds = round(record["gap_minutes"] * 60)
        return self._rank(kind, seconds, first, str(record["meter_id"]).encode())

    def cursor(self, record: Record) -> str:
        """The cursor for the page after this row, as `read_cursor` parses it."""
        ended, seconds, first, key = self.rank(record)
        return f"{'ended' if ended else 'open'}:{-seconds}:{first}:{key.decode()}"

    def read_cursor(self, text: str) -> Rank:
        """The rank of the last row before a page; Problem 400 for a malformed cursor."""
        kind, seconds, first, meter_id = (*text.split(":", 3), "", "", "")[:4]
        if kind not in self.kinds or not _is_whole(seconds) or not _is_whole(first) or not meter_id:
            raise Problem(400, f"after: {text!r} is not a cursor of this list of gaps")
        return self._rank(kind, int(seconds), int(first), _key(meter_id))

    @staticmethod
    def _rank(kind: str, seconds: int, first: int, key: bytes) -> Rank:
        return kind == "ended", -seconds, first, key


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _key(meter_id: str) -> bytes:
    try:
        return meter_id.encode()
    except UnicodeEncodeError:
        raise Problem(400, "after: no meter has such an id") from None
