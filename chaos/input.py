"""The input on the raw topic: a few dozen meters with every kind of bad data, from one seed.

Each partition has a history of its own, in stretches. Within a stretch readings are missing, late, too late,
duplicated, revised, off the grid, in changed intervals, ahead of all others, with every kind of energy; they
arrive one by one or in arrays, with garbage in between, and sometimes a head-end sends its last minutes
again. Some meters report every few seconds, for some minutes of a stretch. Now and then voltage, frequency or
power factor of a meter is out of bounds for a while. Control records of the registry
come in between (``controls``). Between stretches a tick advances
event time, so that the deadlines of all meters of the partition pass at once; some ticks settle a run, so
that nothing after its end is missing yet.

One partition stays empty. All event times are years ago, so that nothing depends on when the input is sent.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from chaos.controls import Controls
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.reading import CONTROL_VERSION, METER, OUTAGE, REGION
from gridwatch.topics import (
    END_HEADER,
    OUTAGE_HEADER,
    REGION_HEADER,
    REGISTRY_HEADER,
    TICK_HEADER,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_704_103_200 * SECOND  # 2024-01-01T10:00:00Z
_STRETCHES = 3
_HEADERS = {METER: REGISTRY_HEADER, REGION: REGION_HEADER, OUTAGE: OUTAGE_HEADER}
#: Registered meters of a partition that do not speak until the end, and the share of control records.
_SILENT = 3
_CONTROLS = 0.04
#: Intervals of meters, seconds: what they may have, and what they may change to.
_LONG, _LONG_CHANGED = (900, 1800, 1800, 1800, 3600), (600, 900, 1800, 3600, 7200)
_BRIEF, _BRIEF_CHANGED = (1, 2, 5, 10, 10, 30), (1, 5, 10, 30, 90)
#: One of so many meters is a brief one, and at least one of a partition.
_OF_THEM_BRIEF = 6
#: The field that the energy of a meter comes from, by its kind; and the kinds of meters.
_MEASURED = {
    "energy": "consumption_kwh",
    "alias": "energy_kwh",
    "register": "energy_register_kwh",
    "power": "power_kw",
}
_KINDS = ("energy", "energy", "energy", "alias", "register", "power")
#: How often what is strange about a meter changes, and what it then reports.
_STRANGE = 0.1
_OUT_OF_BOUNDS = {
    "voltage": (200.5, 200.5, 190.0, 233.0),
    "frequency": (49.4, 49.4, 48.9, 50.0),
    "power_factor": (0.7, 0.7, 0.95),
}
#: Within the limits of the rules, and larger than a small commit.
_LONGEST_ARRAY = 40

_GARBAGE = (
    b"{not json",
    b"",
    None,
    b"\xff\xfe",
    b"[]",
    b"[1, 2]",
    b"null",
    b'"reading"',
    b'{"meter_id": "", "timestamp": "2024-01-01T10:00:00Z", "consumption_kwh": 1}',
    b'{"meter_id": "NUL\\u0000", "timestamp": "2024-01-01T10:00:00Z", "consumption_kwh": 1}',
    b'{"timestamp": "2024-01-01T10:00:00Z"}',
    '{"meter_id": "Zähler", "timestamp": "gestern", "consumption_kwh": "1"}'.encode(),
)
_WRONG: tuple[tuple[str, Any], ...] = (
    ("consumption_kwh", -1),
    ("consumption_kwh", "2.5"),
    ("consumption_kwh", 1e9),
    ("energy_register_kwh", "7"),
    ("timestamp", "2024-02-30T10:00:00Z"),
    ("timestamp", "2999-01-01T00:00:00Z"),
    ("timestamp", None),
    ("interval_minutes", 0.51),
    ("interval_seconds", 2.5),
    ("region", 7),
)


class Raw(NamedTuple):
    """A record for the raw topic."""

    partition: int
    key: bytes | None
    value: bytes | None
    tick: bool = False
    #: Of a tick: the end of the run that it settles.
    run_end: bytes | None = None
    #: The kind of another control record.
    control: str | None = None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The headers of a control record, or none."""
        if self.control is not None:
            return [(_HEADERS[self.control], CONTROL_VERSION)]
        ends = [] if self.run_end is None else [(END_HEADER, self.run_end)]
        return [(TICK_HEADER, b"1"), *ends] if self.tick else []


class _Sent(NamedTuple):
    arrival: int
    body: dict[str, Any]


