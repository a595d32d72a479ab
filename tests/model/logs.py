"""Random raw partitions: a few meters that do everything wrong, and a policy small enough to matter.

Everything comes from one seed.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.model.judging import partition_of
from tests.model.oddities import GARBAGE, WRONG, worded
from tests.model.stamps import DAY, EPOCH, HOUR, MINUTE, QUARTER, SECOND, parse, show
from tests.model.wire import Record

# Two of them run into a change of Berlin's clocks.
STARTS = [
    parse(f"{day}Z", "UTC")[0]
    for day in ("2024-01-01T10:00", "2024-02-28T10:00", "2024-03-30T21:00", "2024-10-26T19:00")
]
PARTITIONS = 6
LOCAL = ("2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-01-02 03:04", "2024-01-01T11:00:00.5")
MEASURED = ("consumption_kwh", "energy_kwh", "energy_register_kwh", "total_energy_kwh", "power_kw")
MISCHIEF = (
    "garbage", "wrong", "fast", "far", "far", "tick", "tick", "bad tick", "elsewhere", "local", "huge",
    "odd", "odd",
)  # fmt: skip


@dataclass(frozen=True)
class Parameters:
    """The settings of the contract that decide anything here, in microseconds."""

    partitions: int = PARTITIONS
    default_interval: int = 30 * MINUTE
    grace: int = 15 * MINUTE
    max_out_of_orderness: int = 10 * SECOND
    allowed_lateness: int = HOUR
    state_ttl: int = 7 * DAY
    max_future_skew: int = 5 * MINUTE
    max_watermark_jump: int = DAY
    gap_memory: int = DAY
    metrics_window: int = 5 * MINUTE
    timezone: str = "UTC"
    anchor: str = "start"
    never_heard_after: int = DAY
    flow: str = "smartmeter"
    windows: tuple[int, ...] = ()
    regional: bool = False
    judges: bool = False
    judged_window: int | None = QUARTER
    nominal_voltage: float = 230.0
    nominal_frequency: float = 50.0
    max_kwh: float = 1000.0
    max_meter_id_bytes: int = 128
    max_record_bytes: int = 1_000_000
    max_remembered_gaps: int = 32
    max_held: int = 64
    max_power_kw: float = 1000.0
    max_register_kwh: float = 1e9
    register_digits: int | None = None
    hot_readings: int = 12
    block_readings: int = 64

    def grace_of(self, interval: int) -> int:
        return self.grace if interval >= MINUTE else max(3 * interval, 30 * SECOND)


def meter_ids(partition: int, count: int) -> list[str]:
    """The first ids of the form METER_0001 that belong to the partition."""
    names = (f"METER_{number:04d}" for number in range(1, 100 * count))
    return [name for name in names if partition_of(name, PARTITIONS) == partition][:count]


class LogMaker:
    """One random log: the policy, then its records."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.partition = self.random.randrange(PARTITIONS)
        self.seconds = self.random.choice([0.0, 0.0, 0.5, 0.9])  # the share of intervals below a minute
        self.policy = self.parameters() if self.seconds or self.random.random() < 0.6 else Parameters()
        self.records: list[Record] = []
        self.now = self.random.choice(STARTS)
        self.most = 120  # readings of one meter: the model is slow

    def parameters(self) -> Parameters:
        pick = self.random.choice
        return Parameters(
            default_interval=pick([10, 300, 900, 1800, 3600]) * SECOND,
            grace=pick([1, 5, 15, 70]) * MINUTE,
            max_out_of_orderness=pick([1, 10, 300]) * SECOND,
            allowed_lateness=pick([1, 5, 15] if self.seconds else [5, 20, 60, 300]) * MINUTE,
            # The model looks at every slot: not too many of a second each.
            state_ttl=pick([20, 60] if self.seconds else [360, 720, 2880]) * MINUTE,
            max_future_skew=pick([1, 5, 60]) * MINUTE,
            max_watermark_jump=pick([1, 3, 3 if self.seconds else 24]) * HOUR,
            gap_memory=pick([1, 3, 24]) * HOUR,
            metrics_window=pick([1, 5, 15] if self.seconds else [5, 15, 60]) * MINUTE,
            timezone=pick(["UTC", "UTC", "Europe/Berlin"]),
            max_remembered_gaps=32,
            max_held=64,
            max_power_kw=pick([4.0, 40.0, 1000.0]),
            register_digits=pick([None, None, 3, 5]),
            hot_readings=pick([4, 8, 20]),
            block_readings=pick([3, 10, 64]),
        )

    # -- meters ---------------------------------------------------------------------------------------------

    def plan(self) -> list[tuple[int, dict[str, Any]]]:
        """What the meters of this log measure, with the time at which each reading sets out."""
        sent: list[tuple[int, dict[str, Any]]] = []
        span = self.random.choice([20, 60] if self.seconds else [180, 480, 1200]) * MINUTE
        for name in meter_ids(self.partition, self.random.randrange(1, 5)):
            sent += self.life(name, span)
        return sent

    def life(self, name: str, span: int) -> list[tuple[int, dict[str, Any]]]:
        chance = self.random.random
        interval = self.interval()
        gaps, late, jitter = (self.random.choice([0.0, 0.1, 0.4]) for _ in range(3))
        given = chance() < (0.2 if interval >= MINUTE else 0.4)
        region = self.random.choice([None, "north", "south"])
        kind = self.random.choice(["energy", "energy", "energy", "alias", "register", "power", "mixed"])
        register = self.random.choice([0.0, 12.5, 995.25])
        at = self.now + self.random.randrange(0, 40) * MINUTE
        sent: list[tuple[int, dict[str, Any]]] = []
        while at < self.now + span and len(sent) < self.most:
            wide = min(400 * SECOND, interval)
            stamp = at + (self.random.randrange(-wide, wide) if chance() < jitter else 0)
            stamp -= stamp % (SECOND if chance() < 0.9 else 1000)
            body: dict[str, Any] = {"meter_id": name, "timestamp": stamp, "consumption_kwh": self.kwh()}
            if given and chance() < 0.7:
                body.update(self.given(interval))
            register = self.moved(register)
            self.measure(body, kind, register, interval)
            if region and chance() < 0.8:
                body["region"] = region
            delay = self.random.choice([1, 5, 20, 50, 70, 120, 400]) * MINUTE if chance() < late else 0
            if interval < MINUTE and chance() < 0.6:
                delay = min(delay, 10 * interval)
            arrival = max(stamp, at) + delay + self.random.randrange(3) * SECOND
            if chance() >= gaps:
                sent += [(arrival, body), *self.again(arrival, body)]
            at += interval
            if chance() < (0.03 if interval >= MINUTE else 0.005):
                interval = self.interval()
            elif chance() < 0.03:
                at += self.random.randrange(1, 30) * min(interval, MINUTE)
            elif chance() < 0.01:
                at += self.random.choice([3, 10, 60]) * (20 * SECOND if self.seconds else HOUR)
        return sent

    def interval(self) -> int:
        if self.random.random() < self.seconds:
            return self.random.choice([1, 2, 5, 10, 10, 10, 15, 30, 59, 60, 90]) * SECOND
        return self.random.choice([5, 10, 15, 20, 30, 30, 30, 45, 60, 60, 90, 120]) * MINUTE

    def given(self, interval: int) -> dict[str, Any]:
        """The interval as a meter gives it, now and then in both units, where seconds win."""
        minutes = {"interval_minutes": interval // MINUTE if interval % MINUTE == 0 else interval / MINUTE}
        seconds = {"interval_seconds": interval // SECOND}
        pick = self.random.random()
        if pick < 0.4:
            return minutes
        return seconds if pick < 0.9 else {**seconds, "interval_minutes": self.random.choice([1, 0.5, 30])}

    def again(self, arrival: int, body: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
        """A reading's duplicate, revision or close neighbour, now and then."""
        roll = self.random.random()
        later = arrival + self.random.choice([0, 0, 1, 10, 50, 90]) * MINUTE
        if roll < 0.04:
            return [(later, dict(body))]
        if roll < 0.08:
            names = [name for name in MEASURED if name in body]
            return [(later, {**body, self.random.choice(names): self.kwh()})]
        if roll < 0.12:
            near = body["timestamp"] + self.random.choice([-90, -1, 1, 30, 200]) * SECOND
            return [(later, {**body, "timestamp": near})]
        return []

    def moved(self, register: float) -> float:
        """A register after one interval: most of the time it rises by a little."""
        pick = self.random.random()
        if pick < 0.9:
            return register + self.random.choice([0, 0.001, 0.25, 0.5, 2])
        falls = [register - 0.125, register * 0.995, register / 3, 0.002, 0.5, 1]
        return max(0.0, self.random.choice([*falls, register + 50, register + 900]))

    def measure(self, body: dict[str, Any], kind: str, register: float, interval: int) -> None:
        """What a meter of this kind sends in place of its consumption."""
        pick = self.random.choice
        if self.random.random() < 0.2:
            body["power_kw"] = pick([0, 0.5, 3, body["consumption_kwh"] * HOUR / interval])
        if kind == "energy" or (kind == "mixed" and self.random.random() < 0.3):
            return
        kwh = body.pop("consumption_kwh")
        if kind == "alias":
            body["energy_kwh"] = kwh
        elif kind == "power" or (kind == "mixed" and self.random.random() < 0.4):
            body["power_kw"] = pick([0, 0.5, 1.5, 3.5])
        else:
            body[pick(["energy_register_kwh", "total_energy_kwh"])] = round(register, 3)

    def kwh(self) -> float:
        return self.random.choice([0, 0.5, 1, 1.25, 2.5, 3.75])

    # -- records --------------------------------------------------------------------------------------------

    def make(self) -> list[Record]:
        sent = sorted(self.plan(), key=lambda one: one[0])
        trouble = self.random.choice([0.0, 0.03, 0.15])
        while sent:
            many = self.random.randrange(1, 5) if self.random.random() < 0.1 else 1
            group, sent = sent[:many], sent[many:]
            time = group[-1][0]
            if self.random.random() < trouble:
                self.mischief(time, group[0][1])
            bodies = [self.worded(body) for _, body in group]
            self.add(time, json.dumps(bodies if many > 1 else bodies[0]).encode())
        if self.records and self.random.random() < 0.5:
            later = [1, 20, 60] if self.seconds else [1, 60, 600, 20000]
            end = self.records[-1].timestamp + self.random.choice(later) * MINUTE
            self.add(end, show(end).encode(), tick=True, end=self.end_of_run(end))
        return self.records

    def end_of_run(self, instant: int) -> bytes | None:
        """The end of a replay that a tick settles, now and then; once in a while none that can be read."""
        pick = self.random.random()
        if pick < 0.6:
            return None
        ago = self.random.choice([0, 10 * SECOND, 15 * MINUTE, HOUR, -HOUR])
        return show(instant - ago).encode() if pick < 0.97 else self.random.choice([b"", b"then", b"\xff"])

    def add(self, time: int, value: bytes | None, tick: bool = False, end: bytes | None = None) -> None:
        offset = self.records[-1].offset + self.random.choice([1, 1, 1, 2]) if self.records else 0
        last = self.records[-1].timestamp if self.records else 0
        replayed = self.random.random() < 0.1
        self.records.append(Record(offset, max(time, last), value, tick, replayed, end))

    def worded(self, body: dict[str, Any]) -> dict[str, Any]:
        """The reading on the wire; one element in a while goes wrong, or says its time in another way."""
        fields = {**body, "timestamp": self.stamp(body["timestamp"])}
        if self.random.random() < 0.01:
            name, value = self.random.choice(WRONG)
            fields[name] = value
        if self.random.random() < 0.01:
            del fields[self.random.choice(list(fields))]
        if self.random.random() < 0.02:
            more: list[dict[str, Any]] = [
                {"voltage": 230.5, "frequency": 50},
                {"extra": [1]},
                {"sent_at": "now"},
            ]
            fields.update(self.random.choice(more))
        return fields

    def stamp(self, micros: int) -> str:
        """An instant in words, in local time now and then: two in one hour of the year, none in another."""
        text = show(micros)
        if self.policy.timezone != "UTC" and self.random.random() < 0.5:
            moment = EPOCH + timedelta(microseconds=micros)
            local = moment.astimezone(ZoneInfo(self.policy.timezone)).isoformat()
            return local if self.random.random() < 0.2 else local[:-6]
        if self.policy.timezone == "UTC" and self.random.random() < 0.05:
            return self.random.choice([text[:-1], text[:-1].replace("T", " "), text[:-1] + "+00:00"])
        return text

    def mischief(self, time: int, body: dict[str, Any]) -> None:
        pick = self.random.choice
        what = pick(MISCHIEF)
        if what == "garbage":
            self.add(time, pick(GARBAGE))
        elif what == "wrong":
            name, value = pick(WRONG)
            text = json.dumps({**self.worded(body), name: value})
            self.add(time, text.replace("Infinity", pick(["Infinity", "1e999"])).encode())
        elif what == "fast":
            ahead = pick([30 * SECOND, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 2 * HOUR])
            self.add(time, json.dumps({**body, "timestamp": show(time + ahead)}).encode())
        elif what == "far":
            self.far(time, body)
        elif what == "tick":
            ago = pick([0, 10 * SECOND, MINUTE, HOUR, -MINUTE, -4 * MINUTE])
            self.add(time, show(time - ago).encode(), tick=True, end=self.end_of_run(time - ago))
        elif what == "bad tick":
            early = show(time + 3 * HOUR).encode()
            bad = (None, b"", b"soon", b"\xff", b'"2024-01-01T10:00:00Z"', b"2024-13-01", early)
            self.add(time, pick(bad), tick=True)
        elif what == "elsewhere":
            other = meter_ids((self.partition + 1) % PARTITIONS, 1)[0]
            self.add(time, json.dumps({**self.worded(body), "meter_id": other}).encode())
        elif what == "local":
            text = pick(LOCAL)
            self.add(time, json.dumps({**body, "timestamp": text}).encode())
        elif what == "odd":
            self.add(time, worded(self.random, self.worded(body)))
        else:
            self.add(time, b" " * self.policy.max_record_bytes + b"{}")

    def far(self, time: int, body: dict[str, Any]) -> None:
        """Some readings from far ahead, of one meter or of several: the log's clock jumps with them."""
        names = meter_ids(self.partition, 5)
        base = time + self.policy.max_watermark_jump
        mine = self.random.sample(names, self.random.randrange(1, 3))
        for number in range(self.random.choice([1, 2, 3, 70]) if self.random.random() < 0.2 else 2):
            stamp = base + self.random.choice([-10, 0, 1, 20, 90, number]) * MINUTE
            reading = {**body, "meter_id": self.random.choice(mine), "timestamp": show(stamp)}
            self.add(stamp, json.dumps(reading).encode())
