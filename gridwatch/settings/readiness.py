"""When a service is not ready."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from gridwatch.durations import Duration


class Readiness(BaseModel):
    """How long a service may make no progress, and how many dead letters are too many."""

    stalled_after: Duration = Field(
        timedelta(seconds=30), description="what has not moved for this long makes a service not ready"
    )
    dead_letter_run: int = Field(
        100, ge=0, description="dead letters in a row of one partition that make a service not ready; 0: any"
    )
    dead_letter_ratio: float = Field(
        0.5, ge=0, le=1, description="share of dead letters in one partition that does; 0: any"
    )
    dead_letter_window: int = Field(
        1000, ge=1, description="readings of one partition over which that share is judged"
    )
