"""Which record goes to which table, and which of two rows with one key stands.

The contents of every table are a function of the *set* of records, in whatever order, batches and
repetitions they come:

    validated_readings   of one meter and instant the last in log order (offset, index) stands, and the
                         value of the first is kept beside it; a meter is always in one partition, so
                         offsets compare
    reading_revisions    every reading flagged REVISED, once
    gap_alerts, metrics  the highest revision of an id stands
    late_events, dead_letters   one row an id; an id is made from the origin, so a repetition is the same

Rows are staged in a temporary table first. DISTINCT ON settles equal keys within a batch, because one
INSERT must not meet a row twice; ON CONFLICT settles them against what the table has.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, LATE_EVENTS, METRICS, VALIDATED
from sinks import schema
from sinks.copy_text import (
    arrays,
    booleans,
    documents,
    instants,
    numbers,
    optional_numbers,
    optional_texts,
    texts,
)

Columns = dict[str, list[str]]


@dataclass(frozen=True)
class Target:
    """How the records of one topic become rows of a table."""

    topic: str
    table: Table
    decode: Callable[[bytes], Any]
    columns: Callable[[Sequence[Any]], Columns]
    merge: tuple[str, ...]
    #: What is left to do when not every staged row went into the table: some had the same key as others.
    merge_repeated: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        """Name of the temporary table."""
        return f"stage_{self.table.name}"

    @property
    def create_stage(self) -> str:
        """Makes the temporary table; it lives as long as the connection and is empty after each commit."""
        return f"CREATE TEMPORARY TABLE {self.stage} (LIKE {self.table.name}) ON COMMIT DELETE ROWS"

    @property
    def copy(self) -> str:
        """Fills the temporary table."""
        return f"COPY {self.stage} ({_names(self.table)}) FROM STDIN"


def _staged(table: Table) -> list[str]:
    """The columns that come with the records."""
    return [column.name for column in table.columns if column.info != schema.WORKED_OUT]


def _names(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in _staged(table))


def _merge(
    table: Table,
    newer: tuple[str, ...] = (),
    where: str = "",
    stage: Table | None = None,
    replaced: str = "",
) -> str:
    """The statement that moves staged rows into a table: of rows with one key, the newest stands.

    `newer` are the columns that say which is newer; without them rows with one key are the same row.
    `replaced` are further assignments for a row that a newer one replaces.
    """
    keys = [column.name for column in table.primary_key.columns]
    key = ", ".join(f'"{name}"' for name in keys)
    order = "".join(f', "{name}" DESC' for name in newer)
    statement = (  # every name in it is a constant of the schema
        f"INSERT INTO {table.name} ({_names(table)}) "  # noqa: S608
        f"SELECT DISTINCT ON ({key}) {_names(table)} FROM stage_{(table if stage is None else stage).name} "
        f"{where} ORDER BY {key}{order} ON CONFLICT ({key}) DO "
    )
    if not newer:
        return statement + "NOTHING"
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in _staged(table) if name not in keys)
    there = ", ".join(f'{table.name}."{name}"' for name in newer)
    incoming = ", ".join(f'excluded."{name}"' for name in newer)
    return statement + f"UPDATE SET {updates}{replaced} WHERE ({incoming}) > ({there})"


def _validated(records: Sequence[Validated]) -> Columns:
    return {
        "time": instants([r.timestamp for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "consumption_kwh": numbers([r.consumption_kwh for r in records]),
        "status": [r.status for r in records],
        "delay_seconds": numbers([r.delay_seconds for r in records]),
        "flags": arrays([r.flags for r in records]),
        "interval_minutes": numbers([r.interval_minutes for r in records]),
        "region": optional_texts([r.region for r in records]),
        "voltage": optional_numbers([r.voltage for r in records]),
        "current": optional_numbers([r.current for r in records]),
        "power_kw": optional_numbers([r.power_kw for r in records]),
        "power_factor": optional_numbers([r.power_factor for r in records]),
        "frequency": optional_numbers([r.frequency for r in records]),
        **_origin(records),
        "id": texts([r.id for r in records]),
        "watermark": instants([r.watermark for r in records]),
        "sent_at": optional_texts([r.sent_at for r in records]),
    }


def _origin(records: Sequence[Validated] | Sequence[LateEvent]) -> Columns:
    return {
        "source_partition": numbers([r.partition for r in records]),
        "source_offset": numbers([r.offset for r in records]),
        "source_index": numbers([r.index for r in records]),
    }


def _gap_alerts(records: Sequence[GapAlert]) -> Columns:
    return {
        "time": instants([r.missing_from for r in records]),
        "gap_id": texts([r.gap_id for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "revision": numbers([r.revision for r in records]),
        "state": [r.state for r in records],
        "missing_from": instants([r.missing_from for r in records]),
        "missing_to": instants([r.missing_to for r in records]),
        "missing_intervals": numbers([r.missing_intervals for r in records]),
        "filled_intervals": numbers([r.filled_intervals for r in records]),
        "missing_ranges": documents([r.missing_ranges for r in records]),
        "gap_minutes": numbers([r.gap_minutes for r in records]),
        "interval_minutes": numbers([r.interval_minutes for r in records]),
        "expected_at": instants([r.expected_at for r in records]),
        "detected_at": instants([r.detected_at for r in records]),
        "last_seen": instants([r.last_seen for r in records]),
        "grace_seconds": numbers([r.grace_seconds for r in records]),
        "reason": texts([r.reason for r in records]),
        "region": optional_texts([r.region for r in records]),
        "source_partition": numbers([r.partition for r in records]),
        "source_offset": numbers([r.offset for r in records]),
    }


def _late_events(records: Sequence[LateEvent]) -> Columns:
    return {
        "time": instants([r.timestamp for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "consumption_kwh": numbers([r.consumption_kwh for r in records]),
        "delay_seconds": numbers([r.delay_seconds for r in records]),
        "allowed_lateness_seconds": numbers([r.allowed_lateness_seconds for r in records]),
        "flags": arrays([r.flags for r in records]),
        "watermark": instants([r.watermark for r in records]),
        **_origin(records),
        "id": texts([r.id for r in records]),
    }


def _metrics(records: Sequence[Metric]) -> Columns:
    return {
        "time": instants([r.window_start for r in records]),
        "window_end": instants([r.window_end for r in records]),
        "metric": texts([r.metric for r in records]),
        "value": numbers([r.value for r in records]),
        "scope": [r.scope for r in records],
        "partition": numbers([r.partition for r in records]),
        "revision": numbers([r.revision for r in records]),
        "labels": documents([r.labels for r in records]),
        "id": texts([r.id for r in records]),
    }


def _dead_letters(records: Sequence[DeadLetter]) -> Columns:
    records = [_storable(r) for r in records]
    return {
        "time": instants([r.record_timestamp for r in records]),
        "id": texts([r.id for r in records]),
        "reasons": arrays([r.reasons for r in records]),
        "message": texts([r.message for r in records]),
        "field": optional_texts([r.field for r in records]),
        "raw": texts([r.raw for r in records]),
        "raw_encoding": [r.raw_encoding for r in records],
        "raw_size": numbers([r.raw_size for r in records]),
        "raw_truncated": booleans([r.raw_truncated for r in records]),
        "topic": texts([r.topic for r in records]),
        "partition": numbers([r.partition for r in records]),
        "offset": numbers([r.offset for r in records]),
        "index": numbers([r.index for r in records]),
        "meter_id": optional_texts([r.meter_id for r in records]),
    }


def _storable(letter: DeadLetter) -> DeadLetter:
    """The same letter without NUL, which PostgreSQL's text cannot hold: raw as base64, the rest visible."""
    texts_of_it = (letter.raw, letter.message, letter.field or "", letter.meter_id or "")
    if not any("\0" in value for value in texts_of_it):
        return letter
    changes: dict[str, str] = {
        name: value.replace("\0", "\ufffd")
        for name in ("message", "field", "meter_id")
        if (value := getattr(letter, name)) is not None
    }
    if "\0" in letter.raw:
        changes |= {"raw": base64.b64encode(letter.raw.encode()).decode(), "raw_encoding": "base64"}
    return msgspec.structs.replace(letter, **changes)


