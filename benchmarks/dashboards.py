"""The duration of the dashboards' queries: `python -m benchmarks.dashboards [--readings N]`.

A plain PostgreSQL with N readings (10 million by default) of 20 000 meters every half hour, with gaps, late
readings, metrics and dead letters in proportion, the quarters of an hour of a day, minutes of some meters,
eight days of a hundred regions, incidents, a million anomalies of 90 days, and eight days of a home, made by
the server itself. Each query is run as Grafana does for the last 24 hours and for the last week, three times,
and the median counts. Plans are stored with the results (`benchmarks/results/dashboards/`). Exit 1 if a query
takes more than 200 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import click
import psutil
import psycopg2

from benchmarks.measuring import home
from benchmarks.race.race import cpu_seconds
from dashboards.expansion import PanelQuery, Raw, View, expand, panel_queries
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.embedded import EmbeddedPostgres
from sinks.schema.version import migrate

RESULTS = Path(__file__).with_name("results") / "dashboards"
LIMIT_MS = 200.0
METERS = 20_000
#: The time range, and Grafana's bucket sizes for it: `$interval` and `$__interval`.
RANGES = {timedelta(days=1): ("12m", "1m"), timedelta(days=7): ("1h", "10m")}
PARTITIONS = 6
REGIONS = 100
ANOMALIES = 1_000_000

#: In order of time, as in a stream. One reading in ten late, one slot in twenty missing.
FILL = (
    """
    INSERT INTO validated_readings (time, meter_id, consumption_kwh, status, delay_seconds, flags,
        interval_minutes, region, source_partition, source_offset, source_index, id, watermark)
    SELECT at, 'METER_' || lpad(meter::text, 6, '0'), 0.5 + meter %% 7 / 10.0,
           CASE WHEN (meter + slot) %% 10 = 0 THEN 'LATE' ELSE 'OK' END,
           CASE WHEN (meter + slot) %% 10 = 0 THEN 30 + meter %% 4000 ELSE 0 END,
           '{}', 30, 'region ' || meter %% 12, meter %% 6, slot * 20000 + meter, 0,
           slot || '-' || meter, at
    FROM (SELECT slot, %(end)s::timestamptz - (%(slots)s - slot) * INTERVAL '30 minutes' AS at
          FROM generate_series(1, %(slots)s) AS slot) AS times,
         generate_series(1, %(meters)s) AS meter
    """,
    """
    INSERT INTO gap_alerts (time, gap_id, meter_id, revision, state, missing_from, missing_to,
        missing_intervals, filled_intervals, missing_ranges, gap_minutes, interval_minutes, expected_at,
        detected_at, last_seen, grace_seconds, reason, region, source_partition, source_offset)
    SELECT at, meter || '@' || at, 'METER_' || lpad(meter::text, 6, '0'), 1,
           CASE WHEN slot = %(slots)s AND meter %% 10 = 0 THEN 'OPEN' ELSE 'CLOSED' END, at,
           at + INTERVAL '30 minutes', 1, 0,
           jsonb_build_array(jsonb_build_array(at, at + INTERVAL '30 minutes')),
           30, 30, at, at, at, 900, 'no reading by its deadline', 'region ' || meter %% 12, meter %% 6, slot
    FROM (SELECT slot, %(end)s::timestamptz - (%(slots)s - slot) * INTERVAL '30 minutes' AS at
          FROM generate_series(1, %(slots)s) AS slot) AS times,
         generate_series(1, %(meters)s) AS meter WHERE (meter + slot) %% 40 = 0
    """,
    """
    INSERT INTO late_events (time, meter_id, consumption_kwh, delay_seconds, allowed_lateness_seconds, flags,
        watermark, source_partition, source_offset, source_index, id)
    SELECT at, 'METER_' || lpad((n %% %(meters)s)::text, 6, '0'), 1, 4000 + n %% 9000, 3600, '{}', at, n %% 6,
           n, 0, 'late-' || n
    FROM (SELECT n, %(end)s::timestamptz - n * INTERVAL '8 seconds' AS at
          FROM generate_series(1, 100000) AS n) AS late
    """,
    """
    INSERT INTO metrics (time, window_end, metric, value, scope, partition, revision, labels, id)
    SELECT at, at + INTERVAL '5 minutes', metric, 100 + n %% 7, 'event', partition, 1, '{}',
           metric || n || '/' || partition
    FROM (SELECT n, %(end)s::timestamptz - n * INTERVAL '5 minutes' AS at
          FROM generate_series(1, 2880) AS n) AS t,
         unnest(%(event)s::text[]) AS metric, generate_series(0, 5) AS partition
    """,
    """
    INSERT INTO metrics (time, window_end, metric, value, scope, partition, revision, labels, id)
    SELECT at, at + INTERVAL '10 seconds', metric, 10 + n %% 7, 'system', partition, 1, '{}',
           metric || n || '/' || partition
    FROM (SELECT n, %(end)s::timestamptz - n * INTERVAL '10 seconds' AS at
          FROM generate_series(1, %(days)s * 8640) AS n) AS t,
         unnest(%(system)s::text[]) AS metric, generate_series(0, 5) AS partition
    """,
    """
    INSERT INTO dead_letters (time, id, reasons, message, raw, raw_encoding, raw_size, raw_truncated, topic,
        partition, "offset", index)
    SELECT %(end)s::timestamptz - n * INTERVAL '20 seconds', 'dead-' || n,
           ARRAY[(ARRAY['NOT_JSON', 'NEGATIVE', 'BAD_TIMESTAMP'])[1 + n %% 3]], 'bad', '{', 'utf-8', 1, FALSE,
           'smartmeter_raw', n %% 6, n, 0
    FROM generate_series(1, 50000) AS n
    """,
    # In order of time: so they arrive, and so the index by ranges of pages is of use.
    """
    INSERT INTO aggregates_15m (time, window_end, meter_id, revision, region, reading_count,
        expected_readings, completeness, energy_kwh_sum, power_kw_avg, power_kw_min, power_kw_max,
        source_partition, received_at, id)
    SELECT at, at + INTERVAL '15 minutes', 'METER_' || lpad(meter::text, 6, '0'), 1,
           'region ' || meter %% %(regions)s, 15, 15, 1, n * meter %% 100 / 50.0, 1, 0.5, 3, meter %% 6, at,
           meter || '@' || at || '/15m'
    FROM (SELECT n, date_trunc('hour', %(end)s::timestamptz) - n * INTERVAL '15 minutes' AS at
          FROM generate_series(1, 96) AS n) AS t,
         generate_series(1, %(meters)s) AS meter ORDER BY at
    """,
    """
    INSERT INTO aggregates_1m (time, window_end, meter_id, revision, region, reading_count,
        expected_readings, completeness, energy_kwh_sum, power_kw_avg, power_kw_min, power_kw_max,
        source_partition, received_at, id)
    SELECT at, at + INTERVAL '1 minute', 'METER_' || lpad(meter::text, 6, '0'), 1,
           'region ' || meter %% %(regions)s, 1, 1, 1, n * meter %% 100 / 750.0, 1, 0.5, 3, meter %% 6, at,
           meter || '@' || at || '/1m'
    FROM (SELECT n, date_trunc('hour', %(end)s::timestamptz) - n * INTERVAL '1 minute' AS at
          FROM generate_series(1, 1440) AS n) AS t,
         generate_series(100, 200) AS meter ORDER BY at
    """,
    """
    INSERT INTO regional_aggregates_15m (time, region, window_start, window_end, revision, state, complete,
        quality, meters_active, meters_reporting, completeness, energy_kwh_sum, load_kw, power_kw_min,
        power_kw_max, capacity_kw, load_percentage, prorated, uncovered, id)
    SELECT at, 'region ' || region, at, at + INTERVAL '15 minutes', 1, CASE WHEN n < 5 THEN 'PRELIMINARY'
           ELSE 'FINAL' END, TRUE, CASE WHEN known THEN 'OK' ELSE 'INSUFFICIENT' END, 200, 190, 0.95,
           100 + n * region %% 50, CASE WHEN known THEN 400 + n * region %% 200 END, 300, 700, 650,
           CASE WHEN known THEN (400 + n * region %% 200) / 6.5 END, FALSE, 3, region || '@' || at
    FROM (SELECT n, date_trunc('hour', %(end)s::timestamptz) - n * INTERVAL '15 minutes' AS at
          FROM generate_series(1, %(days)s * 96) AS n) AS t,
         generate_series(0, %(regions)s - 1) AS region, LATERAL (SELECT (n + region) %% 97 > 0 AS known) AS k
    ORDER BY at
    """,
    """
    INSERT INTO incidents (time, id, kind, region, target, state, revision, started_at, updated_at, ended_at,
        meters_open, meters_active, meters_peak, meters, parent_id)
    SELECT at, 'feeder:' || n, 'feeder', 'region ' || n %% %(regions)s, 'F' || n,
           CASE WHEN n < 5 THEN 'OPEN' ELSE 'CLOSED' END, 2, at, at + INTERVAL '5 minutes',
           CASE WHEN n >= 5 THEN at + INTERVAL '30 minutes' END, 5, 9, 7, '["METER_000001"]', NULL
    FROM (SELECT n, %(end)s::timestamptz - n * INTERVAL '20 minutes' AS at
          FROM generate_series(1, 1000) AS n) AS t
    """,
    # One in a hundred was taken back, one in two hundred is open; one meter in a hundred has half of them.
    """
    INSERT INTO anomalies (time, anomaly_id, meter_id, kind, revision, state, reason, severity, confidence,
        window_start, window_end, detected_at, ended_at, unit, value, baseline, deviation_percent, region,
        source_partition, received_at)
    SELECT at, meter || '@' || n, 'METER_' || lpad(meter::text, 6, '0'),
           (%(kinds)s::text[])[1 + n %% cardinality(%(kinds)s::text[])], 2, state,
           CASE state WHEN 'CLOSED' THEN 'RETURNED' WHEN 'RETRACTED' THEN 'REVISED' END,
           (ARRAY['low', 'medium', 'high', 'critical'])[1 + n %% 4],
           CASE WHEN n %% 5 = 0 THEN 'high' ELSE 'low' END, at, at + INTERVAL '15 minutes',
           at + INTERVAL '15 minutes', CASE WHEN state = 'CLOSED' THEN at + INTERVAL '1 hour' END,
           'kW', 9, 1.5, 500, 'region ' || meter %% %(regions)s, meter %% 6, at
    FROM (SELECT n, CASE WHEN n %% 2 = 0 THEN n %% 200 + 100 ELSE n * 7919::bigint %% %(meters)s END AS meter,
                 CASE WHEN n %% 100 = 1 THEN 'RETRACTED' WHEN n %% 200 = 3 THEN 'OPEN' ELSE 'CLOSED' END
                     AS state,
                 date_trunc('hour', %(end)s::timestamptz) - n * INTERVAL '7.776 seconds' AS at
          FROM generate_series(1, %(anomalies)s) AS n) AS t
    ORDER BY at
    """,
    *home.FILL,
    "VACUUM ANALYZE",
)


def fill(cursor: Any, readings: int, end: datetime) -> None:
    """Generate the rows; `end` is the time of the newest."""
    from gridwatch.domain.partition.windows import METRICS as EVENT_METRICS
    from gridwatch.health.metrics import SYSTEM_METRICS
    from gridwatch.models.anomaly import AnomalyKind

    values = {
        "end": end,
        "slots": max(48, readings // METERS),
        "days": max(RANGES).days + 1,
        "meters": METERS,
        "regions": REGIONS,
        "anomalies": ANOMALIES,
        "kinds": list(get_args(AnomalyKind)),
        "event": list(EVENT_METRICS),
        "system": [one.name for one in SYSTEM_METRICS],
    }
    for statement in FILL:
        started = time.monotonic()
        cursor.execute(statement, values if "%(" in statement else None)
        print(f"{time.monotonic() - started:7.1f} s  {' '.join(statement.split())[:60]}", file=sys.stderr)


def measure(cursor: Any, server: psutil.Process, query: PanelQuery, view: View) -> tuple[float, float, int]:
    """Milliseconds by the clock (the middle of three tries), of the server's CPU (of one), number of rows.

    Keeps the plan.
    """
    sql = expand(query.sql, view)
    times = []
    rows = 0
    used = cpu_seconds(server)
    for _ in range(3):
        started = time.perf_counter()
        cursor.execute(sql)
        rows = len(cursor.fetchall())
        times.append((time.perf_counter() - started) * 1000)
    used = (cpu_seconds(server) - used) / len(times) * 1000
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}")
    plan = "\n".join(line for (line,) in cursor.fetchall())
    name = "".join(letter if letter.isalnum() else "-" for letter in str(query))
    (RESULTS / f"{name}-{(view.end - view.start).days}d.txt").write_text(
        f"{sql}\n\n{plan}\n", encoding="utf-8"
    )
    return statistics.median(times), used, rows


@click.command(epilog="Example:  python -m benchmarks.dashboards --readings 1000000")
@click.option("--readings", default=10_000_000, show_default=True, help="Rows of validated_readings.")
def main(readings: int) -> None:
    """Time every query of the dashboards on a plain PostgreSQL with many rows, for a day and a week."""
    exit_when_terminated()
    RESULTS.mkdir(parents=True, exist_ok=True)
    end = datetime.now(UTC).replace(microsecond=0)
    everything = Raw("'*'")
    slow = 0
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-bench-") as folder,
        EmbeddedPostgres(folder, fsync=False, overrides={"max_wal_size": "4GB"}) as server,
    ):
        migrate(server.url)
        session = psycopg2.connect(server.url)
        session.autocommit = True
        backend = psutil.Process(session.info.backend_pid)
        with session.cursor() as cursor:
            fill(cursor, readings, end)
            for length, (chosen, gathered) in RANGES.items():
                variables = {
                    "flow": "smartmeter",
                    "meter": "METER_000123",
                    "region": everything,
                    "window": "auto",
                    "partition": everything,
                    "kind": everything,
                    "confidence": everything,
                    "device": everything,
                }
                view = View(end - length, end, {**variables, "interval": chosen}, interval=gathered)
                for query in panel_queries():
                    taken, used, rows = measure(cursor, backend.parent() or backend, query, view)
                    slow += taken > LIMIT_MS
                    mark = "SLOW  " if taken > LIMIT_MS else ""
                    figures = f"{taken:8.1f} ms  {used:6.0f} ms CPU  {rows:6} rows  {length.days} d"
                    print(f"{figures}  {mark}{query}")
        session.close()
    print(f"plans: {RESULTS}")
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
