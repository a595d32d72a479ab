"""Observes a worker with a foreign producer's records: positions, outputs by meter, health."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gridwatch.deployment.service import Service
from gridwatch.domain.instants import parse_instant
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, LATE_EVENTS, METRICS, VALIDATED
from tests.foreign.segments import stored_batches
from tests.integration.test_silence import doctor, said
from tests.processes import Site

SEEN_SECONDS = 30.0
REREADS = "gridwatch_reread_batches_total"
#: A fetch waits 100 ms for records at the broker.
_FETCHES_ENDED_SECONDS = 1.0

_COMPARED = {
    VALIDATED.name: ("timestamp", "consumption_kwh", "status", "delay_seconds", "flags", "interval_minutes"),
    GAP_ALERTS.name: ("missing_from", "missing_to", "state", "missing_ranges", "filled_intervals"),
    LATE_EVENTS.name: ("timestamp", "consumption_kwh", "delay_seconds", "flags"),
    DEAD_LETTERS.name: ("reasons", "raw"),
}


class Watched:
    """A running worker, checked during waits: it stays alive, and its positions never decrease."""

    def __init__(self, worker: Service, broker: EmbeddedKafka) -> None:
        self.worker = worker
        self._broker = broker
        self._committed: dict[int, int] = {}

    def until(self, what: str, condition: Callable[[], Any], seconds: float = SEEN_SECONDS) -> Any:
        """Poll until the answer is true, and return it."""

        def observed_and_condition() -> Any:
            self._observe()
            return condition()

        return self.worker.until(what, observed_and_condition, seconds)

    def _observe(self) -> None:
        for one in self.worker.page("/partitions/")["partitions"]:
            partition, committed = one["partition"], one["committed"]
            if committed is None:
                continue  # nothing is committed yet
            before = self._committed.get(partition, 0)
            assert committed >= before, f"partition {partition} went back from {before} to {committed}"
            self._committed[partition] = committed

    def partition(self, partition: int) -> dict[str, Any]:
        """The row of a partition in `/partitions/`."""
        rows = self.worker.page("/partitions/")["partitions"]
        found: dict[str, Any] = next(one for one in rows if one["partition"] == partition)
        return found

    def watermark(self, partition: int) -> int:
        """A partition's watermark (µs), 0 when it has none."""
        stamp = self.partition(partition)["watermark"]
        return parse_instant(stamp)[0] if stamp else 0

    def until_caught_up(self, partition: int) -> None:
        """Wait until the worker is ready, with no lag at the partition's end on disk, markers included."""

        def is_caught_up() -> bool:
            end = stored_batches(self._broker, partition)[-1].end
            row = self.partition(partition)
            return bool(row["end"] >= end and row["lag"] == 0) and self.worker.is_ready()

        self.until(f"partition {partition} is caught up and the worker ready", is_caught_up)

    def rereads(self) -> float:
        """Batches that were read again, for any cause."""
        lines = self.worker.text("/metrics/").splitlines()
        found = [float(line.split()[-1]) for line in lines if line.startswith(REREADS)]
        assert found, f"/metrics/ has no {REREADS}"
        return sum(found)

    def reasons(self) -> str:
        """The reasons of `/ready/`."""
        return said(self.worker, "reasons")

    def health(self) -> str:
        """Every reason and warning of `/ready/`."""
        return said(self.worker, "reasons") + " | " + said(self.worker, "warnings")

    def diagnosis(self, site: Site) -> str:
        """The output of `gridwatch doctor --json`."""
        return json.dumps(doctor(site, self.worker))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the process (SIGSTOP), with none of its fetches waiting at the broker."""
        self.worker.freeze()
        try:
            # A waiting fetch would be answered with the next batch at once, before it can be changed.
            time.sleep(_FETCHES_ENDED_SECONDS)
            yield
        finally:
            self.worker.thaw()


def outputs(site: Site, meters: Sequence[str]) -> dict[str, list[list[Any]]]:
    """Topic → for each meter in order the last revisions of its outputs, without ids and origins."""
    found = site.outputs()
    compared = {}
    for topic, fields in _COMPARED.items():
        of_meter: dict[str, list[list[Any]]] = {meter: [] for meter in meters}
        for record in found[topic].values():
            if record["meter_id"] in of_meter:
                of_meter[record["meter_id"]].append([record[field] for field in fields])
        compared[topic] = [sorted(of_meter[meter]) for meter in meters]
    return compared


def validated(site: Site, meters: Sequence[str]) -> set[str]:
    """Which of the meters have a validated reading."""
    return {one["meter_id"] for one in site.outputs()[VALIDATED.name].values()} & set(meters)


def gaps_of(site: Site, meter: str) -> list[dict[str, Any]]:
    """The last revision of each gap of a meter."""
    return [one for one in site.outputs()[GAP_ALERTS.name].values() if one["meter_id"] == meter]


def total(site: Site, metric: str, partition: int) -> float:
    """The sum of a metric over all windows of a partition."""
    windows = site.outputs()[METRICS.name].values()
    found = [one["value"] for one in windows if (one["metric"], one["partition"]) == (metric, partition)]
    return float(sum(found))
