"""The list of registered meters with filters, and how many there are of each status and region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from gridwatch.domain.meter.gaps import OPEN
from gridwatch.domain.partition.registry import REGISTERED
from gridwatch.domain.registry.records import STATUSES
from gridwatch.tables.meter_rows import gap_of
from gridwatch.views.lists.rankings import ListOrder, Mark, Rank
from gridwatch.views.registry.heads import PENDING, RegistrationHead, registration_head_of
from gridwatch.views.registry.registrations import describe_row
from gridwatch.views.state import Record

#: What a list can be narrowed to: a status, or whether the meter was heard.
STATUS_CHOICES = (*STATUSES, PENDING)
HEARD, AWAITED, NEVER_HEARD = "heard", "awaited", "never"
HEARD_CHOICES = (HEARD, AWAITED, NEVER_HEARD)
_KINDS = (REGISTERED,)


def hearing_of(head: RegistrationHead) -> str:
    """One of HEARD_CHOICES; "" for a meter from which nothing is awaited."""
    if head.gap is not None and gap_of(head.gap).state == OPEN:
        return NEVER_HEARD
    if head.heard:
        return HEARD
    return AWAITED if head.awaited else ""


@dataclass(frozen=True)
class RegisteredOrder(ListOrder):
    """Registered meters by their id; of a status, a region, heard or not. "" stands for any."""

    kinds_of_rows: ClassVar[tuple[str, ...]] = _KINDS

    status: str = ""
    region: str = ""
    heard: str = ""

    @property
    def filtered(self) -> bool:
        """Whether not all registered meters are on the list."""
        return bool(self.status or self.region or self.heard)

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterator[tuple[Rank, Any]]:
        """The meter, if it is on the list."""
        head = registration_head_of(row)
        if (
            (not self.status or head.status == self.status)
            and (not self.region or head.region == self.region)
            and (not self.heard or hearing_of(head) == self.heard)
        ):
            yield (key[1:],), (partition, key, row)

    def record(self, made_of: Any) -> Record:
        """A list row as JSON."""
        return describe_row(*made_of)

    def rank(self, record: Record) -> Rank:
        """The rank of a list row, also of one from another worker."""
        return self.read_cursor(record["meter_id"])

    def read_cursor(self, text: str) -> Rank:
        """The rank of the last row before a page: its meter id."""
        return (text.encode(),)


@dataclass(frozen=True)
class RegisteredCounts:
    """Counts registered meters: by status, by region, by whether they were heard."""

    kinds_of_rows: ClassVar[tuple[str, ...]] = _KINDS
    counts: ClassVar[bool] = True

    def lines(self, partition: int, key: bytes, row: bytes) -> Iterable[tuple[Rank, Any]]:
        """Nothing is listed."""
        return ()

    def record(self, made_of: Any) -> Record:
        """Nothing is listed."""
        raise NotImplementedError

    def mark(self, row: bytes) -> Mark:
        """Status, region, and one of HEARD_CHOICES or ""."""
        head = registration_head_of(row)
        return head.status, head.region, hearing_of(head)
