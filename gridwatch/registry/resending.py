"""What stands in the book, published once more: for workers, flows and topics that do not have it.

Versions stay, so whoever has them already ignores the records.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gridwatch.registry.book import outbox_sql, refresh_statistics
from gridwatch.registry.entities import METER, OUTAGE, REGION
from gridwatch.registry.staging import lock_book, prepare

#: Workers drop planned outages so long after their end.
_OUTAGES_KEPT = "40 days"


@dataclass(frozen=True)
class Resent:
    """How many rows of each kind were written to the outbox."""

    meters: int
    regions: int
    outages: int


def resend(
    connection: Connection, *, flow: str | None = None, meters: str | None = None, as_of: str | None = None
) -> Resent:
    """Write meters to the outbox again; regions and planned outages too, unless some meters are selected.

    meters: a regular expression of their ids; None: all.
    """
    prepare(connection)
    lock_book(connection)
    values = {"as_of": as_of, "flow": flow, "meters": meters}
    said = "%(as_of)s::text"
    some_meters = (
        "meters AS o WHERE (%(flow)s::text IS NULL OR o.flow = %(flow)s)"
        " AND (%(meters)s::text IS NULL OR o.meter_id ~ %(meters)s)"
    )
    regions = outages = 0
    if meters is None:
        statement = outbox_sql(REGION, "o", "regions AS o", said, "o.region")
        regions = connection.exec_driver_sql(statement, values).rowcount
    statement = outbox_sql(METER, "o", some_meters, said, "o.meter_id")
    sent = connection.exec_driver_sql(statement, values).rowcount
    if meters is None:
        recent = f"planned_outages AS o WHERE o.outage_until > now() - interval '{_OUTAGES_KEPT}'"
        statement = outbox_sql(OUTAGE, "o", recent, said, "o.outage_id")
        outages = connection.exec_driver_sql(statement, values).rowcount
    refresh_statistics(connection, sent)
    return Resent(sent, regions, outages)
