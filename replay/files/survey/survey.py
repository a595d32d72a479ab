"""What one pass over all rows finds out: how many, of how many meters, when, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from operator import gt, itemgetter

from replay.files.rows import Row
from replay.files.survey.devices import Devices
from replay.files.versions import are_marked

_time, _meter = itemgetter(0), itemgetter(1)


@dataclass
class Survey:
    """What the first pass found out. Times in µs."""

    rows: int = 0
    first: int = 0
    last: int = 0
    by_time: bool = True
    by_meter: bool = True
    meters: int = 0
    runs_on_disk: int = 0
    #: The most that lay there at once.
    bytes_on_disk: int = 0
    #: Whether rows say which version and device they are of.
    marked: bool = False
    devices: Devices = field(default_factory=Devices)

    @property
    def order(self) -> str:
        """The order the rows were found in, in words."""
        if self.by_time:
            return "by time"
        return "by meter" if self.by_meter else "no order"


class Surveyor:
    """Keeps a Survey while blocks pass by."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._meters: set[str] = set()
        self._previous: Row | None = None

    def see(self, block: list[Row]) -> None:
        """Take the next rows, at least one."""
        survey = self._survey
        if self._previous is None:
            survey.marked = are_marked(block)
        if survey.marked:
            survey.devices.see(block)
        before = block if self._previous is None else [self._previous, *block]
        times, names = list(map(_time, before)), list(map(_meter, before))
        first, last = min(times), max(times)
        survey.first = first if survey.rows == 0 else min(survey.first, first)
        survey.last = last if survey.rows == 0 else max(survey.last, last)
        if survey.by_time:
            survey.by_time = not any(map(gt, times, islice(times, 1, None)))
        if survey.by_meter:
            survey.by_meter = self._in_one_piece(times, names)
        self._meters.update(names)
        survey.meters = len(self._meters)
        survey.rows += len(block)
        self._previous = block[-1]

    def _in_one_piece(self, times: list[int], names: list[str]) -> bool:
        """Whether each meter's rows lie together, in order of time."""
        turns = [at for at, (one, other) in enumerate(pairwise(names), 1) if one != other]
        begun = [names[at] for at in turns]
        if len({names[0], *begun}) != len(begun) + 1 or not self._meters.isdisjoint(begun):
            return False
        return {at for at, (one, other) in enumerate(pairwise(times), 1) if one > other} <= set(turns)


def survey_of(blocks: Iterable[list[Row]], on_read: Callable[[int], None]) -> Survey:
    """Look at rows without keeping any."""
    survey = Survey()
    surveyor = Surveyor(survey)
    for block in blocks:
        surveyor.see(block)
        on_read(survey.rows)
    return survey
