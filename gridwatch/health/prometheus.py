"""What Prometheus reads at `/metrics/`: every metric with its help, in one place, and how each is read.

The registry is our own, so nothing of a library's appears by accident. Values are taken at the moment
of the scrape; nothing is counted twice and nothing has to be kept up to date in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gridwatch.health.measures import SYSTEM_METRICS

PREFIX = "gridwatch_"

#: Of each partition that this worker owns. The first ones are the system metrics of the metrics topic.
PARTITION_GAUGES = {
    **SYSTEM_METRICS,
    "commit_age_seconds": "time since the partition's last commit on this worker, or since it was taken over",
    "committed_offset": "offset in the raw topic up to which everything is committed",
    "dead_letter_run": "dead letters since the last good reading of the partition",
    "jump_candidates": "kept readings that lie too far ahead to be believed yet",
    "open_transaction_seconds": "how long an open transaction has held back what is behind it, 0: none",
    "standing_seconds": "how long readings have been waiting without a commit, 0 while it goes on",
    "tick_overdue_seconds": "how long a tick into the silent partition has been due, 0 when none is",
    "undecodable": "1 while the partition has stopped at a batch that cannot be decoded",
    "watermark_standing_seconds": "how long the watermark has not moved; not told while a replay moves time",
}
#: Of the worker as a whole.
WORKER_GAUGES = {
    "ready": "1 when the worker is ready, 0 when not (the reasons are at /ready/)",
    "rebalancing": "1 while partitions are being handed out anew",
    "recovering": "1 while state is being recovered from the changelog",
    "recovery_rows_remaining": "changelog rows still to be read before work can begin",
    "ack_wait_seconds": "how long the oldest output has been waiting for the brokers' ack",
    "broker_problems": "what is wrong with brokers and topics, as many as /ready/ names",
    "partitions": "partitions of every topic, as the settings have it",
    "partitions_owned": "partitions assigned to this worker",
    "partitions_unserved": "partitions that nobody owns, or whose owner does not answer this worker",
}
#: Counted since the worker started.
WORKER_COUNTERS = {
    "foreign_changelog_rows": "records in the changelog that are no rows of ours, and were left out",
}
#: Counted since the service started, by cause; the causes are those of `streaming/faust/continuity.py`.
CAUSE_COUNTERS = {
    "reread_batches": "times that a partition was read again because a fetched batch did not arrive",
}


@dataclass
class Scrape:
    """One scrape's values: of the worker, of re-reads by cause, of partitions by number."""

    worker: dict[str, float] = field(default_factory=dict)
    causes: dict[str, float] = field(default_factory=dict)
    partitions: dict[int, dict[str, float]] = field(default_factory=dict)


class ScrapeCollector(Collector):
    """Turns a scrape into metric families."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterable[Metric]:
        """All metric families; a metric without a value is named all the same."""
        for name, meaning in WORKER_GAUGES.items():
            yield GaugeMetricFamily(PREFIX + name, meaning, value=self._scrape.worker.get(name))
        for name, meaning in WORKER_COUNTERS.items():
            yield CounterMetricFamily(PREFIX + name, meaning, value=self._scrape.worker.get(name))
        for name, meaning in CAUSE_COUNTERS.items():
            counter = CounterMetricFamily(PREFIX + name, meaning, labels=["cause"])
            for cause, count in sorted(self._scrape.causes.items()):
                counter.add_metric([cause], count)
            yield counter
        for name, meaning in PARTITION_GAUGES.items():
            family = GaugeMetricFamily(PREFIX + name, meaning, labels=["partition"])
            for partition, measured in sorted(self._scrape.partitions.items()):
                if name in measured:
                    family.add_metric([str(partition)], measured[name])
            yield family


def exposition(scrape: Scrape, accept: str) -> tuple[bytes, str]:
    """The scrape and the process's own metrics as text, and its content type, in the form asked for."""
    registry = CollectorRegistry()
    registry.register(ScrapeCollector(scrape))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
