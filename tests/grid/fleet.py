"""The input of a run: meters, what goes wrong with them, and what the registry says. From one seed.

Half of all meters report every 10 s and are registered. Others are of a minute, a quarter, half an hour and
an hour, have a register, stamp the end of the interval, or are known by their readings alone; some report by
the day and take no part. Readings come late, too late, twice, revised, beside their slot, or not at all. One
of forty that take part changes its region in the middle, one region gets another capacity, and one feeder is
planned to be out for a while. With a storm, many meters of the largest region are silent together.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from gridwatch.topics import (
    END_HEADER,
    OUTAGE_HEADER,
    REGION_HEADER,
    REGISTRY_HEADER,
    REPLAY_HEADER,
    TICK_HEADER,
)
from tests.grid.numbers import HOUR, MINUTE, QUARTER, SECOND, down, instant, text_of
from tests.model.judging import partition_of
from tests.records import PARTITIONS, Raw

START = instant("2026-03-02T06:00:00Z")
#: The second one is three times as large as the others, and has the storm.
REGIONS = ("R0", "R1", "R1", "R1", "R2", "R3", "R4", "R5", "R6", "R7")
STORM = "R1"
#: Gets another capacity in the middle.
RATED = "R2"
_OUT_OF_ORDERNESS = 10 * SECOND
_LATENESS = HOUR
_FEEDERS, _TRANSFORMERS = 2, 3
_VERSION = b"1"


class Kind(NamedTuple):
    """A kind of meter. `interval` in seconds."""

    name: str
    weight: int
    interval: int
    registered: bool = True
    register: bool = False
    anchor: str | None = None
    given: bool = False
    measured: bool = False


KINDS = (
    Kind("plain", 30, 10),
    Kind("measured", 12, 10, measured=True),
    Kind("register", 10, 10, register=True),
    Kind("ends", 5, 10, anchor="end"),
    Kind("unregistered", 8, 10, registered=False, given=True, measured=True),
    Kind("minute", 9, 60),
    Kind("quarter", 7, 900),
    Kind("half", 6, 1800),
    Kind("half ends", 2, 1800, anchor="end"),
    Kind("half unregistered", 4, 1800, registered=False),
    Kind("hour", 4, 3600),
    Kind("day", 3, 86_400),
)


class Meter(NamedTuple):
    """One meter, and where it hangs."""

    name: str
    kind: Kind
    region: str
    feeder: str
    transformer: str


class _Sent(NamedTuple):
    arrival: int
    meter: str
    body: dict[str, Any]
    header: str | None = None


@dataclass(frozen=True)
class Fleet:
    """What to make: so many meters over so many minutes, so many of them silent at once (`storm`)."""

    meters: int
    minutes: int
    seed: int = 1
    storm: int = 0

    @property
    def end(self) -> int:
        """When the run ends."""
        return START + self.minutes * MINUTE

    @property
    def last(self) -> int:
        """The last event time."""
        return self.end - 10 * SECOND

    @property
    def storm_at(self) -> int:
        """When the storm begins."""
        return START + down(self.minutes * MINUTE // 3, MINUTE)

    def all_meters(self) -> list[Meter]:
        """Every meter."""
        chance = random.Random(f"fleet {self.seed}")
        kinds = chance.choices(KINDS, [kind.weight for kind in KINDS], k=self.meters)
        found = []
        for number, kind in enumerate(kinds):
            region = REGIONS[number % len(REGIONS)]
            feeder = f"{region}-F{chance.randrange(_FEEDERS)}"
            transformer = f"{feeder}-T{chance.randrange(_TRANSFORMERS)}"
            found.append(Meter(f"G{number:05d}", kind, region, feeder, transformer))
        return found

    def silent(self) -> dict[str, tuple[int, int]]:
        """The meters of the storm, and when each is silent: from within ten minutes on, until all is over."""
        chance = random.Random(f"storm {self.seed}")
        of_region = [m for m in self.all_meters() if m.region == STORM and m.kind.interval == 10]
        chosen = of_region[: self.storm]
        assert len(chosen) == self.storm, f"{len(of_region)} meters of 10 s are there"
        back = self.storm_at + 14 * MINUTE
        return {
            one.name: (self.storm_at + chance.randrange(10 * MINUTE), back + chance.randrange(2 * MINUTE))
            for one in chosen
        }

    def records(self) -> Iterator[Raw]:
        """All records, in the order of their arrival: the registry, readings and ticks, and a final tick."""
        sent = [*self._registry()]
        silent = self.silent()
        for number, meter in enumerate(self.all_meters()):
            chance = random.Random(f"meter {self.seed} {number}")
            sent += _Readings(self, meter, chance, silent.get(meter.name, (0, 0))).sent()
        sent.sort(key=lambda one: one.arrival)
        minute = START
        for one in sent:
            while one.arrival >= minute + MINUTE:
                minute += MINUTE
                # Once only late readings are to come nobody is missing, as in a replay.
                yield from _ticks(minute - _OUT_OF_ORDERNESS, self.last if minute > self.end else None)
            yield from _raw(one)
        # The longest slot that takes part may have begun at the very end.
        yield from _ticks(self.end + 2 * _LATENESS + QUARTER, self.last)

    def _registry(self) -> Iterator[_Sent]:
        chance = random.Random(f"registry {self.seed}")
        middle = START + down(self.minutes * MINUTE // 2, MINUTE)
        for number, region in enumerate(dict.fromkeys(REGIONS)):
            yield _region(START - 1, region, 1, 500.0 + 250 * number, None)
        yield _region(middle - 7 * MINUTE, RATED, 2, 321.5, middle)
        outage = {
            "outage_id": "O1",
            "version": 1,
            "scope": "feeder",
            "target": "R4-F1",
            "from": text_of(middle - 4 * MINUTE),
            "until": text_of(middle + 9 * MINUTE),
            "cancelled": False,
            "as_of": text_of(START),
        }
        yield _Sent(START - 1, "O1", outage, OUTAGE_HEADER)
        for meter in self.all_meters():
            if not meter.kind.registered:
                continue
            yield _entry(START - 1, meter, 1, None)
            if chance.random() < 1 / 40 and meter.kind.interval <= HOUR // SECOND:
                moved = meter._replace(region=chance.choice(REGIONS), feeder="moved", transformer="moved")
                at = middle + chance.randrange(-10, 10) * MINUTE
                # Some of them are known in advance, others hold from when they are said.
                valid_from = at + 3 * MINUTE if chance.random() < 0.7 else None
                yield _entry(at, moved, 2, valid_from)


class _Readings:
    """What one meter sends."""

    def __init__(self, fleet: Fleet, meter: Meter, chance: random.Random, silent: tuple[int, int]) -> None:
        self._fleet = fleet
        self._meter = meter
        self._chance = chance
        self._silent = silent
        self._register = 1000.0

    def sent(self) -> Iterator[_Sent]:
        """Its readings in order of time, with what happens to them."""
        chance, kind, fleet = self._chance, self._meter.kind, self._fleet
        interval = kind.interval * SECOND
        out = _planned_feeder(self._meter)
        time = START + (interval if kind.anchor == "end" else 0)
        missing_until = 0
        while time < fleet.end:
            kwh = round(chance.random() * kind.interval / 3600, chance.choice((3, 6, 9)))
            self._register = round(self._register + kwh, 6)
            if time > START and chance.random() < 0.004 and interval < HOUR:
                missing_until = time + chance.choice((1, 2, 5, 40)) * interval
            first, last = self._silent
            away = time < missing_until or first <= time < last or (out and self._is_out(time))
            if not away or time < START + 2 * interval:
                yield from self._reading(time, kwh)
            time += interval

    def _is_out(self, time: int) -> bool:
        middle = START + down(self._fleet.minutes * MINUTE // 2, MINUTE)
        return middle - 4 * MINUTE <= time < middle + 9 * MINUTE

    def _reading(self, time: int, kwh: float) -> Iterator[_Sent]:
        chance, kind, name = self._chance, self._meter.kind, self._meter.name
        interval = kind.interval * SECOND
        body: dict[str, Any] = {"meter_id": name, "timestamp": text_of(time)}
        body |= {"energy_register_kwh": self._register} if kind.register else {"consumption_kwh": kwh}
        if not kind.registered:
            body["region"] = self._meter.region
        if kind.given:
            body["interval_seconds"] = kind.interval
        if kind.measured and chance.random() < 0.9:
            body |= {"power_kw": round(chance.random() * 9, 4), "voltage": round(chance.gauss(230, 3), 2)}
        if kind.measured and chance.random() < 0.5:
            body |= {"current": round(chance.random() * 30, 3), "power_factor": round(chance.random(), 3)}
        arrival, settled = time, time > START + 2 * interval
        roll = chance.random() if settled else 1.0
        if roll < 0.03:
            arrival += chance.choice((15, 40, 90, 600, 1500)) * SECOND
        elif roll < 0.032:
            arrival += chance.choice((3300, 3900)) * SECOND
        elif roll < 0.037 and kind.interval >= 60:
            body["timestamp"] = text_of(time + 10 * SECOND)  # within the tolerance
        yield _Sent(arrival, name, body)
        roll = chance.random() if settled else 1.0
        later = arrival + chance.choice((0, 5, 70, 900)) * SECOND
        if roll < 0.006:
            yield _Sent(later, name, body)
        elif roll < 0.012 and not kind.register:
            yield _Sent(later, name, {**body, "consumption_kwh": round(kwh * 1.25 + 0.001, 6)})
        elif roll < 0.015 and kind.interval >= 60:
            beside = time + (20 * SECOND if roll < 0.0135 else interval // 2)
            yield _Sent(max(later, beside), name, {**body, "timestamp": text_of(beside)})


def _planned_feeder(meter: Meter) -> bool:
    return meter.kind.registered and meter.feeder == "R4-F1"


def _entry(at: int, meter: Meter, version: int, valid_from: int | None) -> _Sent:
    kind = meter.kind
    minutes, rest = divmod(kind.interval, 60)
    interval = "1d" if kind.name == "day" else f"{kind.interval}s" if rest else f"{minutes}m"
    body: dict[str, Any] = {
        "meter_id": meter.name,
        "version": version,
        "status": "active",
        "interval": interval,
        "timezone": "UTC",
        "anchor": kind.anchor,
        "region": meter.region,
        "feeder": meter.feeder,
        "transformer": meter.transformer,
        "installed_at": text_of(START - HOUR),
        "valid_from": None if valid_from is None else text_of(valid_from),
        "as_of": text_of(max(at, START)),
    }
    return _Sent(at, meter.name, body, REGISTRY_HEADER)


def _region(at: int, region: str, version: int, capacity_kw: float, valid_from: int | None) -> _Sent:
    body = {
        "region": region,
        "version": version,
        "capacity_kw": capacity_kw,
        "valid_from": None if valid_from is None else text_of(valid_from),
        "as_of": text_of(max(at, START)),
    }
    return _Sent(at, region, body, REGION_HEADER)


def _raw(sent: _Sent) -> Iterator[Raw]:
    """A record as it goes to Kafka; regions and outages go to every partition."""
    value = json.dumps(sent.body, separators=(",", ":")).encode()
    headers = () if sent.header is None else ((sent.header, _VERSION),)
    everywhere = sent.header in {REGION_HEADER, OUTAGE_HEADER}
    for partition in range(PARTITIONS) if everywhere else (partition_of(sent.meter, PARTITIONS),):
        yield Raw(partition, sent.meter.encode(), value, headers)


def _ticks(time: int, end: int | None = None) -> Iterator[Raw]:
    headers = [(TICK_HEADER, b"1"), (REPLAY_HEADER, b"grid")]
    if end is not None:
        headers.append((END_HEADER, text_of(end).encode()))
    for partition in range(PARTITIONS):
        yield Raw(partition, None, text_of(time).encode(), tuple(headers))
