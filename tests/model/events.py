"""What happens to a meter: its usual power, and events that are out of the ordinary."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.model.stamps import DAY, HOUR

EVENTS = (
    "spike", "spike", "drop", "drop", "reverse", "voltage", "frequency", "factor", "flat", "zero", "shift",
    "shift", "long shift", "silence", "missing",
)  # fmt: skip


@dataclass
class Moment:
    """What a meter measures in one slot. `missing`: how likely the reading does not come."""

    kw: float
    others: dict[str, float] = field(default_factory=dict)
    event: str = ""
    missing: float = 0.0
    silence: int = 0  # before it


class Story:
    """One meter, slot by slot."""

    def __init__(self, picks: random.Random, policy: Any, interval: int) -> None:
        self.random = picks
        self.policy = policy
        self.interval = interval
        self.base = picks.choice([0.06, 0.5, 0.5, 2.0])
        self.evening = picks.choice([0.0, 0.5, 1.0])
        self.noise = picks.choice([0.01, 0.05, 0.1])
        self.measures = picks.random() < 0.7  # voltage and others
        self.often = picks.choice([0.015, 0.04, 0.1])
        self.most = picks.choice([0, 12, 20]) * DAY if interval < DAY else 400 * DAY
        self.event, self.left, self.size = "", 0, 0.0
        self.number = 0  # slots so far
        long = ["long shift"] * (4 if interval >= HOUR else 1)
        self.script = {picks.choice([8, 30, 80, 100]): picks.choice(["", "", "zero", "flat", *long])}
        self.weekend = picks.choice([0.0, 0.3])
        if "long shift" in self.script.values() and picks.random() < 0.8:  # a calm meter, so that it lasts
            self.evening, self.weekend, self.often = 0.0, 0.0, 0.004
        self.flat_kw = 0.0

    def goes_on(self, since: int) -> bool:
        return not self.most or since < self.most

    def usual(self, local: datetime) -> float:
        evening = self.evening if 17 <= local.hour < 22 else 0.0
        weekend = self.weekend if local.weekday() >= 5 else 0.0
        noise = self.random.uniform(-self.noise, self.noise)
        return round(max(0.001, self.base * (1 + evening + weekend + noise)), 3)

    def slots(self, span: int) -> int:
        return max(1, span // self.interval)

    def begin(self, event: str) -> None:
        """Another event, how long it lasts and how large it is."""
        pick = self.random.choice
        self.event = event
        short = pick([1, 1, 2, 4])
        day = self.slots(DAY)
        self.left = {
            "flat": pick([20, 24, 26, 40]),
            "zero": pick([3, day - 1, day + 2, day + 8]) if day <= 100 else 30,
            "shift": pick([8, 9, 12, 20]),
            "long shift": pick([8, 16, self.slots(7 * DAY) + 9 if day <= 24 else 60]),
            "missing": pick([6, 20]),
        }.get(self.event, short)
        self.size = {
            "spike": pick([1.5, 2.5, 4.5, 12]),
            "drop": pick([0.45, 0.2, 0.05]),
            "shift": pick([0.25, 0.4, 1.0, 3.0, -0.4]),
            "long shift": pick([0.25, 0.4, 1.0, 3.0, -0.4]),
            "voltage": pick([0.84, 0.88, 0.94, 1.11, 1.16]),
            "frequency": pick([0.97, 0.988, 0.994, 1.011, 1.03]),
            "factor": pick([0.5, 0.79, 0.85, -0.7]),
        }.get(self.event, 0.0)

    def moment(self, local: datetime) -> Moment:
        self.number += 1
        scripted = self.script.get(self.number)
        if scripted:
            self.begin(scripted)
            self.left = max(self.left, self.slots(9 * DAY) if scripted == "long shift" else 0)
        elif self.left == 0:
            self.event = ""
            if self.random.random() < self.often:
                self.begin(self.random.choice(EVENTS))
        self.left = max(0, self.left - 1)
        kw = self.usual(local)
        found = Moment(kw, self.others(), self.event)
        pick = self.random.choice
        if self.event == "spike":
            found.kw = round(kw * (1 + self.size), 3)
            self.size *= pick([1, 1, 2])
        elif self.event == "drop":
            found.kw = round(kw * self.size, 3)
            self.size *= pick([1, 1, 0.4])
        elif self.event == "reverse":
            found.kw = -round(kw * pick([0.1, 2.0]), 3)
        elif self.event == "flat":
            self.flat_kw = self.flat_kw or kw
            found.kw = kw if self.random.random() < 0.02 else self.flat_kw
        elif self.event == "zero":
            found.kw = kw if self.random.random() < 0.01 else 0.0
        elif self.event in {"shift", "long shift"}:
            found.kw = round(max(0.0, kw + self.size + (0.4 if self.random.random() < 0.03 else 0.0)), 3)
            self.size += 0.5 if self.random.random() < 0.02 else 0.0
        elif self.event == "silence" and self.interval >= 300_000_000:
            found.silence = pick([20 * HOUR, 25 * HOUR, 50 * HOUR, 4 * DAY])
        elif self.event == "missing":
            found.missing = 0.3
        if self.event != "flat":
            self.flat_kw = 0.0
        self.unusual(found)
        return found

    def others(self) -> dict[str, float]:
        if not self.measures or self.random.random() < 0.1:
            return {}
        volts, hertz = self.policy.nominal_voltage, self.policy.nominal_frequency
        spread = self.random.uniform(-1, 1)
        return {
            "voltage": round(volts * (1 + 0.02 * spread), 3),
            "frequency": round(hertz * (1 + 0.002 * spread), 4),
            "power_factor": round(0.95 + 0.04 * spread, 4),
        }

    def unusual(self, found: Moment) -> None:
        volts, hertz = self.policy.nominal_voltage, self.policy.nominal_frequency
        if self.event == "voltage":
            found.others["voltage"] = round(volts * self.size, 3)
        elif self.event == "frequency":
            found.others["frequency"] = round(hertz * self.size, 4)
        elif self.event == "factor":
            found.others["power_factor"] = self.size

    def revised(self, moment: Moment) -> Moment:
        """The same slot, usual or a little otherwise."""
        pick = self.random.choice
        kw = pick([self.base, moment.kw * 1.01 + 0.001, self.base * 3, 0.0])
        return Moment(round(kw, 3), self.others(), moment.event)


class Steps(Story):
    """A meter that knows few values, and keeps each of them for some slots: much that is rare happens."""

    POWERS = (0.0, 0.0, 0.049, 0.05, 0.1, 0.101, 0.2, 0.25, 0.3, 0.5, 0.5, 0.75, 1.0, 1.001, -0.1, -0.5)
    VOLTAGES = (1.0, 1.05, 1.051, 0.9, 0.899, 1.15, 1.151)
    FREQUENCIES = (1.0, 1.005, 1.0051, 0.99, 0.9899, 1.02, 1.0201)
    FACTORS = (0.95, 0.9, 0.8999, 0.8, 0.7999, -0.7)

    def __init__(self, picks: random.Random, policy: Any, interval: int) -> None:
        super().__init__(picks, policy, interval)
        self.most = 0
        self.changes = picks.choice([0.03, 0.15, 0.5])
        self.powers = picks.sample(self.POWERS, picks.choice([3, 5, 8]))
        self.now: dict[str, float] = {"kw": 0.5}

    def moment(self, local: datetime) -> Moment:
        chance, pick = self.random.random, self.random.choice
        if chance() < self.changes:
            self.now["kw"] = pick(self.powers)
        for name, values in (("voltage", self.VOLTAGES), ("frequency", self.FREQUENCIES),
                             ("power_factor", self.FACTORS)):  # fmt: skip
            if chance() < 0.1:
                self.now[name] = pick(values)
        usual = {"voltage": self.policy.nominal_voltage, "frequency": self.policy.nominal_frequency}
        others = {
            name: round(value * usual.get(name, 1.0), 4)
            for name, value in self.now.items()
            if name != "kw" and chance() < 0.9
        }
        silent = 0
        if chance() < 0.01:
            silent = pick([DAY, DAY - self.interval, 3 * self.interval, 4 * self.interval, 8 * DAY])
        return Moment(self.now["kw"], others, "step" if chance() < 0.4 else "", silence=silent)

    def revised(self, moment: Moment) -> Moment:
        return Moment(self.random.choice(self.powers), moment.others, moment.event)