#: A row that is replaced for the first time is the first one, as far as is known by then.
_KEEP_FIRST = "".join(
    f", first_{kept} = CASE WHEN validated_readings.first_offset IS NULL"
    f" THEN validated_readings.{of} ELSE validated_readings.first_{kept} END"
    for kept, of in (("kwh", "consumption_kwh"), ("offset", "source_offset"), ("index", "source_index"))
)
#: Values staged together with a later one, or that come after it: an earlier one than is known is the first.
_FIRST_OF_REPEATED = """
UPDATE validated_readings AS there
SET first_kwh = staged.consumption_kwh, first_offset = staged.source_offset, first_index = staged.source_index
FROM (
    SELECT DISTINCT ON (meter_id, "time") * FROM stage_validated_readings
    ORDER BY meter_id, "time", source_offset, source_index
) AS staged
WHERE there.meter_id = staged.meter_id AND there."time" = staged."time"
  AND (staged.source_offset, staged.source_index) < (there.source_offset, there.source_index)
  AND (there.first_offset IS NULL
       OR (staged.source_offset, staged.source_index) < (there.first_offset, there.first_index))
"""
_LOG_ORDER = ("source_offset", "source_index", "source_partition")

#: The target of each topic, by the topic's name.
TARGETS: dict[str, Target] = {
    target.topic: target
    for target in (
        Target(
            VALIDATED.name,
            schema.validated_readings,
            msgspec.json.Decoder(Validated).decode,
            _validated,
            (
                _merge(schema.validated_readings, newer=_LOG_ORDER, replaced=_KEEP_FIRST),
                _merge(
                    schema.reading_revisions,
                    where="WHERE 'REVISED' = ANY (flags)",
                    stage=schema.validated_readings,
                ),
            ),
            (_FIRST_OF_REPEATED,),
        ),
        Target(
            GAP_ALERTS.name,
            schema.gap_alerts,
            msgspec.json.Decoder(GapAlert).decode,
            _gap_alerts,
            (_merge(schema.gap_alerts, newer=("revision",)),),
        ),
        Target(
            LATE_EVENTS.name,
            schema.late_events,
            msgspec.json.Decoder(LateEvent).decode,
            _late_events,
            (_merge(schema.late_events),),
        ),
        Target(
            METRICS.name,
            schema.metrics,
            msgspec.json.Decoder(Metric).decode,
            _metrics,
            (_merge(schema.metrics, newer=("revision",)),),
        ),
        Target(
            DEAD_LETTERS.name,
            schema.dead_letters,
            msgspec.json.Decoder(DeadLetter).decode,
            _dead_letters,
            (_merge(schema.dead_letters),),
        ),
    )
}
