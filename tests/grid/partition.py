"""One partition, step by step: its windows, and what it says of the regions each time a minute passes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.grid.log import Step
from tests.grid.meters import Meter
from tests.grid.numbers import HOUR, MINUTE, QUARTER, SECOND, down, instant
from tests.grid.plan import Group, Plan
from tests.grid.regional import Entry, GroupReport, Regional, place_of
from tests.grid.windows import Windows
from tests.model.judging import partition_of


@dataclass(frozen=True)
class Rules:
    """The settings that decide anything here, µs."""

    partitions: int = 6
    lateness: int = HOUR
    out_of_orderness: int = 10 * SECOND
    default_interval: int = 30 * MINUTE
    lengths: tuple[int, ...] = (MINUTE, QUARTER)


class Limit(NamedTuple):
    """What a region can carry, from when on."""

    region: str
    version: int
    capacity_kw: float
    valid_from: int | None


class Bundle(NamedTuple):
    """What a partition says as its watermark passes a minute, of all regions together."""

    watermark: int
    entries: dict[tuple[str, int], Entry]
    groups: dict[Group, GroupReport]
    limits: tuple[Limit, ...]


class Partition:
    """One partition of the raw topic."""

    def __init__(self, number: int, rules: Rules) -> None:
        self.bundles: list[Bundle] = []
        self.watermark: int | None = None
        self._number = number
        self._rules = rules
        self._plan = Plan()
        self._meters: dict[str, Meter] = {}
        self._turning: set[str] = set()
        self._open: dict[str, dict[str, int]] = defaultdict(dict)
        self._news: dict[str, Limit] = {}
        self._crossed = 0
        self.regional = Regional(rules.lateness, self._plan)
        self.windows = Windows(rules.lengths, rules.lateness, self._planned)

    def run(self, steps: Iterable[Step]) -> Partition:
        """Take all steps of the log."""
        for step in steps:
            self._take(step)
        return self

    def _take(self, step: Step) -> None:
        if step.kind == "tick":
            self._raise(step.instant)
        elif step.kind == "reading":
            if step.accepted is not None:
                self._accept(step.body, step.accepted)
        else:
            self._control(step.kind, step.body)
        self._turn()
        for gap in step.gaps:
            self._gap(gap)
        assert self.watermark is not None
        if down(self.watermark, MINUTE) > self._crossed:
            self.windows.cross(self.watermark)
            said = self.regional.cross(self.watermark)
            self.bundles.append(Bundle(self.watermark, *said, tuple(self._news.values())))
            self._news.clear()
            self._crossed = down(self.watermark, MINUTE)

    def _raise(self, time: int) -> None:
        if self.watermark is None:
            self.regional.start(time)
            self._crossed = down(time, MINUTE)
        self.watermark = time if self.watermark is None else max(self.watermark, time)

    def _accept(self, body: dict[str, Any], record: dict[str, Any]) -> None:
        name = record["meter_id"]
        meter = self._meters.setdefault(name, Meter(name, self._rules.default_interval))
        given = "interval_seconds" in body or bool((meter.entry or {}).get("interval"))
        lead = instant(record["timestamp"]) - self._rules.out_of_orderness
        before = lead if self.watermark is None else self.watermark
        accepted = meter.accept(record, given=given)
        settled_slot = accepted.slot if meter.settled else None
        self._place(meter, (accepted.time if settled_slot is None else settled_slot) - meter.lag)
        self.regional.take(meter, accepted, before)
        self.windows.take(meter, accepted, before)
        self._raise(lead)

    def _control(self, kind: str, body: dict[str, Any]) -> None:
        if self.watermark is None:
            self._raise(instant(body["as_of"]))
        watermark = self.watermark
        assert watermark is not None
        since = max(watermark, instant(body["valid_from"]) if body.get("valid_from") else watermark)
        if kind == "registry":
            name = body["meter_id"]
            meter = self._meters.setdefault(name, Meter(name, self._rules.default_interval))
            meter.coming.append((since, body))
            self._turning.add(name)
        elif kind == "outage":
            self._plan.take(body)
        elif partition_of(body["region"], self._rules.partitions) == self._number:
            valid_from = instant(body["valid_from"]) if body.get("valid_from") else None
            limit = Limit(body["region"], body["version"], body["capacity_kw"], valid_from)
            self._news[limit.region] = limit

    def _turn(self) -> None:
        """Entries of the registry whose time has come take over."""
        assert self.watermark is not None
        for name in sorted(self._turning):
            meter = self._meters[name]
            due = [one for one in meter.coming if one[0] <= self.watermark]
            if not due:
                continue
            meter.coming = [one for one in meter.coming if one[0] > self.watermark]
            since, meter.entry = due[-1]
            self._place(meter, meter.first_covered(since))
            if not meter.coming:
                self._turning.discard(name)

    def _place(self, meter: Meter, time: int) -> None:
        group = place_of(meter, self._rules.lateness)
        if group != self.regional.places.get(meter.name):
            self.regional.move(meter.name, group, time)

    def _gap(self, gap: dict[str, Any]) -> None:
        name, gap_id = gap["meter_id"], gap["gap_id"]
        self._open[name].pop(gap_id, None)
        if gap["state"] == "OPEN" and gap["reason"] != "PLANNED":
            self._open[name][gap_id] = down(instant(gap["detected_at"]), MINUTE)
        self.regional.silence(name, next(iter(self._open[name].values()), None))

    def _planned(self, meter: Meter, slot: int) -> bool:
        """A slot counts by the beginning of the time that it covers."""
        return self._plan.planned(meter.name, self.regional.places.get(meter.name), slot - meter.lag)
