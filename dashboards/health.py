"""System & Stream Health: whether the detector itself is in order. Silence is not health, and shows red."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import health_sql as ask
from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import GREEN, MUST_BE_ONE, ORANGE, RED, Steps, heading, lamp, lines, number, rows
from dashboards.queries import PrometheusQuery

#: Seconds, of what should be told every ten.
FRESH: Steps = ((None, GREEN), (60, ORANGE), (300, RED))
BEHIND: Steps = ((None, GREEN), (10_000, ORANGE), (1_000_000, RED))


def build() -> Dashboard:
    """The dashboard."""
    return (
        dashboard(
            "gridwatch-health",
            "System & Stream Health",
            "Whether gridwatch itself is in order: lag, cost, size, and whether anybody is heard from at all."
            " Times are wall clock unless said otherwise.",
            variables.partition(),
            variables.interval(),
        )
        .with_panel(
            number(
                "Partitions heard from",
                "Partitions whose worker said something within the last minute. 0: no worker is up, or"
                " nothing it says"
                " gets to the database.",
                ask.HEARD_FROM,
                unit="short",
                steps=MUST_BE_ONE,
            )
        )
        .with_panel(
            number(
                "Worker last heard",
                "Age of the newest number that any worker has told.",
                ask.LAST_HEARD,
                unit="s",
                steps=FRESH,
                no_value="never",
            )
        )
        .with_panel(
            number(
                "Sink last heard",
                "Age of the newest number that any sink has told.",
                ask.SINK_LAST_HEARD,
                unit="s",
                steps=FRESH,
                no_value="never",
            )
        )
        .with_panel(
            number(
                "Records behind",
                "Raw records not worked on yet, over all partitions heard from within five minutes.",
                ask.LAG_NOW,
                unit="short",
                steps=BEHIND,
                no_value="not heard",
                width=6,
            )
        )
        .with_panel(
            number(
                "Slowest watermark",
                "Wall time minus the watermark furthest behind, of partitions heard from within five"
                " minutes. In a"
                " replay of old data this is the age of the data.",
                ask.SLOWEST_WATERMARK,
                unit="s",
                steps=((None, GREEN), (3600, ORANGE), (86_400, RED)),
                no_value="not heard",
                width=6,
            )
        )
        .with_panel(
            rows(
                "Partitions",
                "What the worker of each partition told last, in the last hour of the time range in which any"
                " worker told something.",
                ask.PARTITIONS,
                units={"watermark lag": "s"},
                width=24,
            )
        )
        .with_row(heading("Stream"))
        .with_panel(
            lines(
                "Watermark lag",
                "Wall time minus each partition's watermark: how far behind event time is.",
                ask.of_partitions("watermark_lag_seconds"),
                unit="s",
            )
        )
        .with_panel(
            lines(
                "Consumer lag",
                "Raw records the broker holds beyond the committed state.",
                ask.of_partitions("consumer_lag_records"),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Batch time",
                "Time that the last batch took, from decode to RocksDB.",
                ask.of_partitions("batch_seconds"),
                unit="s",
            )
        )
        .with_panel(
            lines(
                "Batch size", "Records in the last batch.", ask.of_partitions("batch_records"), unit="short"
            )
        )
        .with_panel(
            lines(
                "Meters with state",
                "Meters that the workers remember, over the partitions chosen.",
                ask.in_all("state_meters", "meters"),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Open gaps",
                "Gaps open in the workers' state, over the partitions chosen.",
                ask.in_all("open_gaps", "open gaps"),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Gaps, late and invalid readings",
                "Counts in each interval of event time.",
                ask.RATES,
                unit="short",
                bars=True,
            )
        )
        .with_panel(
            lines(
                "Dead letters",
                "Records that could not be read or stored, by topic: those of the raw topic come from the"
                " worker, the"
                " others from the sink.",
                ask.LETTERS,
                unit="short",
                bars=True,
            )
        )
        .with_row(heading("Database"))
        .with_panel(
            lines(
                "Rows written",
                "Rows committed to the database a second, by partition of their topic.",
                ask.ROWS_A_SECOND,
                unit="rowsps",
            )
        )
        .with_panel(
            lines(
                "Time of a transaction",
                "Mean time of a transaction of the sink.",
                ask.of_partitions("sink_commit_seconds", "avg"),
                unit="s",
            )
        )
        .with_row(heading("Processes, from Prometheus where there is one"))
        .with_panel(
            lamp(
                "Up",
                "1 for each worker and sink that Prometheus reaches, 0 where it is down.",
                'up{job=~"gridwatch-.*"}',
                "{{job}} {{instance}}",
                width=12,
            )
        )
        .with_panel(
            lamp(
                "Ready",
                "1 when a worker is ready for readings; its page /ready/ has the reasons when not.",
                "gridwatch_ready",
                "{{job}} {{instance}}",
                width=12,
            )
        )
        .with_panel(
            lines(
                "Throughput",
                "Raw records committed a second, by worker.",
                PrometheusQuery(
                    'sum by (instance) (rate(gridwatch_committed_offset{stage="readings"}[1m]))',
                    "{{instance}}",
                ),
                unit="cps",
            )
        )
        .with_panel(
            lines(
                "Errors",
                "What is wrong with brokers and topics, transactions that had to be tried again, and rows"
                " that the database refused.",
                PrometheusQuery("gridwatch_broker_problems", "problems {{instance}}", "A"),
                PrometheusQuery("gridwatch_sink_broker_problems", "problems {{instance}}", "B"),
                PrometheusQuery("increase(gridwatch_sink_retries_total[1m])", "retries {{instance}}", "C"),
                PrometheusQuery(
                    "sum by (topic) (increase(gridwatch_sink_refused_rows_total[1m]))",
                    "refused {{topic}}",
                    "D",
                ),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Recovery and rebalance",
                "1 while state is recovered from the changelog, or partitions are handed out anew.",
                PrometheusQuery("gridwatch_recovering", "recovering {{instance}}", "A"),
                PrometheusQuery("gridwatch_rebalancing", "rebalancing {{instance}}", "B"),
                unit="none",
                width=8,
            )
        )
        .with_panel(
            lines(
                "Age of the last commit",
                "Time since the last commit of each stage's partitions, by their worker.",
                PrometheusQuery(
                    "gridwatch_commit_age_seconds", "{{instance}} {{stage}} partition {{partition}}"
                ),
                unit="s",
                width=8,
            )
        )
        .with_panel(
            lines(
                "Partitions by worker",
                "How many partitions each worker owns.",
                PrometheusQuery("gridwatch_partitions_owned", "{{instance}}"),
                unit="short",
                width=8,
            )
        )
        .with_panel(
            lines(
                "Memory",
                "Resident memory of each process.",
                PrometheusQuery('process_resident_memory_bytes{job=~"gridwatch-.*"}', "{{job}} {{instance}}"),
                unit="bytes",
            )
        )
        .with_panel(
            lines(
                "CPU",
                "Cores that each process keeps busy.",
                PrometheusQuery(
                    'rate(process_cpu_seconds_total{job=~"gridwatch-.*"}[1m])', "{{job}} {{instance}}"
                ),
                unit="none",
            )
        )
    )
