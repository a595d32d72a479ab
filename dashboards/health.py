"""System & Stream Health: whether gridwatch itself works. A service that reports nothing shows red."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import GREEN, MUST_BE_ONE, ORANGE, RED, Steps, heading, lines, number, rows, status
from dashboards.queries import PrometheusQuery
from dashboards.sql import health as sql

#: Age in seconds of a report that is due every ten.
FRESH: Steps = ((None, GREEN), (60, ORANGE), (300, RED))
LAG_STEPS: Steps = ((None, GREEN), (10_000, ORANGE), (1_000_000, RED))


def build() -> Dashboard:
    """The dashboard."""
    return (
        dashboard(
            "gridwatch-health",
            "System & Stream Health",
            "Whether gridwatch itself works: lag, cost, size, and which services report at all."
            " Times are wall clock unless stated otherwise.",
            variables.flow(),
            variables.partition(),
            variables.interval(),
        )
        .with_panel(
            number(
                "Partitions reporting",
                "Partitions whose worker reported within the last minute. 0: no worker is up, or its"
                " metrics do not reach the database.",
                sql.REPORTING,
                unit="short",
                steps=MUST_BE_ONE,
            )
        )
        .with_panel(
            number(
                "Last report of a worker",
                "Age of the newest metric from any worker.",
                sql.LAST_REPORT,
                unit="s",
                steps=FRESH,
                no_value="never",
            )
        )
        .with_panel(
            number(
                "Last report of a sink",
                "Age of the newest metric from any sink.",
                sql.SINK_LAST_REPORT,
                unit="s",
                steps=FRESH,
                no_value="never",
            )
        )
        .with_panel(
            number(
                "Total lag",
                "Raw records not processed yet, over all partitions that reported within five minutes.",
                sql.LAG_NOW,
                unit="short",
                steps=LAG_STEPS,
                no_value="no report",
                width=6,
            )
        )
        .with_panel(
            number(
                "Slowest watermark",
                "Wall time minus the lowest watermark, of partitions that reported within five minutes."
                " In a replay of old data this is the age of the data.",
                sql.SLOWEST_WATERMARK,
                unit="s",
                steps=((None, GREEN), (3600, ORANGE), (86_400, RED)),
                no_value="no report",
                width=6,
            )
        )
        .with_panel(
            rows(
                "Partitions",
                "The last report on each partition, in the last hour of the time range in which any worker"
                " reported.",
                sql.PARTITIONS,
                units={"watermark lag": "s"},
                width=24,
            )
        )
        .with_row(heading("Stream"))
        .with_panel(
            lines(
                "Watermark lag",
                "Wall time minus each partition's watermark.",
                sql.of_partitions("watermark_lag_seconds"),
                unit="s",
            )
        )
        .with_panel(
            lines(
                "Consumer lag",
                "Raw records from the committed offset to the end of each partition.",
                sql.of_partitions("consumer_lag_records"),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Batch time",
                "Time that the last batch took, from decode to RocksDB.",
                sql.of_partitions("batch_seconds"),
                unit="s",
            )
        )
        .with_panel(
            lines(
                "Batch size", "Records in the last batch.", sql.of_partitions("batch_records"), unit="short"
            )
        )
        .with_panel(
            lines(
                "Meters with state",
                "Meters in the workers' state, over the partitions chosen.",
                sql.in_all("state_meters", "meters"),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Open gaps",
                "Gaps open in the workers' state, over the partitions chosen.",
                sql.in_all("open_gaps", "open gaps"),
                unit="short",
            )
        )
        .with_panel(
            lines(
                "Gaps, late and invalid readings",
                "Counts in each interval of event time.",
                sql.RATES,
                unit="short",
                bars=True,
            )
        )
        .with_panel(
            lines(
                "Dead letters",
                "Records that could not be read or stored, by topic: the worker's are of the raw topic, the"
                " others are the sink's.",
                sql.DEAD_LETTERS,
                unit="short",
                bars=True,
            )
        )
        .with_row(heading("Database"))
        .with_panel(
            lines(
                "Rows written",
                "Rows per second committed to the database, by partition of their topic.",
                sql.ROWS_A_SECOND,
                unit="rowsps",
            )
        )
        .with_panel(
            lines(
                "Time of a transaction",
                "Mean time of a transaction of the sink.",
                sql.of_partitions("sink_commit_seconds", "avg"),
                unit="s",
            )
        )
        .with_row(heading("Processes, from Prometheus"))
        .with_panel(
            status(
                "Up",
                "1 for each worker and sink that Prometheus can scrape, 0 if it is down.",
                'up{job=~"gridwatch-.*"}',
                "{{job}} {{instance}}",
                width=12,
            )
        )
        .with_panel(
            status(
                "Ready",
                "1 if a worker is ready; if not, its page /ready/ has the reasons.",
                "gridwatch_ready",
                "{{job}} {{instance}}",
                width=12,
            )
        )
        .with_panel(
            lines(
                "Throughput",
                "Raw records committed per second, by worker.",
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
                "Problems of brokers and topics, retried transactions, and rows that the database refused.",
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
                "1 while state is recovered from the changelog, or partitions are reassigned.",
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
                "CPU cores used by each process.",
                PrometheusQuery(
                    'rate(process_cpu_seconds_total{job=~"gridwatch-.*"}[1m])', "{{job}} {{instance}}"
                ),
                unit="none",
            )
        )
    )
