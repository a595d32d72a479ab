"""One more table, declared as a file of `sinks/tables/` would declare it, to prove that this is enough.

Its tables belong to a `MetaData` of its own, so that the schema does not know of it unless a test lists it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Column, Double, Integer, MetaData, PrimaryKeyConstraint, Table

from gridwatch.topics import Topic
from sinks.tables.columns import Values, identifier, instant
from sinks.tables.copy_text import instants, numbers, texts
from sinks.tables.table import Comparison, Compression, TopicTable


class RegionalLoad(Struct, frozen=True):
    """The energy of a region in a window, as one of its revisions has it."""

    id: str
    region: str
    window_start: str
    energy_kwh: float
    revision: int
    computed_at: str


TOPIC = Topic("test_regional_load", "the energy of each region", "id", RegionalLoad)

regional_load = Table(
    "regional_load",
    MetaData(),
    instant("time"),
    identifier("id"),
    identifier("region"),
    Column("energy_kwh", Double, nullable=False),
    Column("revision", Integer, nullable=False),
    instant("computed_at"),
    PrimaryKeyConstraint("id", "time"),
)


def _values(records: Sequence[RegionalLoad]) -> Values:
    return {
        "time": instants([r.window_start for r in records]),
        "id": texts([r.id for r in records]),
        "region": texts([r.region for r in records]),
        "energy_kwh": numbers([r.energy_kwh for r in records]),
        "revision": numbers([r.revision for r in records]),
        "computed_at": instants([r.computed_at for r in records]),
    }


REGIONAL_LOAD = TopicTable(
    sql=regional_load,
    topic=TOPIC,
    columns=_values,
    newer=("revision",),
    compression=Compression("region", '"time" DESC, id'),
    compress_after="load_compress_after",
    retention="load_retention",
    comparison=Comparison(without=("computed_at",)),
)
