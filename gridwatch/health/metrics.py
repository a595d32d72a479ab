"""The registry of metrics: every metric of every service, declared once.

`METRICS` are those of the `/metrics/` pages, `SYSTEM_METRICS` those of the metrics topic with scope "system".
Services give values for these names only (`exposition.py`, `system_metrics.py`); docs/metrics.md is made from
here, and tests hold the dashboards and alert rules against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["gauge", "counter"]
GAUGE: Final = "gauge"
COUNTER: Final = "counter"


@dataclass(frozen=True)
class Service:
    """A service that has pages.

    Args:
        name: as it is called in words.
        prefix: of the names of its metrics.
    """

    name: str
    prefix: str


WORKER: Final = Service("worker", "gridwatch_")
SINK: Final = Service("sink", "gridwatch_sink_")
SERVICES: Final = (WORKER, SINK)


@dataclass(frozen=True)
class Metric:
    """A metric of a service. Its name has neither the service's prefix nor a counter's `_total`.

    Args:
        replaces: the name it had before, under which it is exposed as well for one release.
    """

    service: Service
    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    replaces: str = ""

    @property
    def family(self) -> str:
        """The name of the family, as `# TYPE` has it in OpenMetrics."""
        return self.service.prefix + self.name

    @property
    def sample(self) -> str:
        """The name of its samples, as a query has it."""
        return f"{self.family}_total" if self.kind == COUNTER else self.family

    @property
    def deprecated(self) -> Metric | None:
        """The same metric under the name it had before; None if it had no other."""
        if not self.replaces:
            return None
        return replace(self, name=self.replaces, meaning=f"deprecated: use {self.sample}", replaces="")


@dataclass(frozen=True)
class SystemMetric:
    """A metric by wall clock, of each partition, on the metrics topic."""

    service: Service
    name: str
    meaning: str


SYSTEM_METRICS: Final = (
    SystemMetric(WORKER, "watermark_lag_seconds", "wall time minus the partition's watermark"),
    SystemMetric(WORKER, "consumer_lag_records", "raw records the broker holds beyond the committed state"),
    SystemMetric(WORKER, "batch_seconds", "time the last batch took, from decode to RocksDB"),
    SystemMetric(WORKER, "batch_records", "records in the last batch"),
    SystemMetric(WORKER, "state_meters", "meters with state"),
    SystemMetric(WORKER, "open_gaps", "gaps that are open now"),
    SystemMetric(SINK, "sink_rows", "rows of the partition committed to the database in the window"),
    SystemMetric(SINK, "sink_commit_seconds", "mean time of a transaction in the window"),
)

#: A partition of a stage's source.
_PARTITION = ("stage", "partition")
_TOPIC_PARTITION = ("topic", "partition")
_REREAD = "times that a partition was read again because a fetched batch did not arrive"

METRICS: Final = (
    # Of the worker as a whole.
    Metric(WORKER, "ready", GAUGE, "1 when the worker is ready, 0 when not (the reasons are at /ready/)"),
    Metric(WORKER, "rebalancing", GAUGE, "1 while partitions are being handed out anew"),
    Metric(WORKER, "recovering", GAUGE, "1 while state is being recovered from the changelog"),
    Metric(
        WORKER,
        "recovery_rows_remaining",
        GAUGE,
        "changelog rows still to be read before work can begin",
    ),
    Metric(
        WORKER, "ack_wait_seconds", GAUGE, "how long the oldest output has been waiting for the brokers' ack"
    ),
    Metric(
        WORKER, "broker_problems", GAUGE, "what is wrong with brokers and topics, as many as /ready/ names"
    ),
    Metric(WORKER, "partitions", GAUGE, "partitions of every topic, as the settings have it"),
    Metric(WORKER, "partitions_owned", GAUGE, "partitions assigned to this worker"),
    Metric(
        WORKER,
        "partitions_unserved",
        GAUGE,
        "partitions that nobody owns, or whose owner does not answer this worker",
    ),
    # Counted since the worker started. The causes are those of `streaming/faust/continuity.py`.
    Metric(
        WORKER,
        "foreign_changelog_rows",
        COUNTER,
        "records in the changelog that are no rows of ours, and were left out",
        ("stage",),
    ),
    Metric(WORKER, "reread_batches", COUNTER, _REREAD, ("cause",)),
    # Of each partition that the worker owns. The first ones are the system metrics of the metrics topic.
    *(
        Metric(WORKER, one.name, GAUGE, one.meaning, _PARTITION)
        for one in SYSTEM_METRICS
        if one.service == WORKER
    ),
    Metric(
        WORKER,
        "commit_age_seconds",
        GAUGE,
        "time since the partition's last commit on this worker, or since it was taken over",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "committed_offset",
        GAUGE,
        "offset in the raw topic up to which everything is committed",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "dead_letter_run",
        GAUGE,
        "dead letters since the last good reading of the partition",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "jump_candidates",
        GAUGE,
        "kept readings that lie too far ahead to be believed yet",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "open_transaction_seconds",
        GAUGE,
        "how long an open transaction has held back what is behind it, 0: none",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "stalled_seconds",
        GAUGE,
        "how long readings have been waiting without a commit, 0 while commits go on",
        _PARTITION,
        replaces="standing_seconds",
    ),
    Metric(
        WORKER,
        "tick_overdue_seconds",
        GAUGE,
        "how long a tick into the silent partition has been due, 0 when none is",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "undecodable",
        GAUGE,
        "1 while the partition has stopped at a batch that cannot be decoded",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "watermark_stalled_seconds",
        GAUGE,
        "how long the watermark has not moved; no value while a replay moves event time",
        _PARTITION,
        replaces="watermark_standing_seconds",
    ),
    # Of the sink.
    Metric(SINK, "ready", GAUGE, "1 when the sink is ready, 0 when not (the reasons are at /ready/)"),
    Metric(SINK, "last_commit_seconds", GAUGE, "time the last transaction took, seconds"),
    Metric(SINK, "last_commit_timestamp_seconds", GAUGE, "when the last transaction ended, Unix time"),
    Metric(SINK, "waiting_seconds", GAUGE, "how long the database has been waited for, 0 when it is there"),
    Metric(SINK, "partitions_assigned", GAUGE, "topic partitions read by this sink"),
    Metric(SINK, "broker_problems", GAUGE, "what is wrong with brokers and topics, as many as /ready/ names"),
    Metric(SINK, "commits", COUNTER, "transactions committed"),
    Metric(SINK, "retries", COUNTER, "transactions tried again because the database was away"),
    Metric(SINK, "dead_letters", COUNTER, "dead letters sent by the sink"),
    Metric(SINK, "lost_dead_letters", COUNTER, "dead letters that no row can hold"),
    Metric(SINK, "commit_seconds", COUNTER, "time spent in transactions, seconds"),
    Metric(SINK, "rows", COUNTER, "rows committed to the database, repetitions included", ("topic",)),
    Metric(SINK, "refused_rows", COUNTER, "rows that the database refused", ("topic",)),
    Metric(SINK, "reread_batches", COUNTER, _REREAD, ("cause",)),
    Metric(
        SINK,
        "lag_records",
        GAUGE,
        "records of the topic partition beyond what this sink has committed",
        _TOPIC_PARTITION,
    ),
    Metric(
        SINK,
        "stalled_seconds",
        GAUGE,
        "how long records have been waiting without a commit, 0 while commits go on",
        _TOPIC_PARTITION,
        replaces="standing_seconds",
    ),
)


def metrics_of(service: Service) -> dict[str, Metric]:
    """The metrics of a service's page, in order, by name."""
    return {one.name: one for one in METRICS if one.service == service}


def system_metrics_of(service: Service) -> dict[str, str]:
    """The system metrics of a service, in order: name → meaning."""
    return {one.name: one.meaning for one in SYSTEM_METRICS if one.service == service}
