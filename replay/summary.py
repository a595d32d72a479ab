"""What a replay found and did, for people and for `--json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gridwatch.domain.instants import format_instant
from replay.files import Layout
from replay.ordering import Survey
from replay.rows import Tally


@dataclass
class Summary:
    """What a replay did. Times in µs."""

    run: str = ""
    survey: Survey = field(default_factory=Survey)
    tally: Tally = field(default_factory=Tally)
    layouts: list[Layout] = field(default_factory=list)
    readings: int = 0
    delayed: int = 0
    withheld: int = 0
    ticks: int = 0
    tick_records: int = 0
    already_sent: int = 0
    resumed: bool = False
    settled_to: int | None = None
    seconds: float = 0.0
    in_the_future: bool = False
    truth: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Readings sent a second, the time of reading and ordering left out."""
        return self.readings / self.seconds if self.seconds > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "run": self.run,
            "rows": self.survey.rows,
            "meters": self.survey.meters,
            "first": format_instant(self.survey.first),
            "last": format_instant(self.survey.last),
            "order_found": self.survey.order,
            "files": [
                {
                    "file": layout.file,
                    "delimiter": layout.delimiter,
                    "gzip": layout.compressed,
                    "columns": {name: layout.headers[at] for name, at in layout.columns.items()},
                    "ignored_columns": layout.ignored,
                }
                for layout in self.layouts
            ],
            "readings": self.readings,
            "delayed": self.delayed,
            "withheld": self.withheld,
            "ticks": self.ticks,
            "tick_records": self.tick_records,
            "already_sent": self.already_sent,
            "resumed": self.resumed,
            "settled_to": None if self.settled_to is None else format_instant(self.settled_to),
            "seconds": round(self.seconds, 3),
            "readings_per_second": round(self.rate),
            "ambiguous_times": self.tally.ambiguous,
            "left_out": self.tally.left_out,
            "bad_rows": dict(self.tally.bad),
            "bad_examples": [str(bad) for bad in self.tally.examples],
            "in_the_future": self.in_the_future,
            "truth": self.truth,
        }
