"""What a cell with a value becomes, and the last step before it is a reading: direction, selection, JSON."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from gridwatch.domain.policy import MINUTE
from replay.files.job import BadCell, Job
from replay.files.profile import DAY_MINUTES
from replay.files.rows import Row
from replay.files.values.cells import DECIMALS, Intake, tail
from replay.files.values.names import Names
from replay.files.versions import Marked, marked

EXPORT = "-export"
#: Times of a meter for which a further tariff may come.
_HELD = 4


class Sample(NamedTuple):
    """One value of one series. `value` is kWh, kW where `power` is set, or None where the cell has none.

    `interval` is in minutes, 0 when it is not known; `members` are further JSON members of the record;
    `series` is the text of the file that named the series; `generation` says that it flowed to the grid.
    """

    time: int
    meter: str
    value: float | None
    line: int
    interval: int = 0
    power: bool = False
    members: str = ""
    codes: tuple[str, ...] = ()
    series: str = ""
    generation: bool = False

    @property
    def counted_by(self) -> str:
        """The meter and, where it is known, the device: their values of one time are parts of one sum."""
        device = self.members.device if isinstance(self.members, Marked) else ""
        return f"{self.meter}\0{device}" if device else self.meter

    def energy(self, kwh: float, time: int, interval: int, *codes: str) -> Sample:
        """A sample of so much energy (kWh) from `time` on, with further quality codes."""
        codes = (*self.codes, *codes)
        _, meter, _, line, _, _, members, _, series, generation = self
        return Sample(time, meter, kwh, line, interval, False, members, codes, series, generation)

    def wrong(self, found: str, reason: str, remedy: str = "") -> BadCell:
        """What is wrong with the value, in the line where it stands."""
        problem = BadCell("consumption_kwh", found, reason, remedy)
        problem.line = self.line
        return problem


class Stage(Protocol):
    """Takes samples in the order of the file and appends readings to a block."""

    def take(self, sample: Sample, block: list[Row]) -> None:
        """The next sample; BadCell where it cannot be a reading."""

    def finish(self, block: list[Row]) -> None:
        """The file has ended; called again after a BadCell."""


def minutes(span: int) -> int:
    """A span of time (µs) as an interval that a reading can give: whole minutes up to a day, else 0."""
    whole, rest = divmod(span, MINUTE)
    return whole if not rest and 1 <= whole <= DAY_MINUTES else 0


class Readings:
    """The last stage: samples of energy to rows that are wanted.

    Where values below zero are energy that was fed in, a meter has a second series from its first such value
    on, in whatever file: every interval then stands in both, so that neither has gaps, and a value that
    corrects one corrects the other.
    """

    def __init__(self, job: Job) -> None:
        self._intake = Intake(job)
        self._tally = job.tally
        self._flow = job.selection.flow
        self._split = job.profile.negative == "generation"
        self._own_export = any(job.profile.values[number][1].generation for _, number in job.layout.values)
        self._feeding = job.tally.feeding
        self._names = Names(job.tally)

    def take(self, sample: Sample, block: list[Row]) -> None:
        """Append the sample, or both of its directions."""
        value = sample.value
        if value is None:
            self._tally.null_values += 1
            return
        last = tail(sample.interval, list(sample.codes), sample.members)
        if isinstance(sample.members, Marked):
            last = marked(last, sample.members.version, sample.members.device)
        if not self._split:
            self._intake.take(block, sample.meter, sample.time, value, last)
        elif sample.generation:
            self._intake.take(block, sample.meter, sample.time, abs(value), last)
        else:
            self._both(sample, value, last, block)

    def _both(self, sample: Sample, value: float, last: tuple[int, str], block: list[Row]) -> None:
        meter = sample.meter
        if value < 0:
            if self._own_export:
                raise sample.wrong(str(value), "below zero in a file with a column of energy fed in")
            if meter not in self._feeding:
                self._names.of(meter, EXPORT)
                self._feeding.add(meter)
        for name, kwh, flow in (
            (meter, max(value, 0.0), "consumption"),
            (meter + EXPORT, max(-value, 0.0), "generation"),
        ):
            if flow == "generation" and meter not in self._feeding:
                continue
            if self._flow in ("both", flow):
                self._intake.take(block, name, sample.time, round(kwh, DECIMALS), last)
            else:
                self._tally.other_series += 1

    def finish(self, block: list[Row]) -> None:
        """Nothing is held."""


class Added:
    """Values of one meter, device and time that stand for several tariffs of one direction are added up.

    `whole`: tariffs come one after the other, so that nothing is certain before the file has ended.
    """

    def __init__(self, after: Stage, *, whole: bool = False) -> None:
        self._after = after
        self._whole = whole
        self._held: dict[tuple[str, int], tuple[Sample, frozenset[str]]] = {}
        self._newest: dict[str, list[int]] = {}
        self._sent: dict[str, dict[int, frozenset[str]]] = {}

    def take(self, sample: Sample, block: list[Row]) -> None:
        """Hold the sample until the next time of its meter. BadCell where its time was sent already."""
        meter, time, series = sample.counted_by, sample.time, sample.series
        held, names = self._held.get((meter, time), (None, frozenset[str]()))
        if held is not None and series not in names:
            if sample.value is not None and held.value is not None:
                sample = held._replace(value=round(held.value + sample.value, DECIMALS))
            elif sample.value is None:
                sample = held
            self._held[meter, time] = (sample, names | {series})
            return
        sent = self._sent.get(meter, {}).get(time)
        if sent and series not in sent:
            raise sample.wrong(
                series,
                "a second tariff of a time that other times have followed: sort the file by time, so that "
                "tariffs can be added up",
            )
        if held is not None:
            self._send(meter, time, block)
        elif not self._whole:
            newest = self._newest.setdefault(meter, [])
            newest.append(time)
            if len(newest) > _HELD and (meter, oldest := newest.pop(0)) in self._held:
                self._send(meter, oldest, block)
        self._held[meter, time] = (sample, frozenset({series}))

    def finish(self, block: list[Row]) -> None:
        """Hand out what is held."""
        for meter, time in sorted(self._held, key=lambda one: one[1]):
            self._send(meter, time, block)
        self._after.finish(block)

    def _send(self, meter: str, time: int, block: list[Row]) -> None:
        sample, names = self._held.pop((meter, time))
        if sample.value is not None and not self._whole:
            self._sent.setdefault(meter, {})[time] = names
        self._after.take(sample, block)
