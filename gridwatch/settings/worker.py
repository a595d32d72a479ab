"""A worker: its local state, its place in the group, its batches, and the ticks of idle partitions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from gridwatch.durations import Duration


class Worker(BaseModel):
    """How a worker works. The session is the sink's, too."""

    datadir: Path = Field(
        Path("gridwatch-data"),
        description="folder of the local RocksDB tables; one a worker, but two flows may share it",
    )
    session_timeout: Duration = Field(
        timedelta(seconds=20),
        description="silence after which a worker's or sink's partitions go to others; 6s to 60s",
    )
    batch_records: int = Field(
        5000, ge=1, le=100_000, description="most records of one partition handled in one commit"
    )
    meters_in_memory: int = Field(
        1_000_000,
        ge=1000,
        description="decoded meter states a worker keeps in memory; the rest are read from RocksDB",
    )
    idle_timeout: Duration = Field(
        timedelta(seconds=30), description="how long a partition is empty before its owner sends ticks"
    )
    idle_delay: Duration = Field(
        timedelta(seconds=60), description="idle ticks never come nearer to now than this"
    )

    @field_validator("session_timeout")
    @classmethod
    def _session_is_one_that_brokers_allow(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=6) <= value <= timedelta(seconds=60):
            raise ValueError("brokers and clients allow 6s to 60s")
        return value
