"""Random logs with control records: the usual meters, or meters of days and months, and a registry that says
everything about them in every order.

Everything comes from one seed.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.model.logs import PARTITIONS, LogMaker, Parameters, meter_ids
from tests.model.oddities import GARBAGE
from tests.model.stamps import DAY, EPOCH, HOUR, MINUTE, SECOND, micros_of, show
from tests.model.wire import Record

ZONES = ("Europe/Berlin", "Europe/Berlin", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "UTC")
STATUSES = ("active",) * 5 + ("installed", "suspended", "suspended", "removed", "removed", "planned")
OUT = ("removed", "removed", "planned")
PLACES = {"region": ("north", "south"), "feeder": ("f1", "f2"), "transformer": ("t1", "t2")}
BAD_READING: tuple[dict[str, Any], ...] = (
    {"interval": "soon"}, {"interval": "33d"}, {"interval": "0s"}, {"interval": 30}, {"interval": "1.5s"},
    {"interval": ""}, {"timezone": "Mars/Olympus"}, {"timezone": ""}, {"interval": "-5m"},
    {"interval": "2mo"}, {"interval": "1d", "timezone": 7}, {"timezone": "../UTC"},
)  # fmt: skip
ODD_READING: tuple[dict[str, Any], ...] = (
    {"timezone": "Asia/Tokyo"}, {"interval": "90"}, {"interval": "0.5h"},
    {"interval": None, "timezone": None},
    {"interval": "60s", "interval_minutes": 30, "timezone": "UTC"}, {"interval": "15 M"},
)  # fmt: skip
BAD_REGISTRY: tuple[dict[str, Any], ...] = (
    {"meter_id": None}, {"meter_id": ""}, {"meter_id": 7}, {"meter_id": "x\ty"}, {"version": None},
    {"version": 0}, {"version": "1"}, {"version": True}, {"version": -3}, {"version": 1.5}, {"status": None},
    {"status": "gone"}, {"status": 3}, {"flow": "heat"}, {"installed_at": "yesterday"}, {"removed_at": 7},
    {"valid_from": "2024-01-01T10:00:00"}, {"as_of": "2024-02-30T10:00:00Z"}, {"as_of": ""},
    {"interval": "soon"}, {"interval": "33d"}, {"interval": "0s"}, {"interval": 900}, {"interval": "2mo"},
    {"timezone": "Mars/Olympus"}, {"timezone": 5}, {"anchor": "middle"}, {"grace": "0s"}, {"grace": "33d"},
    {"grace": 60}, {"grace": "soon"}, {"energy_mode": "heat"}, {"region": ""}, {"region": "x" * 257},
    {"region": 5}, {"feeder": []}, {"transformer": {}}, {"max_kw": 0}, {"max_kw": "5"}, {"max_kw": -1},
    {"max_kw": True}, {"max_kw": float("nan")}, {"fuse_amps": 0}, {"register_digits": 2},
    {"register_digits": 13}, {"register_digits": "5"}, {"customer_class": ""}, {"customer_class": 9},
    {"installed_at": "2024-01-02T00:00:00Z", "removed_at": "2024-01-01T00:00:00Z"},
    {"installed_at": "2024-01-02T00:00:00Z", "removed_at": "2024-01-02T00:00:00+00:00"},
    {"status": "gone", "interval": "soon", "timezone": "x", "version": 0, "flow": "heat"},
)  # fmt: skip
BAD_REGION: tuple[dict[str, Any], ...] = (
    {"region": None}, {"region": ""}, {"version": None}, {"version": 0}, {"capacity_kw": None},
    {"capacity_kw": 0}, {"capacity_kw": "5"}, {"base_price_per_kwh": -1}, {"currency": "EURO"},
    {"currency": 5}, {"timezone": "x"}, {"holidays": "2024-01-01"}, {"holidays": ["2024-02-30"]},
    {"holidays": [5]}, {"valid_from": "soon"}, {"as_of": 5},
)  # fmt: skip
BAD_OUTAGE: tuple[dict[str, Any], ...] = (
    {"outage_id": None}, {"outage_id": ""}, {"version": None}, {"version": 0}, {"scope": None},
    {"scope": "street"}, {"target": None}, {"target": 5}, {"from": None}, {"until": None}, {"from": "soon"},
    {"until": "2020-01-01T00:00:00Z"}, {"why": 5}, {"why": "x" * 1001}, {"cancelled": "yes"},
    {"as_of": "soon"},
)  # fmt: skip
BAD = {"registry": BAD_REGISTRY, "region": BAD_REGION, "outage": BAD_OUTAGE}


class ControlledLogMaker(LogMaker):
    """One random log with control records, and with meters of days if `days`."""

    days: bool | None = None

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.days = self.random.random() < 0.35
        if self.days:
            self.seconds = 0.0
        self.policy = self.parameters()
        self.scripted: list[tuple[int, str, str]] = []  # time, meter, status
        self.control_versions: dict[str, int] = {}

    def parameters(self) -> Parameters:
        pick = self.random.choice
        usual = super().parameters()
        if self.days is None:
            return usual
        if not self.seconds and usual.default_interval < MINUTE:
            usual = dataclasses.replace(usual, default_interval=5 * MINUTE)  # the model looks at every slot
        fields = {name: getattr(usual, name) for name in usual.__dataclass_fields__}
        fields |= {
            "anchor": pick(["start", "start", "end"]),
            "flow": pick(["smartmeter", "smartmeter", "smartmeter", "daily"]),
            "never_heard_after": pick([5, 10, 30] if self.seconds else [10, 45, 120, 300]) * MINUTE,
        }
        if self.days:
            fields |= {
                "timezone": pick(["UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York"]),
                "default_interval": pick([6, 12, 24, 48]) * HOUR,
                "grace": pick([1, 3, 8, 30]) * HOUR,
                "allowed_lateness": pick([1, 6, 24, 72]) * HOUR,
                "state_ttl": pick([3, 8, 50]) * DAY,
                "max_watermark_jump": pick([30, 60, 2000]) * HOUR,
                "gap_memory": pick([1, 3, 20]) * DAY,
                "metrics_window": pick([1, 24]) * HOUR,
                "never_heard_after": pick([24, 36, 100]) * HOUR,
            }
        return Parameters(**fields)

    # -- readings -------------------------------------------------------------------------------------------

    def plan(self) -> list[tuple[int, dict[str, Any]]]:
        sent = self.daily_plan() if self.days else super().plan()
        for name in sorted({body["meter_id"] for _, body in sent}):
            story = self.random.choice([None, None, "late birth", "removed in a gap", "suspended"])
            if story is not None:
                sent = self.told(story, name, sent)
        return sent

    def told(
        self, story: str, name: str, sent: list[tuple[int, dict[str, Any]]]
    ) -> list[tuple[int, dict[str, Any]]]:
        """The same without the readings of a part of the meter's life, and what the registry says of it."""
        pick = self.random.choice
        times = [time for time, body in sent if body["meter_id"] == name]
        low, high = min(times), max(times)
        first = low if story == "late birth" else low + (high - low) * pick([1, 2, 3]) // 6
        until = first + (high - low) * pick([1, 2, 3]) // 5
        if story == "late birth":
            self.scripted.append((low, name, pick(["active", "installed"])))
        else:
            middle = first + (until - first) * pick([0, 1, 3, 4]) // 5
            self.scripted.append((middle, name, "suspended" if story == "suspended" else pick(OUT)))
            if pick([True, False]):
                later = until + pick([-1, 0, 1]) * (high - low) // 20
                self.scripted.append((max(later, middle), name, "active"))
        return [(time, body) for time, body in sent if body["meter_id"] != name or not first <= time < until]

    def daily_plan(self) -> list[tuple[int, dict[str, Any]]]:
        sent: list[tuple[int, dict[str, Any]]] = []
        self.now -= self.random.choice([0, 3, 8]) * DAY
        span = self.random.choice([4, 12, 20]) * DAY
        for name in meter_ids(self.partition, self.random.randrange(1, 4)):
            sent += self.daily_life(name, span)
        return sent

    def daily_life(self, name: str, span: int) -> list[tuple[int, dict[str, Any]]]:
        """A meter that measures at one local time of every day, or of the first of every month."""
        chance, pick = self.random.random, self.random.choice
        unit = pick(["1d", "1d", "1d", "1mo"])
        zone = self.policy.timezone if chance() < 0.6 else pick(ZONES)
        hour, minute = pick([(0, 0), (0, 0), (0, 0), (0, 2), (2, 30), (10, 30), (23, 58)])
        given = chance() < 0.4
        utc = chance() < 0.15  # goes by days of 24 hours
        gaps, late, jitter = (pick([0.0, 0.1, 0.3]) for _ in range(3))
        register, kind = 12.5, pick(["energy", "energy", "register", "power", "mixed"])
        region = pick([None, "north", "south"])
        span = span if unit == "1d" else 200 * DAY
        day = (EPOCH + timedelta(microseconds=self.now)).replace(tzinfo=None, hour=0, minute=0, second=0)
        first, sent = day, []
        while day < first + timedelta(microseconds=span):
            local = day.replace(hour=hour, minute=minute, microsecond=0)
            stamp = micros_of(local.replace(tzinfo=ZoneInfo("UTC" if utc else zone)))
            if chance() < jitter:
                stamp += pick(
                    [-6 * MINUTE, -5 * MINUTE, -MINUTE, -20 * SECOND, 10 * SECOND, 5 * MINUTE, 4 * HOUR]
                )
            body: dict[str, Any] = {"meter_id": name, "timestamp": stamp, "consumption_kwh": self.kwh()}
            if given and chance() < 0.8:
                body |= {"interval": unit} if chance() < 0.2 else {"interval": unit, "timezone": zone}
            register = self.moved(register)
            self.measure(body, kind, register, DAY)
            if region and chance() < 0.8:
                body["region"] = region
            delay = pick([MINUTE, HOUR, 5 * HOUR, 30 * HOUR, 100 * HOUR]) if chance() < late else 0
            if chance() >= gaps:
                sent += [(stamp + delay, body), *self.again(stamp + delay, body)]
            if unit == "1mo":
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            else:
                day += timedelta(days=1 if chance() > 0.02 else pick([2, 5]))
        return sent

    def given(self, interval: int) -> dict[str, Any]:
        if self.random.random() < 0.5:
            return super().given(interval)
        text = {"interval": f"{interval // SECOND}s"}
        return text if self.random.random() < 0.7 else {**text, "interval_seconds": 60}

    def worded(self, body: dict[str, Any]) -> dict[str, Any]:
        fields = super().worded(body)
        if self.random.random() < 0.01:
            fields |= self.random.choice(BAD_READING)
        if self.random.random() < 0.01:
            fields |= self.random.choice(ODD_READING)
        return fields

    # -- control records ------------------------------------------------------------------------------------

    def make(self) -> list[Record]:
        records = super().make()
        if not records:
            return records
        start, end = records[0].timestamp, records[-1].timestamp
        end = min(end, start + (200 * DAY if self.days else 2 * DAY))
        made = self.controls(start, end)
        for time, kind, body in made:
            at = sum(record.timestamp <= time for record in records)
            stamp = max(time, records[at - 1].timestamp) if at else time
            value = self.control_value(kind, body, stamp)
            version = b"1" if self.random.random() < 0.99 else self.random.choice([b"2", b"", b"\xff"])
            replayed = self.random.random() < 0.1
            records.insert(at, Record(0, stamp, value, replayed=replayed, control=kind, version=version))
        for _ in range(self.random.randrange(0, 5)):
            later = [1, 5, 20] if self.seconds else [1, 60, 300, 900]
            last = records[-1].timestamp
            instant = last + self.random.choice(later) * (24 if self.days else 1) * MINUTE
            end_of_run = self.end_of_run(instant)
            records.append(Record(0, instant, show(instant).encode(), tick=True, end=end_of_run))
            if self.random.random() < 0.4:
                kind, name = self.whom()
                body = self.body(kind, name, instant)
                records.append(Record(0, instant, self.control_value(kind, body, instant), control=kind))
        offset, numbered = 0, []
        for record in records:
            numbered.append(record._replace(offset=offset))
            offset += self.random.choice([1, 1, 1, 2])
        return numbered

    def control_value(self, kind: str, body: dict[str, Any], stamp: int) -> bytes | None:
        pick = self.random.random()
        if pick < 0.01:
            value = self.random.choice(GARBAGE)
            return None if value is None else value
        if pick < 0.012:
            return b" " * self.policy.max_record_bytes + b"{}"
        if pick < 0.09:
            body = {**body, **self.random.choice(BAD[kind])}
        if pick > 0.97:
            body = {**body, "as_of": show(stamp + self.policy.max_future_skew + self.random.choice([0, 1]))}
        if kind == "registry" and pick > 0.99:
            body = {**body, "meter_id": meter_ids((self.partition + 1) % PARTITIONS, 1)[0]}
        return json.dumps(body).encode()

    def whom(self) -> tuple[str, str]:
        kind = self.random.choice(["registry"] * 6 + ["outage"] * 3 + ["region"])
        return kind, self.random.choice(meter_ids(self.partition, 6))

    def controls(self, start: int, end: int) -> list[tuple[int, str, dict[str, Any]]]:
        """Control records with their times, of every kind: also for meters that do not deliver."""
        pick = self.random.choice
        made: list[tuple[int, str, str, str | None]] = []
        for _ in range(pick([1, 3, 8, 20])):
            kind, name = self.whom()
            time = self.random.randrange(start, end + 1) if self.random.random() < 0.7 else start
            made.append((time - pick([0, 0, 1, HOUR]), kind, name, None))
        made += [(time, "registry", name, status) for time, name, status in self.scripted]
        made.sort(key=lambda one: one[0])
        found = []
        for time, kind, name, status in made:
            body = self.body(kind, name, time)
            if status is not None:
                body["status"] = status
            found.append((time, kind, body))
            if self.random.random() < 0.1:
                found.append((time + pick([0, MINUTE, HOUR]), kind, body))
        return found

    def version_of(self, name: str) -> int:
        """Ascending most of the time."""
        version = self.control_versions.get(name, 0) + self.random.choice([1, 1, 1, 1, 1, 2, 0, -1])
        self.control_versions[name] = max(version, self.control_versions.get(name, 0))
        return max(1, version)

    def around(self, time: int) -> str:
        pick = self.random.choice
        away = pick([0, 0, 1, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, HOUR, 5 * HOUR])
        away = away * pick([1, 12]) if self.days else min(away, 20 * MINUTE) if self.seconds else away
        text = show(time + pick([-1, 1]) * away)
        return text[:-1] + "+00:00" if self.random.random() < 0.05 else text

    def as_of(self, time: int) -> dict[str, str]:
        chance, pick = self.random.random(), self.random.choice
        if chance < 0.3:
            return {}
        if chance < 0.9:
            return {"as_of": show(time - pick([0, 0, SECOND, MINUTE, HOUR, 5 * HOUR]))}
        return {"as_of": show(time + pick([SECOND, self.policy.max_future_skew]))}

    def body(self, kind: str, name: str, time: int) -> dict[str, Any]:
        if kind == "registry":
            return self.registry(name, time)
        return self.region(time) if kind == "region" else self.outage(name, time)

    def registry(self, name: str, time: int) -> dict[str, Any]:
        chance, pick = self.random.random, self.random.choice
        body: dict[str, Any] = {"meter_id": name, "version": self.version_of(name), "status": pick(STATUSES)}
        body |= self.as_of(time)
        often = {"valid_from": 0.45, "installed_at": 0.25, "removed_at": 0.04}
        if body["status"] == "removed":
            often["removed_at"] = 0.5
        body |= {key: self.around(time) for key, share in often.items() if chance() < share}
        if chance() < 0.4:
            body["interval"] = pick(self.intervals())
            if chance() < 0.5:
                body["timezone"] = pick(ZONES)
        if chance() < 0.25:
            short = ["10s", "45s", "1m", "2m"]
            body["grace"] = pick(
                short if self.seconds else ["1h", "5h", "2d"] if self.days else ["1m", "20m", "2h"]
            )
        for key, values in PLACES.items():
            if chance() < 0.4:
                body[key] = pick(values)
        if chance() < 0.25:
            body["anchor"] = pick(["start", "end"])
        if chance() < 0.25:
            body["energy_mode"] = pick(["interval", "register", "power"])
        if chance() < 0.15:
            body["max_kw"] = pick([0.5, 4.5, 40])
        if chance() < 0.15:
            body["register_digits"] = pick([3, 5])
        if chance() < 0.1:
            body |= {"fuse_amps": 35, "customer_class": "home", "flow": self.policy.flow, "more": [1]}
        return body

    def intervals(self) -> list[str]:
        if self.days:
            return ["1d", "1d", "1d", "1mo", "24h", "12h"]
        if self.seconds:
            return ["1s", "5s", "10s", "10s", "30s", "1m", "90s", "15m"]
        return ["5m", "10m", "15m", "30m", "30m", "1h", "2h", "1d", "3600"]

    def region(self, time: int) -> dict[str, Any]:
        pick = self.random.choice
        name = pick(["north", "south"])
        body = {"region": name, "version": self.version_of(name), "capacity_kw": pick([1, 250.5])}
        if self.random.random() < 0.5:
            body |= {"base_price_per_kwh": 0.25, "currency": "EUR", "timezone": "Europe/Berlin"}
            body |= {"holidays": ["2024-01-01"], "valid_from": self.around(time)}
        return {**body, **self.as_of(time)}

    def outage(self, name: str, time: int) -> dict[str, Any]:
        pick = self.random.choice
        outage_id, scope = f"o{pick([1, 2, 3])}", pick(["meter", "meter", "region", "feeder", "transformer"])
        start = time + pick([-1, 0, 1]) * pick([MINUTE, HOUR, 5 * HOUR])
        spans = [MINUTE, 10 * MINUTE] if self.seconds else [20 * MINUTE, 2 * HOUR, 8 * HOUR]
        spans = [DAY, 5 * DAY] if self.days else spans
        body = {
            "outage_id": outage_id, "version": self.version_of(outage_id), "scope": scope,
            "target": name if scope == "meter" else pick(PLACES[scope]),
            "from": show(start), "until": show(start + pick(spans) * pick([1, 1, 3])),
        }  # fmt: skip
        if self.random.random() < 0.2:
            body["cancelled"] = pick([True, True, False])
        if self.random.random() < 0.1:
            body["why"] = pick(["x" * 1000, "new transformer"])
        return {**body, **self.as_of(time)}
