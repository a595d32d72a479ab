"""What is met while files are read, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from replay.files.covered import Covered
from replay.files.rejects import BadRow


@dataclass
class Tally:
    """What was met while reading."""

    rows: int = 0
    left_out: int = 0
    null_values: int = 0
    ambiguous: int = 0
    #: Values of local times that the clocks skipped, all of them zero.
    skipped_hours: int = 0
    #: Values that held two hours, the one before and the one after the clocks went back.
    split_hours: int = 0
    #: What was corrected or is odd, in words.
    notes: Counter[str] = field(default_factory=Counter)
    #: Series that are no energy, or flow the way that is not wanted.
    other_series: int = 0
    #: Rows off the grid that the profile leaves out.
    off_grid: int = 0
    #: Names of series: the meter and the suffix that they are made of.
    named: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Meters that have fed in energy as values below zero.
    feeding: set[str] = field(default_factory=set)
    #: Meters that are named after a file, and the file.
    named_after: dict[str, str] = field(default_factory=dict)
    #: The instants of the latest repeated hour of each meter that have been read.
    repeated_hours: dict[str, set[int]] = field(default_factory=dict)
    #: Of the numbers of a day on which clocks change, by series and day (µs), in the file before: whether
    #: they went by the clock, if that was certain, the least, the highest, and those that came once.
    numbered: dict[tuple[str, int], tuple[bool, bool, int, int, set[int]]] = field(default_factory=dict)
    #: The last time and value (kWh) of each register in the files before.
    registers: dict[str, tuple[int, float]] = field(default_factory=dict)
    #: Of meters whose tariffs are added up: the tariffs in the sum of each time (µs) in the files before.
    tariffs: dict[str, dict[int, frozenset[str]]] = field(default_factory=dict)
    #: The times of what is counted, in each interval that it comes in, in the files before.
    covered: dict[tuple[str, ...], list[Covered]] = field(default_factory=dict)
    bytes_read: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    examples: list[BadRow] = field(default_factory=list)

    def on_bytes(self, count: int) -> None:
        """So many bytes more of the files, packed or not, have been read."""
        self.bytes_read += count
