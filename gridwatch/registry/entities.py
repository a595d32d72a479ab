"""What the book has: meters, regions and planned outages, each declared once.

The columns are those of a CSV, of `key=value` on the command line, and of the control record. What a value
may be is the domain's to say (`gridwatch/domain/registry/records.py`); here is how it is written and stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from gridwatch.domain.registry.records import (
    ANCHORS,
    ENERGY_MODES,
    SCOPES,
    STATUSES,
    ControlRecord,
    meter_record,
    outage_record,
    region_record,
)
from gridwatch.domain.spans import INTERVALS
from gridwatch.domain.validation.findings import Refusal
from gridwatch.topics import OUTAGE_HEADER, REGION_HEADER, REGISTRY_HEADER

Kind = Literal["text", "instant", "number", "price", "integer", "boolean", "dates"]

#: The column that a change is compared by: no row of an older version is applied.
VERSION = "version"
#: When a change holds from: it belongs to the change, not to what is changed.
VALID_FROM = "valid_from"

_SQL_TYPES: Mapping[Kind, str] = {
    "text": "text",
    "instant": "timestamptz",
    "number": "double precision",
    "price": "numeric",
    "integer": "bigint",
    "boolean": "boolean",
    "dates": "date[]",
}
_INSTANT = "write it as 2026-01-31T00:00:00Z, or with another offset"
_ZONE = "write a name such as Europe/Berlin"
_NAME = "write 1 to 256 printable characters"
_NUMBER = "write a number above 0, with a point and without a unit, such as 17.25"


@dataclass(frozen=True)
class Column:
    """A column: its name in files and records, what it holds, and what to write in it."""

    name: str
    kind: Kind
    write: str
    #: Its name in the table, where another is needed.
    stored_as: str = ""
    #: What a new row has if nothing is given; an SQL literal.
    default: str | None = None

    @property
    def stored(self) -> str:
        """Its name in the table."""
        return self.stored_as or self.name

    @property
    def sql_type(self) -> str:
        """Its type in the table."""
        return _SQL_TYPES[self.kind]

    def as_json(self, of: str) -> str:
        """The SQL expression of its value in a record; `of` is the row."""
        value = f"{of}.{self.stored}"
        if self.kind == "instant":
            # RFC 3339 in UTC, which is the zone of the session, with a fraction if there is one.
            return (
                f"""to_char({value}, 'YYYY-MM-DD"T"HH24:MI:SS')"""
                f""" || rtrim(rtrim(to_char({value}, '.US'), '0'), '.') || 'Z'"""
            )
        return value


@dataclass(frozen=True)
class Entity:
    """A kind of rows of the book."""

    #: The kind in the compacted topic.
    name: str
    #: What a person calls several.
    plural: str
    table: str
    header: str
    columns: tuple[Column, ...]
    #: Columns that a row cannot be without, the key first.
    required: tuple[str, ...]
    #: Columns that the rules look at together.
    together: tuple[tuple[str, ...], ...]
    #: Of two instants the first lies before the second.
    ordered: tuple[str, str] | None
    #: A valid record, of which some fields are replaced by those that are checked.
    sample: Mapping[str, object]
    record: Callable[[Mapping[str, object], str], ControlRecord | Refusal]
    #: The key in the compacted topic is this and the key.
    prefix: str = ""

    @cached_property
    def key(self) -> Column:
        """The column that names a row."""
        return self.columns[0]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Its columns; without the version, which every entity has."""
        return {column.name: column for column in self.columns}


METER = Entity(
    name="meter",
    plural="meters",
    table="meters",
    header=REGISTRY_HEADER,
    columns=(
        Column("meter_id", "text", "write 1 to 128 bytes without control characters"),
        Column("flow", "text", "write a flow of GRIDWATCH_FLOWS"),
        Column("status", "text", f"write one of {', '.join(STATUSES)}", default="'active'"),
        Column("installed_at", "instant", _INSTANT),
        Column("removed_at", "instant", f"{_INSTANT}; after installed_at"),
        Column(VALID_FROM, "instant", _INSTANT),
        Column("interval", "text", INTERVALS),
        Column("timezone", "text", _ZONE),
        Column("anchor", "text", f"write one of {', '.join(ANCHORS)}"),
        Column("grace", "text", "write a duration such as 90s, 15m, 1h, 2d, at most 32d"),
        Column("energy_mode", "text", f"write one of {', '.join(ENERGY_MODES)}"),
        Column("region", "text", _NAME),
        Column("feeder", "text", _NAME),
        Column("transformer", "text", _NAME),
        Column("max_kw", "number", _NUMBER),
        Column("fuse_amps", "number", _NUMBER),
        Column("register_digits", "integer", "write a whole number from 3 to 12"),
        Column("customer_class", "text", _NAME),
    ),
    required=("meter_id",),
    together=(("installed_at", "removed_at"), ("interval", "timezone")),
    ordered=("installed_at", "removed_at"),
    sample={"meter_id": "M", "version": 1, "status": "active"},
    record=meter_record,
)
REGION = Entity(
    name="region",
    plural="regions",
    table="regions",
    header=REGION_HEADER,
    columns=(
        Column("region", "text", _NAME),
        Column("capacity_kw", "number", _NUMBER),
        Column("base_price_per_kwh", "price", "write a number from 0 on, such as 0.2450"),
        Column("currency", "text", "write three capital letters, such as EUR"),
        Column("timezone", "text", _ZONE),
        Column("holidays", "dates", "write dates such as 2026-12-25, with blanks or ; between them"),
        Column(VALID_FROM, "instant", _INSTANT),
    ),
    required=("region", "capacity_kw"),
    together=(),
    ordered=None,
    sample={"region": "R", "version": 1, "capacity_kw": 1},
    record=region_record,
    prefix="region:",
)
OUTAGE = Entity(
    name="outage",
    plural="planned outages",
    table="planned_outages",
    header=OUTAGE_HEADER,
    columns=(
        Column("outage_id", "text", _NAME),
        Column("scope", "text", f"write one of {', '.join(SCOPES)}"),
        Column("target", "text", "write the name of a meter, transformer, feeder or region"),
        Column("from", "instant", _INSTANT, stored_as="outage_from"),
        Column("until", "instant", f"{_INSTANT}; after from", stored_as="outage_until"),
        Column("why", "text", "write at most 1000 characters"),
        Column("cancelled", "boolean", "write true or false", default="false"),
    ),
    required=("outage_id", "scope", "target", "from", "until"),
    together=(("from", "until"),),
    ordered=("from", "until"),
    sample={
        "outage_id": "O",
        "version": 1,
        "scope": "meter",
        "target": "M",
        "from": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00Z",
    },
    record=outage_record,
    prefix="outage:",
)
ENTITIES = (REGION, METER, OUTAGE)
