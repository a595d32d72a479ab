"""What a replay found and did, for people and for `--json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gridwatch.domain.instants import format_instant, minutes_of
from replay.files.layout import Layout
from replay.files.profile import Profile
from replay.files.profiles.spec import SPEC
from replay.files.survey.census import Census
from replay.files.survey.survey import Survey
from replay.files.tally import Tally
from replay.run.delivery import Delivered


@dataclass
class Summary(Delivered):
    """What a replay did. Times in µs."""

    run: str = ""
    survey: Survey = field(default_factory=Survey)
    tally: Tally = field(default_factory=Tally)
    layouts: list[Layout] = field(default_factory=list)
    #: What is doubtful of how files are written, in words.
    doubts: list[str] = field(default_factory=list)
    #: Files that were not read, and why.
    left_aside: list[str] = field(default_factory=list)
    resumed: bool = False
    seconds: float = 0.0
    in_the_future: bool = False
    truth: dict[str, int] = field(default_factory=dict)
    profile: Profile = SPEC
    #: Why this profile, where that was found out.
    profile_why: str = ""
    #: In which stamps without offset were read.
    zone: str = "UTC"
    #: What a dry run counted.
    census: Census | None = None
    #: Bytes on disk that sorting was reckoned to need, 0 when it needed none.
    temp_estimate: int = 0
    #: Whether the rows were found sorted, as an interrupted replay left them.
    sorted_before: bool = False
    #: Until the first record was sent.
    reading_seconds: float = 0.0

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
                    "encoding": layout.encoding,
                    "notes": list(layout.notes),
                    "columns": {name: layout.headers[at] for name, at in layout.columns.items()},
                    "ignored_columns": layout.ignored,
                }
                for layout in self.layouts
            ],
            "left_aside": self.left_aside,
            "doubts": self.doubts,
            "readings": self.readings,
            "delayed": self.delayed,
            "withheld": self.withheld,
            "garbage": self.garbage,
            "ticks": self.ticks,
            "tick_records": self.tick_records,
            "already_sent": self.already_sent,
            "resumed": self.resumed,
            "settled_to": None if self.settled_to is None else format_instant(self.settled_to),
            "seconds": round(self.seconds, 3),
            "readings_per_second": round(self.rate),
            "profile": self.profile.name,
            "profile_why": self.profile_why,
            "assumed": {
                "unit": self.profile.unit,
                "multiply": str(self.profile.multiply),
                "interval_minutes": minutes_of(self.profile.step) or None,
                "zone": self.zone,
                "zone_known": bool(self.profile.zone) and self.profile.zone_known,
                "anchor": self.profile.anchor,
                "clock_changes": self.profile.dst,
                "off_grid": self.profile.off_grid,
            },
            "found": None if self.census is None else self.census.as_dict(),
            "temp_bytes": self.survey.bytes_on_disk,
            "temp_bytes_estimated": self.temp_estimate,
            "sorted_before": self.sorted_before,
            "reading_seconds": round(self.reading_seconds, 3),
            "replaced_meters": {
                meter: self.survey.devices.described(meter) for meter in self.survey.devices.replaced
            },
            "null_values": self.tally.null_values,
            "skipped_hours": self.tally.skipped_hours,
            "split_hours": self.tally.split_hours,
            "other_series": self.tally.other_series,
            "off_grid_left_out": self.tally.off_grid,
            "remarks": dict(self.tally.notes),
            "ambiguous_times": self.tally.ambiguous,
            "left_out": self.tally.left_out,
            "bad_rows": dict(self.tally.bad),
            "bad_examples": [str(bad) for bad in self.tally.examples],
            "in_the_future": self.in_the_future,
            "truth": self.truth,
        }
