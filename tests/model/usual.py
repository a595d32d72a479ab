"""Random logs for anomalies: a few meters over days or weeks, most of the time as usual, with events of every
kind, late and revised readings, silence, and control records that move meters to other zones and regions.

Everything comes from one seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.model.events import Moment, Steps, Story
from tests.model.logs import PARTITIONS, Parameters, meter_ids
from tests.model.rulers import Ruler
from tests.model.stamps import DAY, EPOCH, HOUR, MINUTE, QUARTER, SECOND, parse, show
from tests.model.wire import Record

CHANGES = {  # of the clocks
    "Europe/London": ("2024-03-31T01:00", "2024-10-27T01:00"),
    "America/New_York": ("2024-03-10T07:00", "2024-11-03T06:00"),
}
ZONES = (*CHANGES, "UTC", "Australia/Lord_Howe", "Asia/Kolkata")
REGIONS = ("north", "south")


class Style(NamedTuple):
    """Intervals, the most readings of one meter, and what is judged."""

    intervals: tuple[int, ...]
    most: int
    judged: tuple[int | None, ...]
    lateness: tuple[int, ...]


STYLES = {
    "seconds": Style((10 * SECOND, 10 * SECOND, 30 * SECOND), 300, (MINUTE, MINUTE, None),
                     (MINUTE, 5 * MINUTE, HOUR)),
    "minutes": Style((MINUTE, MINUTE, 5 * MINUTE), 300, (MINUTE, QUARTER, None), (5 * MINUTE, HOUR)),
    "quarters": Style((QUARTER, QUARTER, QUARTER, 5 * MINUTE), 330, (QUARTER, QUARTER, QUARTER, None, MINUTE),
                      (20 * MINUTE, HOUR, 5 * HOUR)),
    "hours": Style((HOUR, HOUR, 30 * MINUTE, 2 * HOUR), 330, (QUARTER, QUARTER, None, MINUTE),
                   (HOUR, 5 * HOUR, DAY)),
    "days": Style((DAY,), 75, (QUARTER, None), (HOUR, DAY, 2 * DAY)),
    "steps": Style((HOUR, HOUR, 6 * HOUR, 12 * HOUR, 12 * HOUR, DAY), 170, (QUARTER, None),
                   (HOUR, DAY, 4 * DAY)),
}  # fmt: skip
MIXED = ("quarters", "hours")


class UsualLogMaker:
    """One random log: the policy, then its records."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"usual {seed}")
        pick = self.random.choice
        self.partition = self.random.randrange(PARTITIONS)
        self.style = pick([*STYLES, "quarters", "hours", "hours", "mixed", "steps"])
        self.zone = pick(ZONES)
        change = parse(pick(CHANGES.get(self.zone, ("2024-05-03T10:00", "2024-12-23T22:15"))) + "Z", "UTC")[0]
        ahead = {"seconds": [10 * MINUTE, HOUR], "minutes": [HOUR, 4 * HOUR], "days": [5 * DAY, 30 * DAY]}
        self.start = change - pick(ahead.get(self.style, [6 * HOUR, 30 * HOUR, 3 * DAY]))
        self.start -= self.start % QUARTER
        self.ends = self.start
        self.policy = self.parameters()
        self.records: list[Record] = []

    def styles(self) -> list[Style]:
        return [STYLES[name] for name in (MIXED if self.style == "mixed" else (self.style,))]

    def parameters(self) -> Parameters:
        pick, style = self.random.choice, self.random.choice(self.styles())
        judged = pick(style.judged)
        lateness = pick(style.lateness)
        short = self.style in {"seconds", "minutes"}
        windows = pick([(MINUTE, QUARTER)] * 4 + [(QUARTER,), (MINUTE,), ()])
        if judged is not None and judged not in windows and self.random.random() < 0.8:
            windows = tuple(sorted({*windows, judged}))
        return Parameters(
            default_interval=pick([*style.intervals, 30 * MINUTE]),
            grace=pick([1, 15, 70]) * MINUTE,
            max_out_of_orderness=pick([1, 10, 300]) * SECOND,
            allowed_lateness=lateness,
            state_ttl=pick([8, 30, 50] if short else [50, 7 * 24, 7 * 24, 20 * 24]) * HOUR + lateness,
            max_watermark_jump=pick([1, 3, 60]) * DAY,
            gap_memory=pick([3, 24]) * HOUR,
            metrics_window=pick([15, 60]) * MINUTE,
            timezone=pick(["UTC", self.zone, pick(ZONES)]),
            anchor=pick(["start", "start", "end"]),
            never_heard_after=100 * DAY,
            windows=windows,
            regional=self.random.random() < 0.2,
            hot_readings=pick([4, 8, 20]),
            block_readings=pick([3, 10, 64]),
            judges=True,
            judged_window=judged,
            nominal_voltage=pick([230.0, 230.0, 120.0]),
            nominal_frequency=pick([50.0, 50.0, 60.0]),
        )

    # -- meters ---------------------------------------------------------------------------------------------

    def plan(self) -> list[tuple[int, dict[str, Any]]]:
        sent: list[tuple[int, dict[str, Any]]] = []
        for name in meter_ids(self.partition, self.random.choice([1, 2, 2, 3])):
            sent += self.life(name)
        return sent

    def life(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        chance, pick = self.random.random, self.random.choice
        style = pick(self.styles())
        interval, sent = pick(style.intervals), []
        ruler = Ruler(interval, "1d", self.zone) if interval == DAY and chance() < 0.7 else Ruler(interval)
        story = (Steps if self.style == "steps" else Story)(self.random, self.policy, interval)
        late, missing = pick([0.0, 0.03, 0.15]), pick([0.0, 0.0, 0.05, 0.2])
        given, kind = chance() < 0.5, pick(["energy", "energy", "power", "register", "both"])
        register, region = 100.0, pick([None, "north", "south"])
        at = self.start + pick([0, 0, 1, 7]) * min(interval, MINUTE)
        if ruler.unit is not None:
            at = ruler.after(0, at)
        while len(sent) < style.most and story.goes_on(at - self.start):
            local = (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(self.zone))
            moment = story.moment(local)
            if moment.silence:
                at += moment.silence - moment.silence % interval
                if ruler.unit is not None:
                    at = ruler.after(0, at)
            register += max(0.0, moment.kw) * interval / HOUR
            body = {"meter_id": name, "timestamp": at, **self.measured(moment, kind, register, interval)}
            if given and chance() < 0.8:
                body |= self.given(ruler)
            if region and chance() < 0.8:
                body["region"] = region
            if chance() < 0.004:
                region = pick(REGIONS)
            arrival = at + self.random.randrange(1, 5) * min(SECOND, interval)
            arrival += self.delay(interval) if chance() < late else 0
            if chance() >= missing + moment.missing:
                sent += [(arrival, body), *self.again(arrival, body, moment, kind, interval, story)]
            at = ruler.after(at, at) if ruler.unit is None else ruler.after(0, at)
            if chance() < 0.002 and given and self.style in {"hours", "mixed", "days"}:
                interval = pick(
                    [HOUR, 2 * HOUR, QUARTER, 30 * MINUTE] if interval <= HOUR else [HOUR, 12 * HOUR]
                )
                ruler = Ruler(interval)
                story.interval = interval
        self.ends = max(self.ends, at)
        return sent

    def given(self, ruler: Ruler) -> dict[str, Any]:
        if ruler.unit is not None:
            return {"interval": ruler.unit, "timezone": ruler.zone}
        return {"interval_seconds": ruler.interval // SECOND}

    def delay(self, interval: int) -> int:
        pick, lateness = self.random.choice, self.policy.allowed_lateness
        return int(pick([interval, 2 * interval, lateness // 3, lateness // 2, lateness, 2 * lateness]))

    def measured(self, moment: Moment, kind: str, register: float, interval: int) -> dict[str, Any]:
        """The fields of a reading."""
        kwh = round(max(0.0, moment.kw) * interval / HOUR, 9)
        body: dict[str, Any] = dict(moment.others)
        if moment.kw < 0 or kind == "both":
            return {**body, "consumption_kwh": kwh, "power_kw": moment.kw}
        if kind == "power":
            return {**body, "power_kw": moment.kw}
        if kind == "register":
            return {**body, "energy_register_kwh": round(register, 6)}
        return {**body, "consumption_kwh": kwh}

    def again(
        self, arrival: int, body: dict[str, Any], moment: Moment, kind: str, interval: int, story: Story
    ) -> list[tuple[int, dict[str, Any]]]:
        """The reading revised, or with a second one of its slot; above all those of events."""
        chance, later = self.random.random, arrival + self.delay(interval)
        if chance() < (0.12 if moment.event else 0.01):
            calm = story.revised(moment)
            fields = {name: body[name] for name in ("meter_id", "timestamp", "region") if name in body}
            if "energy_register_kwh" in body:  # whose energy a revision does not change
                register = round(body["energy_register_kwh"] + 0.001, 6)
                changed = {**calm.others, "power_kw": calm.kw, "energy_register_kwh": register}
            else:
                changed = self.measured(calm, "both" if kind == "register" else kind, 0.0, interval)
            return [(later, {**fields, **changed})]
        if chance() < 0.01:
            near = body["timestamp"] + self.random.choice([-1, 1, 5]) * (
                MINUTE if interval > MINUTE else 2 * SECOND
            )
            return [(later, {**body, "timestamp": near})]
        return []

    # -- control records ------------------------------------------------------------------------------------

    def controls(self) -> list[tuple[int, str, dict[str, Any]]]:
        pick, found = self.random.choice, []
        makers: list[Callable[[int], tuple[str, dict[str, Any]]]] = [self.registry, self.registry]
        makers += [self.region, self.region, self.outage]
        for _ in range(pick([0, 0, 2, 5, 9])):
            time = (
                self.start if self.random.random() < 0.3 else self.random.randrange(self.start, self.ends + 1)
            )
            found.append((time, *pick(makers)(time)))
        found.sort(key=lambda one: one[0])
        return [(time, kind, {**body, "version": at}) for at, (time, kind, body) in enumerate(found, 1)]

    def registry(self, time: int) -> tuple[str, dict[str, Any]]:
        chance, pick = self.random.random, self.random.choice
        name = pick(meter_ids(self.partition, 3))
        status = pick(["active"] * 8 + ["suspended", "removed"])
        body: dict[str, Any] = {"meter_id": name, "status": status, "as_of": show(time)}
        if chance() < 0.5:
            body["timezone"] = pick(ZONES)
        if chance() < 0.5:
            body["region"] = pick(REGIONS)
        if chance() < 0.1:
            body["anchor"] = pick(["start", "end"])
        if chance() < 0.25:
            own = pick(self.styles()).intervals
            texts = ["1d"] if self.style == "days" else [f"{interval // SECOND}s" for interval in own]
            body["interval"] = pick([*texts, *(["2h", "1h"] if self.style in {"hours", "mixed"} else [])])
        if chance() < 0.2:
            body["valid_from"] = show(time + pick([1, 5]) * HOUR)
        return "registry", body

    def region(self, time: int) -> tuple[str, dict[str, Any]]:
        chance, pick = self.random.random, self.random.choice
        body: dict[str, Any] = {"region": pick(REGIONS), "capacity_kw": 100, "as_of": show(time)}
        if chance() < 0.7:
            body["timezone"] = pick(ZONES)
        if chance() < 0.7:
            days = range(max(1, (self.ends - self.start) // DAY + 1))
            body["holidays"] = [show(self.start + pick(days) * DAY)[:10] for _ in range(pick([1, 2, 8]))]
        return "region", body

    def outage(self, time: int) -> tuple[str, dict[str, Any]]:
        pick = self.random.choice
        scope = pick(["meter", "region"])
        span = (self.ends - self.start) // pick([3, 10, 30]) + MINUTE
        start = time + pick([-1, 0, 1]) * span // 2
        return "outage", {
            "outage_id": pick(["o1", "o2"]), "scope": scope, "as_of": show(time),
            "target": pick(meter_ids(self.partition, 3) if scope == "meter" else REGIONS),
            "from": show(start), "until": show(start + span),
        }  # fmt: skip

    # -- records --------------------------------------------------------------------------------------------

    def make(self) -> list[Record]:
        sent = sorted(self.plan(), key=lambda one: one[0])
        events: list[tuple[int, str | None, bytes]] = []
        for time, body in sent:
            value = json.dumps({**body, "timestamp": show(body["timestamp"])})
            events.append((time, None, value.encode()))
        events += [(time, kind, json.dumps(body).encode()) for time, kind, body in self.controls()]
        events += [(time, "tick", show(time).encode()) for time in self.ticks()]
        events.sort(key=lambda one: one[0])
        for offset, (time, kind, value) in enumerate(events):
            control = None if kind == "tick" else kind
            self.records.append(Record(offset, time, value, kind == "tick", control=control))
        return self.records

    def ticks(self) -> list[int]:
        """Some among the readings; then the log is over, for longer than a silence now and then."""
        pick, span = self.random.choice, self.ends - self.start
        found = [self.start + self.random.randrange(span + 1) for _ in range(pick([0, 3, 12]))]
        end = self.ends + MINUTE
        for wait in pick([[HOUR], [DAY, 2 * HOUR], [HOUR, 23 * HOUR, 5 * DAY], [HOUR, 5 * DAY, 40 * DAY]]):
            end += wait
            found.append(end)
        return found
