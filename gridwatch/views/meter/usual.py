"""What a meter usually uses, as its state has it: the baseline that its windows or slots are judged by.

It is what is known now, not what was known when a window was judged. Only hours with enough windows of their
own are shown: the neighbours and the mean of all hours, which the rules use in their place, say little of an
hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from gridwatch.domain.anomalies.days import HOURS, bucket_of, is_by_hour
from gridwatch.domain.anomalies.habit import ENOUGH, Buckets
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.registry import REGION
from gridwatch.domain.partition.sums.anomalies import BUCKETS
from gridwatch.domain.policy import SECOND, Policy
from gridwatch.plots.bands import Step
from gridwatch.tables.readings import METERS
from gridwatch.tables.registry_rows import REGION as REGION_ROW
from gridwatch.tables.store import Store
from gridwatch.views.state import Record

Bucket: TypeAlias = tuple[int, int, int]
"""Mean and deviation, mW, and how many windows they are of."""

_PARTS: Final = 3
_KW: Final = 1_000_000
"""mW in a kW."""
_HOUR_MICROS: Final = 3_600 * SECOND
#: So many deviations from the mean are usual.
_DEVIATIONS: Final = 3


@dataclass(frozen=True)
class Usual:
    """What one meter usually uses. Power in mW, times in µs.

    Args:
        length: that of the windows or slots that it is of.
        level: what is added to all means.
    """

    length: int
    level: int
    zone: str
    holidays: tuple[str, ...]
    buckets: dict[int, Bucket]

    def power(self, start: int) -> tuple[float, float, float] | None:
        """Mean, lowest and highest usual power of the window that begins at `start`, kW; None if too little
        is known."""
        known = self.buckets.get(bucket_of(start, self.length, self.zone, self.holidays))
        if known is None or known[2] < ENOUGH:
            return None
        mean, reach = known[0] + self.level, _DEVIATIONS * known[1]
        return mean / _KW, (mean - reach) / _KW, (mean + reach) / _KW

    def step(self, start: int, at: int | None = None) -> Step | None:
        """The same as a step of a plot, drawn at another time if one is given."""
        power = self.power(start)
        return None if power is None else Step(start if at is None else at, *power)

    def energy_step(self, start: int, length: int, at: int) -> Step | None:
        """The same of a slot of that length, as energy in kWh, drawn at `at`."""
        power = self.power(start)
        return None if power is None else Step(at, *(one * length / _HOUR_MICROS for one in power))

    def describe(self) -> Record:
        """What is known, as JSON: a bucket for each local hour of working days and of others."""
        by_hour = is_by_hour(self.length)
        known = [(place, one) for place, one in sorted(self.buckets.items()) if one[2] >= ENOUGH]
        return {
            "length_seconds": self.length // SECOND,
            "zone": self.zone,
            "level_kw": self.level / _KW,
            "buckets_possible": 2 * HOURS if by_hour else 2,
            "buckets": [
                {
                    "working_day": place < HOURS,
                    "hour": place % HOURS if by_hour else None,
                    "mean_kw": (mean + self.level) / _KW,
                    "deviation_kw": deviation / _KW,
                }
                for place, (mean, deviation, _) in known
            ],
        }


def read_usual(
    store: Store, partition: int, meter_id: str, meter: MeterState, policy: Policy
) -> Usual | None:
    """What a meter usually uses, from committed rows; None if nothing of it was judged."""
    habit = meter.habit
    if habit is None:
        return None
    buckets = _read_buckets(store, partition, BUCKETS + meter_id)
    if habit.count:
        buckets[habit.bucket] = (habit.mean, habit.deviation, habit.count)
    zone, holidays = _local(store, partition, meter)
    return Usual(habit.length, habit.level, zone or policy.timezone, holidays, buckets)


def _local(store: Store, partition: int, meter: MeterState) -> tuple[str | None, tuple[str, ...]]:
    """Zone and holidays of a meter: its own zone, that of its calendar, that of its region."""
    zone = None if meter.terms is None else meter.terms.zone
    if zone is None and meter.calendar is not None:
        zone = meter.calendar.zone
    row = None if meter.region is None else store.row(partition, (REGION + meter.region).encode())
    if row is None:
        return zone, ()
    region = REGION_ROW.decode(row)
    return zone or region.timezone, region.holidays


def _read_buckets(store: Store, partition: int, name: str) -> dict[int, Bucket]:
    """Those that something is known of, in order."""
    row = store.row(partition, name.encode())
    known: Buckets = [] if row is None else METERS.decode(name, row)
    every = ((known[at], known[at + 1], known[at + 2]) for at in range(0, len(known), _PARTS))
    return {place: bucket for place, bucket in enumerate(every) if bucket[2]}
