"""Checks of the database: kind, schema version, clock."""

from __future__ import annotations

import time

from sqlalchemy import text

from gridwatch.cli.doctor.clocks import check_clock
from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from sinks.database import address_of, connect
from sinks.schema.version import read_status

DATABASE, SCHEMA, CLOCK = "database", "schema", "database clock"


def check_database(settings: Settings) -> list[Finding]:
    """Check reachability, kind (with any limitation of TimescaleDB), schema, clock."""
    address = address_of(settings.database)
    try:
        with connect(settings.database) as connection:
            before = time.time()
            theirs = float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
            ours = (before + time.time()) / 2
            status = read_status(connection, address)
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
    return [kind, schema, check_clock(CLOCK, theirs - ours, f"the database at {address}")]
