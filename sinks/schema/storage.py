"""Storage settings of the tables: chunk length, compression age, retention."""

from __future__ import annotations

from datetime import timedelta

from gridwatch.settings import Settings
from sinks import tables
from sinks.tables.table import DatabaseTable


class Storage:
    """Durations by the name of their setting; a setting that is not given has its default."""

    def __init__(self, **lengths: timedelta | None) -> None:
        self._lengths = lengths

    @classmethod
    def of(cls, settings: Settings) -> Storage:
        """The settings that the tables name."""
        named = {
            name
            for table in tables.TABLES
            for name in (table.chunk_interval, table.compress_after, table.retention)
        }
        return cls(**{name: getattr(settings, name) for name in named})

    def chunk_interval(self, table: DatabaseTable) -> timedelta:
        """The length of a chunk of a table."""
        return self._length(table.chunk_interval)

    def compress_after(self, table: DatabaseTable) -> timedelta:
        """The age by `time` at which chunks of a table are compressed."""
        return self._length(table.compress_after)

    def retention(self, table: DatabaseTable) -> timedelta | None:
        """The age by `time` at which rows of a table, and of its summaries, are removed; None: never."""
        return self._value(table.retention)

    def _length(self, setting: str) -> timedelta:
        length = self._value(setting)
        if length is None:
            raise ValueError(f"{setting} has to be a length of time")
        return length

    def _value(self, setting: str) -> timedelta | None:
        if setting in self._lengths:
            return self._lengths[setting]
        default: timedelta | None = Settings.model_fields[setting].default
        return default
