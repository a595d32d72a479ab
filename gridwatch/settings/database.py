"""The database, what is kept in it for how long, and the sink that writes it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator

from gridwatch.durations import Duration, parse_duration

_NONE: Final = "none"


def _parse_retention(value: Any) -> timedelta | None:
    # An empty variable counts as not set, so a default is taken away by a word.
    return None if value in (None, _NONE) else parse_duration(value)


#: The age at which rows are removed; None: never.
Retention = Annotated[timedelta | None, BeforeValidator(_parse_retention)]


class Database(BaseModel):
    """Where the sink writes, how, and when rows are compressed and removed."""

    database_url: SecretStr = Field(
        SecretStr("postgresql://gridwatch@127.0.0.1:5432/gridwatch"),
        description="where the sink writes: postgresql://user:password@host:port/database",
    )
    sink_batch_rows: int = Field(
        20_000, ge=1, le=1_000_000, description="most rows of one database transaction"
    )
    sink_connections: int = Field(
        2, ge=1, le=32, description="database connections of a sink, side by side; partitions share them"
    )
    chunk_interval: Duration = Field(
        timedelta(days=7),
        description="TimescaleDB: length of a chunk; one of readings, with its indexes, should fit a quarter"
        " of the server's memory",
    )
    compress_after: Duration = Field(
        timedelta(days=30),
        description="TimescaleDB: age at which chunks are compressed; later than anything is still revised",
    )
    retention: Retention = Field(
        None,
        description="age by event time at which rows are removed whose table has no setting of its own;"
        " empty: kept for ever",
    )
    metrics_retention: Retention = Field(
        None, description="age at which metrics are removed; empty: kept for ever"
    )
    aggregates_1m_chunk_interval: Duration = Field(
        timedelta(days=1), description="TimescaleDB: length of a chunk of windows of 1 min"
    )
    aggregates_1m_compress_after: Duration = Field(
        timedelta(days=7), description="TimescaleDB: age at which windows of 1 min are compressed"
    )
    aggregates_1m_retention: Retention = Field(
        timedelta(days=30),
        description="age by event time at which windows of 1 min are removed; `none`: kept for ever",
    )
    aggregates_15m_compress_after: Duration = Field(
        timedelta(days=14), description="TimescaleDB: age at which windows of 15 min are compressed"
    )
    aggregates_15m_retention: Retention = Field(
        timedelta(days=90),
        description="age by event time at which windows of 15 min are removed; `none`: kept for ever",
    )
    regional_retention: Retention = Field(
        timedelta(days=90),
        description="age by event time at which the load of the regions is removed; `none`: kept for ever",
    )
    homelab_compress_after: Duration = Field(
        timedelta(days=7), description="TimescaleDB: age at which measurements of a home are compressed"
    )
    homelab_retention: Retention = Field(
        timedelta(days=400),
        description="age at which measurements of a home are removed; `none`: kept for ever",
    )

    outbox_retention: Duration = Field(
        timedelta(days=1), description="age at which gridwatch relay removes published rows of the outbox"
    )

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"postgres(ql)?(\+psycopg2)?://", value.get_secret_value()):
            raise ValueError("write postgresql://user:password@host:port/database")
        return value

    @property
    def database(self) -> str:
        """The database URL as SQLAlchemy and libpq both take it."""
        return re.sub(
            r"^postgres(ql)?(\+psycopg2)?://", "postgresql://", self.database_url.get_secret_value()
        )
