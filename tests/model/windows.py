"""Metrics by event-time window, stored for ever and scanned again at every crossing."""

from __future__ import annotations

import math
from typing import Any

from tests.model.stamps import show

MICRO = 1_000_000
SCALES = {"consumption_kwh": MICRO, "energy_unplaced_kwh": 1000 * MICRO}
METRICS = sorted((
    "readings_received", "readings_validated", "readings_late", "readings_too_late", "readings_invalid",
    "readings_duplicate", "readings_revised", "gaps_opened", "gaps_closed", "missing_intervals",
    "active_meters", "consumption_kwh",
))  # fmt: skip
UNPLACED = "energy_unplaced_kwh"  # counted in µWh, and emitted only where there is some


class Windows:
    """Counts of each window; those of no time of their own go where the watermark stands."""

    def __init__(self, policy: Any, partition: int) -> None:
        self.policy = policy
        self.partition = partition
        self.counts: dict[int, dict[str, int]] = {}
        self.meters: dict[int, set[str]] = {}
        self.shown: dict[int, tuple[int, dict[str, int]]] = {}  # revision and values
        self.stands: int | None = None  # the window in which the watermark is
        self.emitted_until = 0  # the one of the watermark when windows were last emitted
        self.early: list[tuple[str, int]] = []

    def start_of(self, time: int) -> int:
        return time - time % int(self.policy.metrics_window)

    def begin(self, watermark: int) -> None:
        """The first watermark: what came before it counts in its window."""
        self.stands = self.emitted_until = self.start_of(watermark)
        for metric, amount in self.early:
            self.undated(metric, amount)

    def count(self, time: int, metric: str, amount: float) -> None:
        window = self.counts.setdefault(self.start_of(time), {})
        scale = MICRO if metric == "consumption_kwh" else 1
        whole = math.floor(abs(amount) * scale + 0.5)  # half up
        window[metric] = window.get(metric, 0) + (whole if amount > 0 else -whole)

    def active(self, time: int, meter_id: str) -> None:
        self.meters.setdefault(self.start_of(time), set()).add(meter_id)

    def undated(self, metric: str, amount: int) -> None:
        if self.stands is None:
            self.early.append((metric, amount))
        else:
            self.count(self.stands, metric, amount)

    def unplaced(self, micro_wh: int) -> None:
        """Energy that belongs to windows which are dropped."""
        if micro_wh:
            assert self.stands is not None
            window = self.counts.setdefault(self.stands, {})
            window[UNPLACED] = window.get(UNPLACED, 0) + micro_wh

    def move(self, watermark: int) -> None:
        self.stands = self.start_of(watermark)

    def crossed(self, watermark: int) -> list[dict[str, Any]]:
        """New and changed windows, if the watermark has crossed the end of one."""
        assert self.stands is not None
        if self.stands == self.emitted_until:
            return []
        self.emitted_until = self.stands
        found = []
        for start in sorted({*self.counts, *self.meters}):
            values = {**self.counts.get(start, {}), "active_meters": len(self.meters.get(start, ()))}
            revision, emitted = self.shown.get(start, (0, {}))
            if values == emitted:
                continue
            self.shown[start] = (revision + 1, values)
            named = [*METRICS, *([UNPLACED] if values.get(UNPLACED, 0) > 0 else [])]
            found += [self.metric(start, name, values.get(name, 0), revision + 1) for name in named]
        over = watermark - self.policy.metrics_window - self.policy.allowed_lateness
        for start in [start for start in {*self.counts, *self.meters} if start <= over]:
            self.counts.pop(start, None)
            self.meters.pop(start, None)
        return found

    def metric(self, start: int, name: str, value: int, revision: int) -> dict[str, Any]:
        return {
            "id": f"{name}@{show(start)}/{self.partition}",
            "metric": name,
            "value": value / SCALES[name] if name in SCALES else value,
            "window_start": show(start),
            "window_end": show(start + self.policy.metrics_window),
            "revision": revision,
            "scope": "event",
            "partition": self.partition,
            "labels": {},
        }
