"""What one pass over all rows finds out: how many, of how many meters, when, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import compress, count, islice
from operator import gt, itemgetter, ne

from replay.files.overlaps.watch import StepWatch
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
    """Keeps a Survey while blocks pass by; `steps` has the steps of each meter."""

    def __init__(self, survey: Survey) -> None:
        self.steps = StepWatch()
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
        times, names = list(map(_time, block)), list(map(_meter, block))
        turns = list(compress(count(1), map(ne, names, islice(names, 1, None)))) if survey.by_meter else None
        self.steps.see(block, times, names, turns)
        previous, self._previous = self._previous, block[-1]
        if survey.by_time:
            survey.by_time = (previous is None or previous[0] <= times[0]) and not any(
                map(gt, times, islice(times, 1, None))
            )
        first, last = (times[0], times[-1]) if survey.by_time else (min(times), max(times))
        survey.first = first if survey.rows == 0 else min(survey.first, first)
        survey.last = last if survey.rows == 0 else max(survey.last, last)
        if turns is not None:
            survey.by_meter = self._in_one_piece(previous, times, names, turns)
            names = [names[0], *(names[at] for at in turns)]
        self._meters.update(names)
        survey.meters = len(self._meters)
        survey.rows += len(block)

    def _in_one_piece(
        self, previous: Row | None, times: list[int], names: list[str], turns: list[int]
    ) -> bool:
        """Whether each meter's rows lie together, in order of time; `turns` are where meters begin."""
        begun = [names[at] for at in turns]
        if previous is not None and previous[1] != names[0]:
            begun.append(names[0])
        elif previous is not None and previous[0] > times[0]:
            return False
        if len({names[0], *begun}) != len(turns) + 1 or not self._meters.isdisjoint(begun):
            return False
        return set(compress(count(1), map(gt, times, islice(times, 1, None)))) <= set(turns)


def survey_of(
    blocks: Iterable[list[Row]],
    on_read: Callable[[int], None],
    check: Callable[[StepWatch], None] = lambda steps: None,
) -> Survey:
    """Look at rows without keeping any; `check` gets the steps of each meter in the end."""
    survey = Survey()
    surveyor = Surveyor(survey)
    for block in blocks:
        surveyor.see(block)
        on_read(survey.rows)
    check(surveyor.steps)
    return survey
