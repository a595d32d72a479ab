"""Rows that are right by themselves, but cannot work as they are, as far as the book tells.

A reading that is stamped with the beginning of its day cannot come before the day is over: if its slot is
missing earlier than that, every day begins with a gap. Of shorter intervals nobody can tell: many meters
stamp when they measure.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from gridwatch.domain.policy import DAY, SECOND
from gridwatch.domain.registry.fields import LONGEST
from gridwatch.domain.spans import duration_of, interval_named
from gridwatch.settings import Settings

#: What a planned outage names, by its scope.
_TARGETS = """
SELECT outage_id, scope, target FROM pg_temp.change AS c
WHERE NOT cancelled AND CASE scope
    WHEN 'meter' THEN target NOT IN (SELECT meter_id FROM meters)
    WHEN 'transformer' THEN target NOT IN (SELECT transformer FROM meters WHERE transformer IS NOT NULL)
    WHEN 'feeder' THEN target NOT IN (SELECT feeder FROM meters WHERE feeder IS NOT NULL)
    ELSE target NOT IN (SELECT region FROM regions)
END ORDER BY line LIMIT 20
"""


def advice_on_outages(connection: Connection) -> Iterator[str]:
    """Changed outages of which the book has no meter, the first ones: likely a slip of the pen."""
    for outage, scope, target in connection.exec_driver_sql(_TARGETS):
        named = repr(target) if scope == "meter" else f"of {scope} {target!r}"
        what = f"no region {target!r}" if scope == "region" else f"no meter {named}"
        yield f"outage {outage}: the book has {what}, so it covers nothing that is registered"


def advice_on(connection: Connection, table: str, settings: Settings) -> Iterator[str]:
    """What to do about meters of a table of meters, a line a kind."""
    policy = settings.policy()
    kinds = connection.exec_driver_sql(
        f"SELECT interval, grace, timezone, count(*), min(meter_id) FROM {table}"
        " WHERE interval IS NOT NULL AND coalesce(anchor, %s) = 'start'"
        " AND coalesce(energy_mode, 'interval') = 'interval' AND status IN ('installed', 'active')"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC",
        (policy.anchor,),
    )
    for interval, grace, zone, count, first in kinds:
        length, _ = interval_named(interval, zone or policy.timezone, SECOND, LONGEST)
        allowed = policy.grace if grace is None else duration_of(grace)
        if length >= DAY and allowed < length:
            meters = f"meter {first}" if count == 1 else f"{count:,} meters, such as {first},"
            verb = "covers" if count == 1 else "cover"
            yield (
                f"{meters} {verb} {interval} from the stamp of a reading on, but the reading is missing after"
                f" a grace of {allowed // SECOND} s, before that time is over; remedy: a grace of at least"
                f" {interval} and what the delivery takes, or anchor=end if stamps are at the end, or a flow"
                " of their own"
            )
