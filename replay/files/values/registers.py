"""Values of registers to the energy between them.

The energy from one value to the next is sent at the earlier one's time. A fall is, in this order: a dip (at
most 1% and 1 kWh; no energy, and the higher value stays the base), a roll-over (where the digits are known,
from the upper part of them to the lower one, by what the meter can have counted since), a reset (the new
value is no more than that, and at most half of the old one or 1 kWh: a register that falls by a little did
not start from 0), else an error. Roll-overs and resets are noted with line and values. A register that is
back at its old value next was not reset: an error that names both lines. A rise that the meter cannot have
counted is an error where its most is known; the next value then says which of the two was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridwatch.domain.policy import HOUR
from replay.files.job import Job
from replay.files.rows import Row
from replay.files.spacing import UNIT_OF, Spacing, minutes_between
from replay.files.values.cells import DECIMALS
from replay.files.values.in_order import InOrder
from replay.files.values.samples import Sample, Stage, minutes

_DIP_SHARE, _DIP_KWH = 0.01, 1.0
#: What a meter behind a fuse of 200 A at 240 V can count, kW; judges resets where nothing else is given.
_USUAL_MOST_KW = 48.0
_GAP = 1.5
#: Falls of a file that are noted with line and values.
_NOTED = 10
_FURTHER = "{file}: further falls of registers, taken as {kind}s"
_KINDS = {"ROLL_OVER": "roll-over", "REGISTER_RESET": "reset"}


@dataclass
class _Register:
    """The last time of a register, the value that energy is counted from, and the least step so far (µs)."""

    time: int
    base: float
    least: int = 0
    suspect: float | None = None
    #: The value before the latest reset and the line of that one, until a further value has come.
    fell: tuple[float, int] | None = None


class Registers:
    """The stage between values of registers and readings."""

    def __init__(self, job: Job, after: Stage) -> None:
        profile = job.profile
        self._after = after
        self._order = InOrder()
        self._interval = profile.step
        self._zone = job.zone_of_days
        self._days = Spacing(self._interval, UNIT_OF[profile.interval], self._zone) if job.of_days else None
        self._turn = float(profile.kwh_per_unit()) * 10.0**profile.digits if profile.digits else 0.0
        self._most = profile.max_kw
        self._remembered = job.tally.registers
        self._notes, self._file, self._noted = job.tally.notes, job.layout.file, 0
        self._registers: dict[str, _Register] = {}

    def take(self, sample: Sample, block: list[Row]) -> None:
        """The next value of a register; BadCell for one that cannot be."""
        if sample.value is None:
            self._after.take(sample, block)
            return
        for one in self._order.take(sample):
            self._count(one, block)

    def finish(self, block: list[Row]) -> None:
        """Count what was held, and remember where each register stands for the next file."""
        for one in self._order.rest():
            self._count(one, block)
        for meter, register in self._registers.items():
            self._remembered[meter] = (register.time, register.base)
        self._after.finish(block)

    def _count(self, sample: Sample, block: list[Row]) -> None:
        value = sample.value or 0.0
        register = self._registers.get(sample.meter)
        if register is None:
            time, base = self._remembered.get(sample.meter, (sample.time, value))
            if time >= sample.time:
                time, base = sample.time, value
            register = self._registers[sample.meter] = _Register(time, base)
            if time == sample.time:
                return
        step = sample.time - register.time
        kwh, codes, base = self._between(sample, value, register, step)
        usual = self._interval or register.least
        start = register.time
        register.time, register.base, register.suspect = sample.time, base, None
        register.least = min(register.least or step, step)
        if usual and step > _GAP * usual:
            start = self._days.after(sample.time, -1) if self._days else sample.time - usual
            step, codes = sample.time - start, (*codes, "GAP_ENERGY")
        day = minutes_between(self._zone, start, start + step) if self._zone else 0
        self._after.take(sample.energy(kwh, start, day or minutes(step), *codes), block)

    def _between(
        self, sample: Sample, value: float, register: _Register, step: int
    ) -> tuple[float, tuple[str, ...], float]:
        """The energy since the base, its codes, and the new base."""
        rise = round(value - register.base, DECIMALS)
        most = (self._most or _USUAL_MOST_KW) * step / HOUR
        fell, register.fell = register.fell, None
        if fell is not None and value >= fell[0] and rise > most:
            low, register.time, register.base = register.base, sample.time, value
            raise sample.wrong(
                f"{value:.10g}",
                f"a register that is back after it fell from {fell[0]:.10g} to {low:.10g} kWh in line "
                f"{fell[1]}: that was no reset, but a wrong value",
                f"take line {fell[1]} out, or name its value as one that stands for no reading, with nulls "
                "in a profile of your own",
            )
        if rise >= 0:
            if not self._most or rise <= most:
                return rise, (), value
            if register.suspect is not None and value >= register.suspect:
                return round(value - register.suspect, DECIMALS), ("SUSPECT",), value
            register.suspect = value
            raise sample.wrong(
                f"{value:g}",
                f"a rise of {rise:g} kWh since {register.base:g}: more than {self._most:g} kW allow",
                "correct the row, or max_kw and unit in the profile",
            )
        if -rise <= _DIP_KWH and -rise <= _DIP_SHARE * register.base:
            return 0.0, ("REGISTER_DIP",), register.base
        turned = round(rise + self._turn, DECIMALS)
        if register.base < self._turn and 0 <= turned <= min(most, self._turn / 2):
            return self._told(sample, register, turned, "ROLL_OVER")
        if 0 <= value <= min(most, max(register.base / 2, _DIP_KWH)):
            register.fell = (register.base, sample.line)
            return self._told(sample, register, value, "REGISTER_RESET")
        before, register.time, register.base = register.base, sample.time, value
        raise sample.wrong(
            f"{value:.10g}",
            f"a register that falls from {before:.10g} to {value:.10g} kWh: no dip, no reset"
            + (", no roll-over" if self._turn else "")
            + "; digits = 5 and max_kw = 40 in the profile say where it rolls over and what it can count",
            "correct the row, or the profile: no difference = true if values are the energy of intervals",
        )

    def _told(
        self, sample: Sample, register: _Register, kwh: float, code: str
    ) -> tuple[float, tuple[str, ...], float]:
        """The energy of a roll-over or a reset, which is noted."""
        value, kind = sample.value or 0.0, _KINDS[code]
        self._noted += 1
        if self._noted <= _NOTED:
            meter = sample.meter.partition("\0")[0]
            self._notes[
                f"{self._file}, line {sample.line}: the register of {meter} falls from {register.base:.10g} "
                f"to {value:.10g} kWh: taken as a {kind}, with {kwh:.10g} kWh since"
            ] += 1
        else:
            self._notes[_FURTHER.format(file=self._file, kind=kind)] += 1
        return kwh, (code,), value
