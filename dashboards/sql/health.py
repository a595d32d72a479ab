"""The queries of System & Stream Health."""

from __future__ import annotations

from dashboards.queries import FLOW_CHOSEN, grouped, partition_chosen

OF_METRICS = f'$__timeFilter("time") AND {partition_chosen()}'

REPORTING = f"""
SELECT count(DISTINCT partition) AS "partitions" FROM metrics
WHERE metric = 'consumer_lag_records' AND "time" > now() - INTERVAL '1 minute' AND {partition_chosen()}
"""

LAST_REPORT = f"""
SELECT extract(epoch FROM now() - (
    SELECT window_end FROM metrics WHERE metric = 'consumer_lag_records' AND {partition_chosen()}
    ORDER BY "time" DESC LIMIT 1
)) AS "ago"
"""

LAG_NOW = f"""
SELECT sum(value) AS "records" FROM (
    SELECT DISTINCT ON (partition) value FROM metrics
    WHERE metric = 'consumer_lag_records' AND "time" > now() - INTERVAL '5 minutes' AND {partition_chosen()}
    ORDER BY partition, "time" DESC
) AS newest
"""

SLOWEST_WATERMARK = f"""
SELECT max(value) AS "lag" FROM (
    SELECT DISTINCT ON (partition) value FROM metrics
    WHERE metric = 'watermark_lag_seconds' AND "time" > now() - INTERVAL '5 minutes' AND {partition_chosen()}
    ORDER BY partition, "time" DESC
) AS newest
"""

SINK_LAST_REPORT = f"""
SELECT extract(epoch FROM now() - (
    SELECT window_end FROM metrics WHERE metric = 'sink_rows' AND {FLOW_CHOSEN} ORDER BY "time" DESC LIMIT 1
)) AS "ago"
"""

PARTITIONS = f"""
SELECT partition,
       max(window_end) AS "last report",
       max(window_end) - make_interval(secs => max(value) FILTER (WHERE metric = 'watermark_lag_seconds'))
           AS "watermark",
       max(value) FILTER (WHERE metric = 'watermark_lag_seconds') AS "watermark lag",
       max(value) FILTER (WHERE metric = 'consumer_lag_records') AS "lag",
       max(value) FILTER (WHERE metric = 'state_meters') AS "meters",
       max(value) FILTER (WHERE metric = 'open_gaps') AS "open gaps"
FROM (
    SELECT DISTINCT ON (metric, partition) metric, partition, value, window_end FROM metrics
    WHERE metric IN ('watermark_lag_seconds', 'consumer_lag_records', 'state_meters', 'open_gaps')
      AND {OF_METRICS}
      AND "time" > (
          SELECT max("time") FROM metrics
          WHERE metric = 'consumer_lag_records' AND {FLOW_CHOSEN} AND $__timeFilter("time")
      ) - INTERVAL '1 hour'
    ORDER BY metric, partition, "time" DESC
) AS newest
GROUP BY partition ORDER BY partition
"""


def of_partitions(metric: str, gather: str = "max") -> str:
    """A system metric over time, one series per partition."""
    return f"""
SELECT "time", 'partition ' || partition AS metric, value FROM (
    SELECT {grouped()}, partition, {gather}(value) AS value
    FROM metrics WHERE metric = '{metric}' AND {OF_METRICS} GROUP BY 1, 2
) AS each ORDER BY 1, partition
"""


def in_all(metric: str, name: str) -> str:
    """A system metric over time, summed over the last value of each partition in a group."""
    return f"""
SELECT "time", sum(value) AS "{name}" FROM (
    SELECT {grouped()}, partition, max(value) AS value
    FROM metrics WHERE metric = '{metric}' AND {OF_METRICS} GROUP BY 1, 2
) AS each GROUP BY 1 ORDER BY 1
"""


ROWS_A_SECOND = f"""
SELECT "time", 'partition ' || partition AS metric, value FROM (
    SELECT {grouped()}, partition,
           sum(value) / nullif(extract(epoch FROM sum(window_end - "time")), 0) AS value
    FROM metrics WHERE metric = 'sink_rows' AND {OF_METRICS} GROUP BY 1, 2
) AS each ORDER BY 1, partition
"""

RATES = f"""
SELECT {grouped("$interval")}, metric, sum(value) AS value
FROM metrics
WHERE metric IN ('readings_invalid', 'readings_late', 'readings_too_late', 'gaps_opened', 'gaps_closed')
  AND {OF_METRICS}
GROUP BY 1, 2 ORDER BY 1, 2
"""

DEAD_LETTERS = f"""
SELECT {grouped("$interval")}, topic AS metric, count(*) AS value
FROM dead_letters WHERE {OF_METRICS} GROUP BY 1, 2 ORDER BY 1, 2
"""
