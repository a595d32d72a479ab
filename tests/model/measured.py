"""Random logs for windows and regions: meters of every rate with all that they measure, in regions that
change, with anchors, capacities and planned outages of every scope.

Everything comes from one seed; the logs are those of `logs` and `controls`, with more in them.
"""

from __future__ import annotations

import dataclasses
import random
from itertools import count
from typing import Any

from tests.model.controls import ControlledLogMaker
from tests.model.judging import partition_of
from tests.model.logs import PARTITIONS, LogMaker
from tests.model.stamps import MINUTE, QUARTER, SECOND

FIELDS: dict[str, tuple[Any, ...]] = {
    "power_kw": (0, 0.5, 1.2345678, 3.5, -2.25, 1e9, 1.5e9),
    "voltage": (230, 229.4995, 231.25, 1e300, -5),
    "current": (0, 4.5, 7.0005, 2e9),
    "power_factor": (0.95, 1, -0.7, 0.1234567, 1e10),
}


def maker_of(seed: int) -> LogMaker:
    """Every other log has control records; four of five have windows or regions, half are judged."""
    maker, picks = unjudged(seed), random.Random(f"judged {seed}")
    if picks.random() < 0.5:
        judged = picks.choice([QUARTER, QUARTER, MINUTE, None])
        maker.policy = dataclasses.replace(maker.policy, judges=True, judged_window=judged)
    return maker


def unjudged(seed: int) -> LogMaker:
    if seed // 2 % 5 == 0:
        return ControlledLogMaker(seed) if seed % 2 else LogMaker(seed)
    return MeasuredControlledLogMaker(seed) if seed % 2 else MeasuredLogMaker(seed)


def home_of(partition: int) -> str:
    """A region whose records are of interest to this partition."""
    names = (f"area {number}" for number in count())
    return next(name for name in names if partition_of(name, PARTITIONS) == partition)


class MeasuredLogMaker(LogMaker):
    """One random log with windows, regions, or both."""

    def __init__(self, seed: int) -> None:
        self.more = random.Random(f"measured {seed}")
        super().__init__(seed)
        self.regions = ("north", "south", home_of(self.partition))
        self.kind = self.more.choice([0.0, 0.1, 0.5])  # the share of readings that move to another region
        self.policy = dataclasses.replace(
            self.policy,
            windows=self.more.choice([(MINUTE, QUARTER)] * 6 + [(), (MINUTE,), (QUARTER,)]),
            regional=self.more.random() < 0.85,
            anchor=self.more.choice(["start", "start", "end"]),
        )

    def interval(self) -> int:
        usual = super().interval()
        if self.more.random() < 0.4:
            return usual
        if usual < MINUTE:
            return self.more.choice([10, 10, 30]) * SECOND
        return self.more.choice([1, 1, 5, 15, 15, 30, 30, 60]) * MINUTE

    def worded(self, body: dict[str, Any]) -> dict[str, Any]:
        chance, pick = self.more.random, self.more.choice
        fields = dict(body)
        for name, values in FIELDS.items():
            if name != "power_kw" or "consumption_kwh" in body or chance() < 0.1:
                fields |= {name: pick(values)} if chance() < 0.3 else {}
        if chance() < 0.15:
            fields["consumption_kwh" if "consumption_kwh" in body else "odd"] = round(chance(), pick([3, 9]))
        if chance() < self.kind:
            fields["region"] = pick(self.regions)
        return super().worded(fields)


class MeasuredControlledLogMaker(MeasuredLogMaker, ControlledLogMaker):
    """The same with control records."""

    def registry(self, name: str, time: int) -> dict[str, Any]:
        body = super().registry(name, time)
        if self.more.random() < 0.4:
            body["region"] = self.more.choice(self.regions)
        return body

    def region(self, time: int) -> dict[str, Any]:
        body = super().region(time)
        if self.more.random() < 0.6:
            body["region"] = self.more.choice(self.regions)
            body["version"] = self.version_of(body["region"])
        return body

    def outage(self, name: str, time: int) -> dict[str, Any]:
        body = super().outage(name, time)
        if body["scope"] == "region":
            body["target"] = self.more.choice(self.regions)
        return body
