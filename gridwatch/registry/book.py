"""Changes of the book: rows with their next version and rows of the outbox, in one transaction.

Only what differs from the book is a change, so applying the same rows again changes nothing. A meter that
moves to another flow is two changes: `removed` for the flow that it leaves, then what it is in the other one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from gridwatch.domain.reading import CONTROL_VERSION
from gridwatch.registry.advice import advice_on, advice_on_outages
from gridwatch.registry.checking import Checker, Known
from gridwatch.registry.entities import METER, OUTAGE, VALID_FROM, VERSION, Entity
from gridwatch.registry.files import Table, check_columns
from gridwatch.registry.problems import Problems, RefusedError
from gridwatch.registry.staging import compare, find_problems, known_regions, lock_book, prepare, stage
from gridwatch.settings import Settings
from gridwatch.topics import RAW_SUFFIX, REGISTRY_HEADER
from replay.run.progress import Progress, Quiet

_MANY_ROWS = 10_000


@dataclass(frozen=True)
class Outcome:
    """What was changed, or would be."""

    rows: int
    new: int
    changed: int
    #: Meters that left one flow for another, among the changed ones.
    moved: int
    #: How many of the changed rows have another value, by column.
    columns: Mapping[str, int] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def unchanged(self) -> int:
        """Rows that say what the book says."""
        return self.rows - self.new - self.changed

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "unchanged": self.unchanged}


@dataclass(frozen=True)
class Timing:
    """From when on changes hold, and when they are said to have been made; RFC 3339, None: now."""

    valid_from: str | None = None
    as_of: str | None = None


def apply(
    connection: Connection,
    entity: Entity,
    table: Table,
    settings: Settings,
    problems: Problems,
    *,
    timing: Timing = Timing(),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Apply the rows of a table, all or none.

    RefusedError with every problem, those that reading the table found too. A dry run changes nothing.
    """
    progress = progress or Quiet()
    flows = settings.flows
    prepare(connection)
    known = Known(flows, known_regions(connection))
    checker = Checker(entity, table.head, settings.policy(), known, problems)
    progress.stage(f"reading {entity.plural}", table.count)
    rows = stage(connection, entity, checker.order, checker.lines(table.rows), progress)
    progress.stage("comparing with the book", None)
    lock_book(connection)
    changes = compare(connection, entity, table.head, flows[0], timing.valid_from)
    find_problems(connection, entity, table.head, problems)
    if problems.count:
        raise RefusedError(table.source, problems, by_line=table.by_line)
    outcome = replace(_outcome(connection, entity, rows, changes, settings), dry_run=dry_run)
    if changes and not dry_run:
        progress.stage("writing changes", None)
        _write(connection, entity, timing.as_of)
        refresh_statistics(connection, changes)
    return outcome


def set_fields(
    connection: Connection,
    entity: Entity,
    key: str,
    fields: Mapping[str, str],
    settings: Settings,
    *,
    timing: Timing = Timing(),
    dry_run: bool = False,
) -> Outcome:
    """Set fields of one row, as cells of a CSV; an empty one is cleared. A row that is not there is new."""
    table = Table(key, (entity.key.name, *fields), iter([(1, (key, *fields.values()))]), 1, by_line=False)
    check_columns_of_one(key, table.head, entity)
    return apply(connection, entity, table, settings, Problems(), timing=timing, dry_run=dry_run)


def check_columns_of_one(source: str, head: tuple[str, ...], entity: Entity) -> None:
    """As `check_columns`; what a new row needs is asked for when the row turns out to be new."""
    check_columns(source, (*head, *(name for name in entity.required if name not in head)), entity)


def refresh_statistics(connection: Connection, written: int) -> None:
    """After many rows were written to the outbox: the relay begins before the server does this by itself, and
    would read published rows again and again."""
    if written >= _MANY_ROWS:
        connection.exec_driver_sql("ANALYZE outbox")


def record_sql(entity: Entity, of: str, as_of: str = "NULL::text") -> str:
    """The SQL expression of the control record of a row."""
    pairs = [f"'{entity.key.name}', {of}.{entity.key.stored}", f"'{VERSION}', {of}.{VERSION}"]
    pairs += [f"'{column.name}', {column.as_json(of)}" for column in entity.columns[1:]]
    pairs.append(f"'as_of', {as_of}")
    return f"json_strip_nulls(json_build_object({', '.join(pairs)}))::text"


def outbox_sql(entity: Entity, of: str, source: str, as_of: str, order: str) -> str:
    """The statement that writes the rows of `source` to the outbox: topic NULL is the raw topic of every
    flow, partition NULL that of the key."""
    topic = f"{of}.flow || '{RAW_SUFFIX}'" if entity is METER else "NULL"
    key = f"{of}.{entity.key.stored}"
    return f"""
        INSERT INTO outbox (topic, key, headers, value, entity)
        SELECT {topic}, {key}, '{headers_of(entity.header)}'::jsonb, {record_sql(entity, of, as_of)},
               '{entity.name}:' || {key}
        FROM {source} ORDER BY {order}
    """


def headers_of(header: str) -> str:
    """The headers of a control record as JSON."""
    return f'{{"{header}": "{CONTROL_VERSION.decode()}"}}'


def _outcome(connection: Connection, entity: Entity, rows: int, changes: int, settings: Settings) -> Outcome:
    names = [column for column in entity.columns[1:] if column.name != VALID_FROM]
    counts = ", ".join(
        f"count(*) FILTER (WHERE c.{one.stored} IS DISTINCT FROM o.{one.stored})" for one in names
    )
    changed, moved, *different = connection.exec_driver_sql(
        f"SELECT count(*), count(*) FILTER (WHERE c.moved), {counts}"
        f" FROM pg_temp.change AS c JOIN {entity.table} AS o USING ({entity.key.stored})"
    ).one()
    columns = {one.name: count for one, count in zip(names, different, strict=True) if count}
    advice: Iterable[str] = ()
    if entity is METER:
        advice = advice_on(connection, "pg_temp.change", settings)
    elif entity is OUTAGE:
        advice = advice_on_outages(connection)
    return Outcome(rows, changes - changed, changed, moved, columns, tuple(advice))


def _write(connection: Connection, entity: Entity, as_of: str | None) -> None:
    said = {"as_of": as_of}
    if entity is METER:
        connection.exec_driver_sql(
            f"""
            INSERT INTO outbox (topic, key, headers, value, entity)
            SELECT stored_flow || '{RAW_SUFFIX}', meter_id, '{headers_of(REGISTRY_HEADER)}'::jsonb,
                   json_strip_nulls(json_build_object(
                       'meter_id', meter_id, 'version', version - 1, 'status', 'removed', 'flow', stored_flow,
                       'valid_from', {METER.by_name[VALID_FROM].as_json("c")}, 'as_of', %(as_of)s::text
                   ))::text,
                   'meter:' || meter_id
            FROM pg_temp.change AS c WHERE moved ORDER BY line
            """,
            said,
        )
    connection.exec_driver_sql(
        outbox_sql(entity, "c", "pg_temp.change AS c", "%(as_of)s::text", "c.line"), said
    )
    names = [*(column.stored for column in entity.columns), VERSION]
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in names[1:])
    connection.exec_driver_sql(
        f"INSERT INTO {entity.table} ({', '.join(names)}) SELECT {', '.join(names)} FROM pg_temp.change"
        f" ON CONFLICT ({names[0]}) DO UPDATE SET {updates}, updated_at = now()"
    )