def make_input(seed: int, readings: int, partitions: int) -> list[Raw]:
    """About so many readings, in the order of sending; deterministic in the arguments."""
    chance = random.Random(f"input {seed}")  # noqa: S311  to be repeated
    empty = chance.randrange(partitions)
    share = max(30, readings // max(1, partitions - 1))
    histories = [
        [] if partition == empty else _History(seed, partition, partitions, share).records()
        for partition in range(partitions)
    ]
    # All partitions advance side by side.
    placed = [
        (number / len(history), partition, record)
        for partition, history in enumerate(histories)
        for number, record in enumerate(history)
    ]
    return [record for _, _, record in sorted(placed, key=lambda one: one[:2])]


def meters_of(partition: int, partitions: int, count: int) -> list[str]:
    """The first meter ids of the form CHAOS_0001 that live in the partition."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        number += 1
        name = f"CHAOS_{number:04d}"
        if partition_of(name, partitions) == partition:
            found.append(name)
    return found


class _History:
    """The records of one partition."""

    def __init__(self, seed: int, partition: int, partitions: int, readings: int) -> None:
        self._chance = random.Random(f"input {seed} {partition}")  # noqa: S311  to be repeated
        self._partition = partition
        count = self._chance.choice([6, 15, 40])
        meters = meters_of(partition, partitions, count + _SILENT)
        self._meters, self._silent = meters[:count], meters[count:]
        self._controls = Controls(self._chance, self._meters, self._silent)
        self._brief = {*self._chance.sample(self._meters, max(1, len(self._meters) // _OF_THEM_BRIEF))}
        self._intervals = {
            name: self._chance.choice(_BRIEF if name in self._brief else _LONG) for name in self._meters
        }
        self._given = {
            name for name in self._meters if self._chance.random() < (0.4 if name in self._brief else 0.15)
        }
        self._kinds = {name: self._chance.choice(_KINDS) for name in self._meters}
        self._registers = dict.fromkeys(self._meters, 100.0)
        self._electric = random.Random(f"electric {seed} {partition}")  # noqa: S311  to be repeated
        self._strange = dict.fromkeys(self._meters, "")
        self._slots = max(2, readings // _STRETCHES // len(self._meters))
        self._now = START + self._chance.randrange(60) * MINUTE

    def records(self) -> list[Raw]:
        """All of them, in log order."""
        records = [self._control(*one) for one in self._controls.installation(self._now)]
        if self._chance.random() < 0.5:
            records.clear()  # the partition begins with a reading
        for _ in range(_STRETCHES):
            records += self._stretch()
            end = self._now if self._chance.random() < 0.4 else None
            # Silence, sometimes longer than state_ttl: all deadlines pass in one step.
            self._now += self._chance.choice([5 * HOUR, 30 * HOUR, 3 * DAY])
            records.append(self._tick(self._now, end))
        return records + self._roll_call()

    def _roll_call(self) -> list[Raw]:
        records = []
        for meters in (self._meters, [*self._meters[::2], *self._silent[::2]]):
            stamp = format_instant(self._now)
            bodies = [{"meter_id": name, "timestamp": stamp, "consumption_kwh": 1} for name in meters]
            records += [self._record([body], False) for body in bodies]
            end = self._now if self._chance.random() < 0.5 else None
            self._now += 3 * HOUR
            records.append(self._tick(self._now, end))
        return records

    def _tick(self, instant: int, end: int | None = None) -> Raw:
        run_end = None if end is None else format_instant(end).encode()
        return Raw(self._partition, None, format_instant(instant).encode(), tick=True, run_end=run_end)

    def _stretch(self) -> Iterator[Raw]:
        sent = sorted(
            (one for name in self._meters for one in self._readings_of(name)), key=lambda one: one.arrival
        )
        repeat_at = {self._chance.randrange(len(sent)) for _ in range(2)}
        number = 0
        while number < len(sent):
            pick = self._chance.random()
            many = self._chance.randrange(2, _LONGEST_ARRAY) if pick < 0.05 else 1
            group = sent[number : number + many]
            yield self._record([one.body for one in group], many > 1)
            if any(number <= at < number + many for at in repeat_at):
                # A head-end that lost its connection sends its last minutes again.
                for one in sent[max(0, number - 25) : number + many]:
                    yield self._record([one.body], False)
            if self._chance.random() < _CONTROLS:
                yield self._control(*self._controls.record(group[0].arrival))
            if pick > 0.985:
                yield self._garbage_or_tick(group[0].body)
            number += many
        self._now = max(self._now, sent[-1].arrival)

    def _readings_of(self, name: str) -> Iterator[_Sent]:
        chance, brief = self._chance, name in self._brief
        late, missing, jitter = (chance.choice([0.0, 0.05, 0.25]) for _ in range(3))
        region = chance.choice([None, "north", "south"])
        at = self._now + chance.randrange(20) * MINUTE
        for _ in range(self._slots):
            interval = self._intervals[name]
            most = min(500 * SECOND, interval * SECOND * 6 // 10)
            stamp = at + (chance.randrange(-most, most, 50_000) if chance.random() < jitter else 0)
            body: dict[str, Any] = {
                "meter_id": name,
                "timestamp": format_instant(stamp),
                "consumption_kwh": chance.choice([0, 0.25, 1, 1.001, 2.5]),
            }
            if region is not None:
                body |= {"region": region, "voltage": 230.1}
            if name in self._given:
                body |= {"interval_seconds": interval} if brief else {"interval_minutes": interval // 60}
            self._measure(name, body)
            self._disturb(name, body)
            delays = [3, 15, 25, 60, 5000] if brief else [60, 600, 3000, 4200, 18_000]
            delay = chance.choice(delays) * SECOND if chance.random() < late else 0
            if chance.random() >= missing:
                yield _Sent(max(stamp, at) + delay, body)
                yield from self._repeats(max(stamp, at) + delay, stamp, body)
            at += interval * SECOND
            if chance.random() < (0.04 if brief else 0.01):
                at += chance.choice([90, 1000, 4000, 20_000] if brief else [7200, 25_200, 93_600]) * SECOND
            if chance.random() < (0.03 if brief else 0.01):
                self._intervals[name] = chance.choice(_BRIEF_CHANGED if brief else _LONG_CHANGED)

    def _measure(self, name: str, body: dict[str, Any]) -> None:
        """Put the energy where meters of this kind have it: under another name, in a register, as power."""
        kind = self._kinds[name]
        if kind == "energy":
            return
        kwh = body.pop("consumption_kwh")
        if kind == "register":
            before = self._registers[name]
            register, odd = before + kwh, [before * 0.998, before * 0.998, before / 2, 0.002, 1_000_000.0]
            if self._chance.random() < 0.2:
                register = self._chance.choice(odd)
            self._registers[name] = body["energy_register_kwh"] = round(register, 3)
        else:
            body["energy_kwh" if kind == "alias" else "power_kw"] = kwh

    def _disturb(self, name: str, body: dict[str, Any]) -> None:
        """Let one of its electric values be out of bounds, from time to time and for a while."""
        chance = self._electric
        if chance.random() < _STRANGE:
            self._strange[name] = chance.choice(["", "voltage", "frequency", "power_factor"])
        if self._strange[name]:
            body |= {self._strange[name]: chance.choice(_OUT_OF_BOUNDS[self._strange[name]])}

    def _repeats(self, arrival: int, stamp: int, body: dict[str, Any]) -> Iterator[_Sent]:
        """A duplicate, a revision or a close neighbour of a reading; or one far ahead."""
        roll = self._chance.random()
        later = arrival + self._chance.choice([0, 1, 20, 90]) * MINUTE
        if roll < 0.03:
            yield _Sent(later, body)
        elif roll < 0.06:
            yield _Sent(later, {**body, _MEASURED[self._kinds[str(body["meter_id"])]]: 3.75})
        elif roll < 0.08:
            yield _Sent(later, {**body, "timestamp": format_instant(stamp + 90 * SECOND)})
        elif roll < 0.085:
            ahead = stamp + self._chance.choice([25, 26, 40]) * HOUR
            yield _Sent(arrival, {**body, "timestamp": format_instant(ahead)})

    def _record(self, bodies: list[dict[str, Any]], array: bool) -> Raw:
        if self._chance.random() < 0.01:
            name, value = self._chance.choice(_WRONG)
            bodies = [{**bodies[0], name: value}, *bodies[1:]]
        value = json.dumps(bodies if array else bodies[0]).encode()
        return Raw(self._partition, str(bodies[0]["meter_id"]).encode(), value)

    def _control(self, kind: str, key: str, value: bytes) -> Raw:
        return Raw(self._partition, key.encode(), value, control=kind)

    def _garbage_or_tick(self, body: dict[str, Any]) -> Raw:
        if self._chance.random() < 0.2:
            tick = self._tick(self._now)
            ends = (None, None, format_instant(self._now - MINUTE).encode(), b"soon")
            return tick._replace(run_end=self._chance.choice(ends))
        return Raw(self._partition, str(body["meter_id"]).encode(), self._chance.choice(_GARBAGE))
