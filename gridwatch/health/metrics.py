"""The registry of metrics: every metric of every service, declared once.

`METRICS` are those of the `/metrics/` pages, `SYSTEM_METRICS` those of the metrics topic with scope "system".
Services can set values under these names only (`exposition.py`, `system_metrics.py`); docs/metrics.md is
generated from here, and tests check the dashboards and alert rules against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["gauge", "counter"]
GAUGE: Final = "gauge"
COUNTER: Final = "counter"


@dataclass(frozen=True)
class Service:
    """A service with health pages.

    Args:
        name: what messages call it.
        prefix: the prefix of its metric names.
        labels: the labels that each of its metrics has, with one value a process.
    """

    name: str
    prefix: str
    labels: tuple[str, ...] = ()


WORKER: Final = Service("worker", "gridwatch_", ("flow",))
SINK: Final = Service("sink", "gridwatch_sink_")
INGEST: Final = Service("ingest", "gridwatch_ingest_")
BRIDGE: Final = Service("bridge", "gridwatch_bridge_")
SERVICES: Final = (WORKER, SINK, INGEST, BRIDGE)


@dataclass(frozen=True)
class Metric:
    """A metric of a service. Its name has neither the service's prefix nor a counter's `_total`.

    Args:
        labels: its own, beside those of the service.
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
        """The name of the metric family, as in the `# TYPE` line of OpenMetrics."""
        return self.service.prefix + self.name

    @property
    def sample(self) -> str:
        """The name of its samples, as queries use it."""
        return f"{self.family}_total" if self.kind == COUNTER else self.family

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Its labels, those of the service first."""
        return (*self.service.labels, *self.labels)

    @property
    def deprecated(self) -> Metric | None:
        """The same metric under the name it had before; None if it had no other."""
        if not self.replaces:
            return None
        return replace(self, name=self.replaces, meaning=f"deprecated: use {self.sample}", replaces="")


@dataclass(frozen=True)
class SystemMetric:
    """A wall-clock metric of each partition, on the metrics topic."""

    service: Service
    name: str
    meaning: str


SYSTEM_METRICS: Final = (
    SystemMetric(WORKER, "watermark_lag_seconds", "wall time minus the partition's watermark"),
    SystemMetric(
        WORKER, "consumer_lag_records", "raw records from the committed offset to the end of the partition"
    ),
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
#: Of a partition, those that have a series of their own for their load.
MOST_REGIONS: Final = 200
_ENTRANCE_ACK = "how long the oldest record has been waiting for the brokers' ack"
_REREAD = "times that a partition was read again because a fetched batch was not delivered"

METRICS: Final = (
    # Of the worker as a whole.
    Metric(WORKER, "ready", GAUGE, "1 when the worker is ready, 0 when not (the reasons are at /ready/)"),
    Metric(WORKER, "rebalancing", GAUGE, "1 while partitions are being reassigned"),
    Metric(WORKER, "recovering", GAUGE, "1 while state is being recovered from the changelog"),
    Metric(
        WORKER,
        "recovery_rows_remaining",
        GAUGE,
        "changelog rows still to be read before processing starts",
    ),
    Metric(
        WORKER, "ack_wait_seconds", GAUGE, "how long the oldest output has been waiting for the brokers' ack"
    ),
    Metric(WORKER, "broker_problems", GAUGE, "problems of brokers and topics, as listed at /ready/"),
    Metric(WORKER, "partitions", GAUGE, "partitions of every topic, from the settings"),
    Metric(WORKER, "partitions_owned", GAUGE, "partitions assigned to this worker"),
    Metric(
        WORKER,
        "partitions_unserved",
        GAUGE,
        "partitions that no worker owns, or whose owner does not answer this worker",
    ),
    # Counted since the worker started. The causes are those of `streaming/faust/continuity.py`.
    Metric(
        WORKER,
        "foreign_changelog_rows",
        COUNTER,
        "changelog records that are no rows of gridwatch, and were skipped",
        ("stage",),
    ),
    Metric(WORKER, "reread_batches", COUNTER, _REREAD, ("cause",)),
    # Outputs that the brokers acknowledged since the worker started, by the partition that they come from. A
    # crash repeats some.
    Metric(
        WORKER,
        "windows_emitted",
        COUNTER,
        "windows of meters that were emitted, every revision, by their length",
        (*_PARTITION, "length"),
    ),
    Metric(
        WORKER,
        "anomalies_emitted",
        COUNTER,
        "anomalies of meters that were emitted, every revision",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "bundles_emitted",
        COUNTER,
        "bundles that were emitted: what a partition of readings says of the regions as it crosses a minute",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "regional_windows_emitted",
        COUNTER,
        "windows of regions that were emitted, every revision",
        _PARTITION,
    ),
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
        "offset in the source topic up to which everything is committed",
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
        "readings too far ahead to move the watermark until a second meter confirms them",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "open_transaction_seconds",
        GAUGE,
        "how long an open transaction has held back the records after it, 0 if none",
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
        "how long a tick has been due in the idle partition, 0 if none is",
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
    # Of the partitions of the stage `regions`.
    Metric(WORKER, "regions_known", GAUGE, "regions that a source has told of", _PARTITION),
    Metric(
        WORKER,
        "region_load_percent",
        GAUGE,
        "load of the region's newest published window, of its capacity; no value without a load, and for"
        f" regions below the {MOST_REGIONS} with the highest one",
        (*_PARTITION, "region"),
    ),
    Metric(
        WORKER,
        "windows_unpublished",
        GAUGE,
        "windows of regions that wait for a source to pass their end",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "unpublished_age_seconds",
        GAUGE,
        "event time from the end of the oldest window that is not published to the most advanced source, 0 if"
        " all are published",
        _PARTITION,
    ),
    Metric(
        WORKER,
        "sources_out",
        GAUGE,
        "source partitions that are not waited for, so that windows are incomplete without them",
        _PARTITION,
    ),
    Metric(WORKER, "incidents_open", GAUGE, "incidents that are open now, by kind", (*_PARTITION, "kind")),
    # Of the sink.
    Metric(SINK, "ready", GAUGE, "1 when the sink is ready, 0 when not (the reasons are at /ready/)"),
    Metric(SINK, "last_commit_seconds", GAUGE, "time the last transaction took, seconds"),
    Metric(SINK, "last_commit_timestamp_seconds", GAUGE, "when the last transaction ended, Unix time"),
    Metric(
        SINK,
        "waiting_seconds",
        GAUGE,
        "how long the sink has been waiting for the database, 0 while it answers",
    ),
    Metric(SINK, "partitions_assigned", GAUGE, "topic partitions read by this sink"),
    Metric(SINK, "broker_problems", GAUGE, "problems of brokers and topics, as listed at /ready/"),
    Metric(SINK, "commits", COUNTER, "transactions committed"),
    Metric(SINK, "retries", COUNTER, "transactions retried because the database did not answer"),
    Metric(SINK, "dead_letters", COUNTER, "dead letters sent by the sink"),
    Metric(SINK, "lost_dead_letters", COUNTER, "dead letters that could not be stored as a row"),
    Metric(SINK, "commit_seconds", COUNTER, "time spent in transactions, seconds"),
    Metric(SINK, "rows", COUNTER, "rows committed to the database, repetitions included", ("topic",)),
    Metric(SINK, "refused_rows", COUNTER, "rows that the database refused", ("topic",)),
    Metric(
        SINK,
        "skipped_records",
        COUNTER,
        "records of a home that were not stored: kept by the MQTT broker, and without a time of their own",
        ("topic",),
    ),
    Metric(SINK, "reread_batches", COUNTER, _REREAD, ("cause",)),
    Metric(
        SINK,
        "lag_records",
        GAUGE,
        "records of the topic partition from the committed offset to its end",
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
    # Of the HTTP entrance.
    Metric(INGEST, "ready", GAUGE, "1 when it accepts readings, else 0 (the reasons are at /ready/)"),
    Metric(INGEST, "ack_wait_seconds", GAUGE, _ENTRANCE_ACK),
    Metric(INGEST, "pending_bytes", GAUGE, "readings that are not acknowledged yet, bytes"),
    Metric(INGEST, "answers", COUNTER, "requests answered, by status", ("status",)),
    Metric(INGEST, "accepted_readings", COUNTER, "readings accepted and acknowledged by Kafka"),
    Metric(INGEST, "rejected_readings", COUNTER, "readings rejected, by their first reason", ("reason",)),
    Metric(INGEST, "received_bytes", COUNTER, "bodies received, unpacked, bytes"),
    Metric(INGEST, "request_seconds", COUNTER, "time spent on requests, seconds"),
    # Of the MQTT entrance.
    Metric(BRIDGE, "ready", GAUGE, "1 when messages are bridged, 0 when not (the reasons are at /ready/)"),
    Metric(BRIDGE, "connected", GAUGE, "1 while the MQTT broker is connected"),
    Metric(BRIDGE, "ack_wait_seconds", GAUGE, _ENTRANCE_ACK),
    Metric(BRIDGE, "unacknowledged_messages", GAUGE, "messages whose PUBACK waits for Kafka's ack"),
    Metric(BRIDGE, "dropped_messages", COUNTER, "messages of QoS 0 dropped while Kafka was away"),
    Metric(BRIDGE, "connections", COUNTER, "connections to the MQTT broker made since the start"),
    Metric(BRIDGE, "messages", COUNTER, "messages received, redelivered ones too, by rule", ("rule",)),
    Metric(BRIDGE, "redelivered_messages", COUNTER, "messages that the broker delivered again", ("rule",)),
    Metric(BRIDGE, "retained_messages", COUNTER, "retained messages of a new subscription", ("rule",)),
    Metric(BRIDGE, "ignored_messages", COUNTER, "messages that are not about measurements", ("rule",)),
    Metric(BRIDGE, "measurements", COUNTER, "measurements written to Kafka", ("rule",)),
    Metric(BRIDGE, "time_assigned", COUNTER, "those whose time is that of their arrival", ("rule",)),
    Metric(BRIDGE, "readings", COUNTER, "readings written to the raw topic", ("rule",)),
    Metric(BRIDGE, "dead_letters", COUNTER, "messages that are no measurement", ("rule", "reason")),
)


def metrics_of(service: Service) -> dict[str, Metric]:
    """The metrics of a service's page, in order, by name."""
    return {one.name: one for one in METRICS if one.service == service}


def system_metrics_of(service: Service) -> dict[str, str]:
    """The system metrics of a service, in order: name → meaning."""
    return {one.name: one.meaning for one in SYSTEM_METRICS if one.service == service}
