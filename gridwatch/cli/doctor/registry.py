"""Checks of the book of record: what is in it, what is not published yet, and whether the topic agrees."""

from __future__ import annotations

from sqlalchemy import Connection

from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.errors import GridwatchError
from gridwatch.registry.advice import advice_on
from gridwatch.registry.comparison import Comparison, Published, compare_book, read_published
from gridwatch.registry.relay.outbox import backlog
from gridwatch.settings import Settings
from gridwatch.topics import METER_REGISTRY
from sinks.database import connect
from sinks.schema.version import read_status

REGISTRY, SETUP, OUTBOX, PUBLISHED = "registry", "registry setup", "outbox", "registry topic"
#: How long the compacted topic is read.
READ_SECONDS = 12.0


def check_registry(settings: Settings) -> list[Finding]:
    """Check meters by status, the outbox, and the versions in the compacted topic.

    Nothing, where the database or its schema is not there: other checks say that.
    """
    try:
        with connect(settings.database) as connection:
            if read_status(connection).state != "current":
                return []
            findings = [_meters(connection), *_setup(connection, settings), _outbox(connection)]
            rows = int(findings[0].details["rows"])
    except GridwatchError:
        return []
    try:
        published = read_published(settings, READ_SECONDS)
    except GridwatchError as problem:
        # The check of the broker says what is wrong with it.
        return [*findings, wrong(PUBLISHED, problem.message, problem.remedy)] if rows else findings
    with connect(settings.database) as connection:
        return [*findings, topic_finding(compare_book(connection, published), published)]


def _meters(connection: Connection) -> Finding:
    counts = {
        str(status): int(count)
        for status, count in connection.exec_driver_sql(
            "SELECT status, count(*) FROM meters GROUP BY 1 ORDER BY 2 DESC, 1"
        )
    }
    regions, outages = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM regions),"
        " (SELECT count(*) FROM planned_outages WHERE NOT cancelled AND outage_until > now())"
    ).one()
    total = sum(counts.values())
    by_status = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    message = f"{total:,} meters" + (f" ({by_status})" if counts else "")
    return good(
        REGISTRY,
        f"{message}; {regions:,} regions; {outages:,} planned outages to come",
        meters=counts,
        regions=regions,
        outages=outages,
        rows=total + regions + outages,
    )


def _setup(connection: Connection, settings: Settings) -> list[Finding]:
    advice = [line.partition("; remedy: ") for line in advice_on(connection, "meters", settings)]
    return [wrong(SETUP, message, remedy) for message, _, remedy in advice]


def _outbox(connection: Connection) -> Finding:
    waiting = backlog(connection)
    details = {"unpublished": waiting.rows, "oldest_seconds": waiting.oldest_seconds}
    if not waiting.late:
        return good(OUTBOX, str(waiting), **details)
    return wrong(OUTBOX, str(waiting), "start gridwatch relay; its log says what it waits for", **details)


def topic_finding(comparison: Comparison, published: Published) -> Finding:
    """What the comparison found; versions are those of the last record of each key."""
    whole = "" if published.complete else f" of those read within {READ_SECONDS:g} s ({published.records:,})"
    details = {**vars(comparison), "records": published.records, "complete": published.complete}
    examples = ", ".join(comparison.examples)
    if comparison.newer:
        return wrong(
            PUBLISHED,
            f"{comparison.newer:,} rows of {METER_REGISTRY.name}{whole} are newer than the book: {examples}",
            "the database is older than the topic: import the last export, which has the versions",
            **details,
        )
    if comparison.missing or comparison.older:
        return wrong(
            PUBLISHED,
            f"of {comparison.rows:,} rows {METER_REGISTRY.name} lacks {comparison.missing:,} and has older"
            f" versions of {comparison.older:,}{whole}: {examples}",
            "gridwatch registry resend",
            **details,
        )
    if not published.complete:
        return good(
            PUBLISHED, f"{METER_REGISTRY.name} was not read to its end; nothing differs{whole}", **details
        )
    return good(
        PUBLISHED, f"{METER_REGISTRY.name} has the newest version of all {comparison.rows:,} rows", **details
    )
