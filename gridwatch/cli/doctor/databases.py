"""Checks of the database: kind, schema version, clock, and where each flow stands by its rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, text

from gridwatch.cli.doctor.clocks import check_clock
from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from sinks.database import address_of, connect
from sinks.schema.version import read_status

DATABASE, SCHEMA, CLOCK, FLOWS = "database", "schema", "database clock", "flows"
#: Workers report every few seconds; what is older is no position of now.
_RECENT = "5 minutes"
_REPORTED = f"""
SELECT flow, max(value) FROM (
    SELECT DISTINCT ON (flow, partition) flow, value FROM metrics
    WHERE metric = 'watermark_lag_seconds' AND time > now() - INTERVAL '{_RECENT}'
    ORDER BY flow, partition, time DESC
) AS newest GROUP BY flow
"""  # noqa: S608 - composed of constants


def check_database(settings: Settings) -> list[Finding]:
    """Check reachability, kind (with any limitation of TimescaleDB), schema, clock; of several flows the
    watermarks."""
    address = address_of(settings.database)
    try:
        with connect(settings.database) as connection:
            before = time.time()
            theirs = float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
            ours = (before + time.time()) / 2
            status = read_status(connection, address)
            several = status.state == "current" and len(settings.flows) > 1
            flows = [_watermarks(connection, settings.flows)] if several else []
    except GridwatchError as problem:
        return [wrong(DATABASE, problem.message, problem.remedy)]
    kind = good(
        DATABASE,
        f"{status.kind} at {address}" + (f"; {status.note}" if status.note else ""),
        postgresql=status.kind.postgresql,
        timescaledb=status.kind.timescaledb,
        address=address,
        note=status.note,
    )
    details = {"state": status.state, "revision": status.revision, "wanted": status.wanted}
    schema = Finding(SCHEMA, status.state == "current", str(status), status.remedy, details)
    return [kind, schema, check_clock(CLOCK, theirs - ours, f"the database at {address}"), *flows]


def _watermarks(connection: Connection, flows: Sequence[str]) -> Finding:
    """Show how far the slowest watermark of each flow is behind, by what its workers last reported."""
    reported = connection.execute(text(_REPORTED))
    lags = {str(flow): float(lag) for flow, lag in reported}
    message = "; ".join(
        f"{flow}: slowest watermark {timedelta(seconds=round(lags[flow]))} behind"
        if flow in lags
        else f"{flow}: no watermark reported within {_RECENT}"
        for flow in flows
    )
    return good(FLOWS, message, **{flow: lags.get(flow) for flow in flows})
