"""Which stages the values of a file go through before they are readings."""

from __future__ import annotations

from replay.files.job import BadCell, Job
from replay.files.profile import POWER, Profile
from replay.files.rows import Row
from replay.files.values.registers import Registers
from replay.files.values.samples import Added, Readings, Sample, Stage
from replay.files.values.steps import Clocks, OneStep, VaryingSteps

#: Between the id of a meter and the series, for stages that must tell tariffs of one meter apart.
BETWEEN = "\0"


def stage_of(job: Job, clocks: Clocks, *, power: bool) -> Stage:
    """The stages of a file, whose stamps go by `clocks`; `power` says whether values may be power."""
    profile = job.profile
    stage: Stage = Readings(job)
    if profile.add_up:
        stage = Added(stage, whole=profile.difference or profile.steps == "stamps")
    if profile.difference:
        return Registers(job, Renamed(stage))
    if profile.steps == "stamps":
        return VaryingSteps(job, clocks, Renamed(stage))
    if power and profile.step:
        return OneStep(job, Renamed(stage), checked="slot" not in job.layout.columns)
    return Renamed(stage)


def may_be_power(profile: Profile) -> bool:
    """Whether values are power, or may be: a column or a series may name another unit."""
    return profile.unit in POWER or "unit" in profile.columns or profile.series is not None


class Renamed:
    """Takes the series off the name of a meter; refuses power whose interval nobody knows."""

    def __init__(self, after: Stage) -> None:
        self._after = after

    def take(self, sample: Sample, block: list[Row]) -> None:
        """Hand on the sample under the name of its meter."""
        if sample.power and sample.value is not None:
            raise BadCell(
                "consumption_kwh",
                f"{sample.value:g}",
                "power, and no interval is known: interval = says it",
                'name the interval in a profile of your own, such as interval = "15m" or interval = "stamps"',
            )
        if BETWEEN in sample.meter:
            sample = sample._replace(meter=sample.meter.partition(BETWEEN)[0])
        self._after.take(sample, block)

    def finish(self, block: list[Row]) -> None:
        """Nothing is held."""
        self._after.finish(block)
