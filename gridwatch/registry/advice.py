"""Meters that are set up in a way that cannot work, as far as their rows tell.

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
