"""The database, what is kept in it for how long, and the sink that writes it."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import BaseModel, Field, SecretStr, field_validator

from gridwatch.durations import Duration


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
    retention: Duration | None = Field(
        None,
        description="age by event time at which rows other than metrics are removed; empty: kept for ever",
    )
    metrics_retention: Duration | None = Field(
        None, description="age at which metrics are removed; empty: kept for ever"
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
