"""The input: meters that report every 10 s, now and then out of order, and the sums of their minutes.

A contestant may close a minute of a meter by that meter's own readings, or by any of the partition: the input
ends 10 s after a minute's end with a reading of every meter, so that all of its minutes are over either way.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import msgspec

from benchmarks.peers.windows.rules import LENGTH, WAIT, minute_of, time_of
from benchmarks.race.readings import START, Feed, Span
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, VALIDATED

INTERVAL_SECONDS = 10
REGIONS = 8
_SLOTS = LENGTH // INTERVAL_SECONDS
#: Slots after the last whole minute.
_AFTER = WAIT // INTERVAL_SECONDS + 1
_LENGTHS = {AGGREGATES_1M.name: LENGTH, AGGREGATES_15M.name: 15 * LENGTH}
_MICROWATT_HOURS = 1e9
#: How far a sum of floats may be off.
_TOLERANCE = 1e-9


class _Window(msgspec.Struct):
    meter_id: str
    window_start: str
    energy_kwh_sum: float


_decode_window = msgspec.json.Decoder(_Window).decode


def meter_name(number: int) -> str:
    """The id of a meter."""
    return f"METER_{number:07d}"


def region_of(number: int) -> str:
    """The region of a meter."""
    return f"region-{number % REGIONS}"


def fields(number: int, chance: random.Random) -> str:
    """What a meter reports besides its id and the time, as a part of a JSON object."""
    power = chance.uniform(0.05, 9.0)
    energy = power * INTERVAL_SECONDS / 3600
    return (
        f'"consumption_kwh":{energy:.6f},"interval_seconds":{INTERVAL_SECONDS},'
        f'"region":"{region_of(number)}","power_kw":{power:.3f}'
    )


def readings(meters: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """(meter_id, JSON) without an end: every slot all meters in a shuffled order, 1% of them a slot late.

    None is late in the first slots of a minute, with which an input may end.
    """
    chance = random.Random(seed)
    order = list(range(meters))
    held: list[tuple[str, bytes]] = []
    slot = 0
    while True:
        moment = START + slot * timedelta(seconds=INTERVAL_SECONDS)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        chance.shuffle(order)
        late, held = held, []
        for number in order:
            name = meter_name(number)
            value = f'{{"meter_id":"{name}","timestamp":"{stamp}",{fields(number, chance)}}}'.encode()
            if slot % _SLOTS >= _AFTER and chance.random() < 0.01:
                held.append((name, value))
            else:
                yield name, value
        yield from late
        slot += 1


class MinuteFeed(Feed):
    """A topic with the input of whole minutes, and the sums that belong to it, in integer µWh."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, meters: int) -> None:
        super().__init__(bootstrap, topic, partitions, meters)
        self._meters = meters
        self._minutes = 0
        self._energy: dict[tuple[str, int], int] = {}

    def extend(self, count: int) -> None:
        """Go on until the topic holds the whole minutes nearest to `count` readings, and what closes them."""
        self._minutes = max(1, round(count / self._meters / _SLOTS))
        super().extend(self._meters * (self._minutes * _SLOTS + _AFTER))

    def wanted(self, output: str) -> int:
        """One record per window that is over; of validated readings, one per reading."""
        if output == VALIDATED.name:
            return super().wanted(output)
        return self._meters * (self._end // _length(output))

    def processed(self, output: Span) -> int:
        """By minutes, when they come: those that close them were processed, too."""
        if output.topic == VALIDATED.name or not output.count:
            return super().processed(output)
        return output.count * _SLOTS + self._meters * _AFTER

    def problem(self, output: str, values: Iterable[bytes]) -> str:
        """What is wrong with the records of an output: each window has to be there once, with its sum."""
        if output == VALIDATED.name:
            return super().problem(output, values)
        exact = output in _LENGTHS
        sums = self.sums(output)
        for value in values:
            window = _decode_window(value)
            name = (window.meter_id, int(time_of(window.window_start)))
            energy = sums.pop(name, None)
            if energy is None:
                return f"wrote a window to {output} again, or one that is not over: {value.decode()}"
            off = abs(window.energy_kwh_sum * _MICROWATT_HOURS - energy)
            if round(off) if exact else off > _TOLERANCE * energy:
                return f"wrote a wrong sum to {output}, not {energy} µWh: {value.decode()}"
        return f"lacks {len(sums):,} windows in {output}" if sums else ""

    def sums(self, output: str) -> dict[tuple[str, int], int]:
        """The energy of every window that is over, in µWh, by meter and start."""
        length = _length(output)
        first = int(START.timestamp())
        end = first + self._end // length * length
        sums: dict[tuple[str, int], int] = {}
        for (meter, minute), energy in self._energy.items():
            if minute < end:
                window = (meter, minute // length * length)
                sums[window] = sums.get(window, 0) + energy
        return sums

    @property
    def _end(self) -> int:
        """Seconds of the input that are over."""
        return self._minutes * LENGTH

    def _endless(self, meters: int) -> Iterator[tuple[str, bytes]]:
        return readings(meters)

    def _expect(self, reading: dict[str, Any], time: float, watermark: float) -> None:
        super()._expect(reading, time, watermark)
        minute = (reading["meter_id"], minute_of(time))
        energy = int(reading["consumption_kwh"] * _MICROWATT_HOURS + 0.5)
        self._energy[minute] = self._energy.get(minute, 0) + energy


def _length(output: str) -> int:
    """The length of the windows in an output, seconds; the peers make minutes only."""
    return _LENGTHS.get(output, LENGTH)
