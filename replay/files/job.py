"""One file that is being read. Which of its rows are wanted, and what becomes of bad ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gridwatch.errors import GridwatchError
from replay.files.layout import Layout
from replay.files.profile import DAY_MINUTES, Profile
from replay.files.rejects import BadRow, Rejected
from replay.files.sources import Source
from replay.files.tally import Tally

#: Which readings of meters that count both ways are wanted.
Flow = Literal["both", "consumption", "generation"]

#: Rows that are handed on together.
BLOCK_ROWS = 8192
_SHOWN_EXAMPLES = 5


@dataclass(frozen=True)
class Selection:
    """Which rows are wanted: `start` ≤ time < `end` (µs), meters by a shell pattern, flow by direction."""

    start: int | None = None
    end: int | None = None
    meters: str = "*"
    flow: Flow = "both"


class BadCell(ValueError):
    """A cell that cannot be read; `field_name` is a field of a reading, or a column by its name."""

    #: Where it stands, if that is not the line just taken.
    line = 0
    #: Whether the other rows are right without this one.
    skippable = True

    def __init__(self, field_name: str, found: str, reason: str, remedy: str = "") -> None:
        """`remedy` is what to do, where that is more than to correct the row."""
        super().__init__(reason)
        self.field_name = field_name
        self.found = found
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class Job:
    """One file that is being read."""

    source: Source
    layout: Layout
    profile: Profile
    zone: str
    selection: Selection
    tally: Tally
    skip_bad: bool = False
    rejected: Rejected | None = None

    @property
    def zone_of_days(self) -> str:
        """The zone whose days or months the intervals are; empty where they are none of a calendar."""
        profile = self.profile
        # Days of UTC all have 24 hours: where nobody names a zone they are a fixed interval like others.
        named = profile.zone or ("" if self.zone == "UTC" and profile.interval <= DAY_MINUTES else self.zone)
        return named if profile.by_calendar else ""

    @property
    def of_days(self) -> bool:
        """Whether all intervals are days or months of a zone, so that midnight is where one begins."""
        return bool(self.zone_of_days) and self.profile.interval >= DAY_MINUTES

    def reject(self, problem: BadCell, line: int, row: str) -> None:
        """Count a row that cannot be read. GridwatchError unless such rows are to be skipped, and may be."""
        layout, tally = self.layout, self.tally
        at = layout.columns.get(problem.field_name)
        header = layout.headers[at] if at is not None else problem.field_name
        bad = BadRow(layout.file, line, header, problem.found, problem.reason)
        if not (self.skip_bad and problem.skippable):
            remedy = problem.remedy or "correct the row"
            raise GridwatchError(
                f"{bad}; headers found: {', '.join(layout.headers)[:300]}; accepted: {layout.accepted}",
                remedy + (", or go on without bad rows: --skip-bad" if problem.skippable else ""),
            )
        tally.bad[f"{header}: {bad.reason.split(':')[0]}"] += 1
        if len(tally.examples) < _SHOWN_EXAMPLES:
            tally.examples.append(bad)
        if self.rejected is not None:
            self.rejected.take(bad, row)
