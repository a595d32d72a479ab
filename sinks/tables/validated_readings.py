"""`validated_readings`, from `smartmeter_validated`, and `reading_revisions`, derived from the same rows.

Of one meter and timestamp the last value in log order (offset, index) wins, and the first is kept beside it;
a meter is always in one partition, so offsets compare. Every reading flagged REVISED is one revision.

Positions in the logs of two flows do not compare. Where two flows have a value of one meter and timestamp
(the meter moved, or is in both by mistake), the one that was received later stands, at the same time that of
the flow with the later name; and no first value is known any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gridwatch import topics
from gridwatch.models.validated import Validated
from sinks.tables.columns import Values, flow, identifier, instant, origin, origin_values
from sinks.tables.copy_text import (
    arrays,
    instants,
    numbers,
    optional_instants,
    optional_numbers,
    optional_texts,
    texts,
)
from sinks.tables.table import (
    COMPUTED,
    LATER_RECEIVED,
    OF_FLOW,
    Comparison,
    Compression,
    DerivedTable,
    TopicTable,
    metadata,
    staged_names,
)


def _reading_columns() -> list[Column[Any]]:
    columns: list[Column[Any]] = [
        instant("time"),
        identifier("meter_id"),
        Column("consumption_kwh", Double, nullable=False),
        Column("status", Text, nullable=False),
        Column("delay_seconds", Double, nullable=False),
        Column("flags", ARRAY(Text), nullable=False),
        Column("interval_minutes", Double, nullable=False),
        Column("region", Text),
        *(Column(name, Double) for name in ("voltage", "current", "power_kw", "power_factor", "frequency")),
        *origin(),
        identifier("id"),
        instant("watermark"),
        # As the meter wrote it: not parsed, not used.
        Column("sent_at", Text),
        Column("interval_seconds", Integer),
        instant("received_at", optional=True),
        Column("energy_register_kwh", Double),
        # Of an energy over a gap: where it counts from.
        instant("energy_from", optional=True),
        # Of local days or months, such as `1d Europe/Berlin`.
        Column("calendar", Text),
        flow(),
    ]
    return columns


def _values(records: Sequence[Validated]) -> Values:
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
        **origin_values(records),
        "id": texts([r.id for r in records]),
        "watermark": instants([r.watermark for r in records]),
        "sent_at": optional_texts([r.sent_at for r in records]),
        "interval_seconds": optional_numbers([r.interval_seconds for r in records]),
        "received_at": optional_instants([r.received_at for r in records]),
        "energy_register_kwh": optional_numbers([r.energy_register_kwh for r in records]),
        "energy_from": optional_instants([r.energy_from for r in records]),
        "calendar": optional_texts([r.calendar for r in records]),
    }


#: The current reading of a meter and a timestamp. Where a value was replaced, `first_…` hold the one that
#: came first; those in between are in the revisions. `first_offset` −1: values of two flows met.
validated_readings = Table(
    "validated_readings",
    metadata,
    *_reading_columns(),
    Column("first_kwh", Double, info=COMPUTED),
    Column("first_offset", BigInteger, info=COMPUTED),
    Column("first_index", Integer, info=COMPUTED),
    PrimaryKeyConstraint("meter_id", "time"),
    # Rows arrive nearly in order of time: a BRIN index finds a time range and costs almost nothing to write.
    Index("validated_readings_time", "time", postgresql_using="brin"),
    # The delays of late readings: few among many, by index-only scans.
    Index(
        "validated_readings_late",
        "time",
        postgresql_include=["delay_seconds", "flow"],
        postgresql_where=text("status = 'LATE'"),
    ),
)

#: Every further value for a meter and a timestamp, with its position in the log.
reading_revisions = Table(
    "reading_revisions",
    metadata,
    *_reading_columns(),
    PrimaryKeyConstraint("meter_id", "time", "flow", "source_partition", "source_offset", "source_index"),
    Index("reading_revisions_time", "time"),
)

#: In `first_offset` and `first_index`: before every position, so that no first value comes before it.
_UNKNOWN = -1
#: A row that is replaced for the first time is the first one, as far as known by then. Of values of two flows
#: the one that gives way is not kept, so which came first is not known.
_KEEP_FIRST = "".join(
    f", first_{kept} = CASE WHEN validated_readings.flow <> excluded.flow THEN {unknown}"
    f" WHEN validated_readings.first_offset IS NULL"
    f" THEN validated_readings.{of} ELSE validated_readings.first_{kept} END"
    for kept, of, unknown in (
        ("kwh", "consumption_kwh", "NULL"),
        ("offset", "source_offset", _UNKNOWN),
        ("index", "source_index", _UNKNOWN),
    )
)
#: Corrects the first value where an earlier one was staged together with a later one, or arrived after it, or
#: where a value of another flow did not replace the row.
#: Every key is in the table by now. Not an UPDATE with a join: for that TimescaleDB would decompress every
#: chunk, and for this it looks up the keys.
_FIRST_OF_REPEATED = f"""
INSERT INTO validated_readings AS there ({staged_names(validated_readings)})
SELECT DISTINCT ON (meter_id, "time") {staged_names(validated_readings)} FROM staging_validated_readings
WHERE {OF_FLOW}
ORDER BY meter_id, "time", source_offset, source_index
ON CONFLICT (meter_id, "time") DO UPDATE SET
    first_kwh = CASE WHEN excluded.flow = there.flow THEN excluded.consumption_kwh END,
    first_offset = CASE WHEN excluded.flow = there.flow THEN excluded.source_offset ELSE {_UNKNOWN} END,
    first_index = CASE WHEN excluded.flow = there.flow THEN excluded.source_index ELSE {_UNKNOWN} END
WHERE CASE WHEN excluded.flow = there.flow
    THEN (excluded.source_offset, excluded.source_index) < (there.source_offset, there.source_index)
        AND (there.first_offset IS NULL
             OR (excluded.source_offset, excluded.source_index) < (there.first_offset, there.first_index))
    ELSE there.first_offset IS DISTINCT FROM {_UNKNOWN} END
"""  # noqa: S608 (every name in it is a constant of the schema)

_COMPARISON = Comparison(without=("received_at",))

VALIDATED_READINGS = TopicTable(
    sql=validated_readings,
    topic=topics.VALIDATED,
    comparison=_COMPARISON,
    columns=_values,
    newer=("source_offset", "source_index", "source_partition"),
    between_flows=LATER_RECEIVED,
    replaced=_KEEP_FIRST,
    merge_repeated=_FIRST_OF_REPEATED,
    compression=Compression("meter_id", '"time" DESC'),
)

READING_REVISIONS = DerivedTable(
    sql=reading_revisions,
    source=VALIDATED_READINGS,
    comparison=_COMPARISON,
    where="'REVISED' = ANY (flags)",
    compression=Compression("meter_id", '"time" DESC, flow, source_partition, source_offset, source_index'),
)
