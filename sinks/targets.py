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
from sinks import columns, schema


@dataclass(frozen=True)
class Target:
    """How the records of one topic become rows of a table."""

    topic: str
    table: Table
    decode: Callable[[bytes], Any]
    columns: Callable[[Sequence[Any]], columns.Columns]
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
        # Not DO NOTHING: up to 2.19.0 TimescaleDB leaves out all rows after the first that it meets in a
        # compressed chunk, without a word.
        return statement + f'UPDATE SET "{keys[0]}" = excluded."{keys[0]}" WHERE FALSE'
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in _staged(table) if name not in keys)
    there = ", ".join(f'{table.name}."{name}"' for name in newer)
    incoming = ", ".join(f'excluded."{name}"' for name in newer)
    return statement + f"UPDATE SET {updates}{replaced} WHERE ({incoming}) > ({there})"


#: A row that is replaced for the first time is the first one, as far as is known by then.
_KEEP_FIRST = "".join(
    f", first_{kept} = CASE WHEN validated_readings.first_offset IS NULL"
    f" THEN validated_readings.{of} ELSE validated_readings.first_{kept} END"
    for kept, of in (("kwh", "consumption_kwh"), ("offset", "source_offset"), ("index", "source_index"))
)
#: Values staged together with a later one, or that come after it: an earlier one than is known is the first.
#: Every key is in the table by now. Not an UPDATE that joins the two: for that TimescaleDB would unpack every
#: compressed chunk there is, and for this it looks up the keys.
_FIRST_OF_REPEATED = f"""
INSERT INTO validated_readings AS there ({_names(schema.validated_readings)})
SELECT DISTINCT ON (meter_id, "time") {_names(schema.validated_readings)} FROM stage_validated_readings
ORDER BY meter_id, "time", source_offset, source_index
ON CONFLICT (meter_id, "time") DO UPDATE SET first_kwh = excluded.consumption_kwh,
    first_offset = excluded.source_offset, first_index = excluded.source_index
WHERE (excluded.source_offset, excluded.source_index) < (there.source_offset, there.source_index)
  AND (there.first_offset IS NULL
       OR (excluded.source_offset, excluded.source_index) < (there.first_offset, there.first_index))
"""  # noqa: S608 (every name in it is a constant of the schema)
_LOG_ORDER = ("source_offset", "source_index", "source_partition")

#: The target of each topic, by the topic's name.
TARGETS: dict[str, Target] = {
    target.topic: target
    for target in (
        Target(
            VALIDATED.name,
            schema.validated_readings,
            msgspec.json.Decoder(Validated).decode,
            columns.validated,
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
            columns.gap_alerts,
            (_merge(schema.gap_alerts, newer=("revision",)),),
        ),
        Target(
            LATE_EVENTS.name,
            schema.late_events,
            msgspec.json.Decoder(LateEvent).decode,
            columns.late_events,
            (_merge(schema.late_events),),
        ),
        Target(
            METRICS.name,
            schema.metrics,
            msgspec.json.Decoder(Metric).decode,
            columns.metrics,
            (_merge(schema.metrics, newer=("revision",)),),
        ),
        Target(
            DEAD_LETTERS.name,
            schema.dead_letters,
            msgspec.json.Decoder(DeadLetter).decode,
            columns.dead_letters,
            (_merge(schema.dead_letters),),
        ),
    )
}
