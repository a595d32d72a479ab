"""The queries of Data Quality Overview."""

from __future__ import annotations

from dashboards.queries import FLOW_CHOSEN, GAP_SECONDS, NO_REGION, REGION_CHOSEN, grouped, partition_chosen

OF_METRICS = f'$__timeFilter("time") AND {partition_chosen()}'
OF_GAPS = f"{REGION_CHOSEN} AND {partition_chosen('source_partition')}"
#: Minutes in a group of windows: the interval chosen, or the length of a window if that is longer.
GROUP_MINUTES = (
    "(greatest(extract(epoch FROM '$interval'::interval),"
    ' max(extract(epoch FROM window_end - "time"))) / 60)'
)

OPEN_GAPS = f"""SELECT count(*) AS "open gaps" FROM gap_alerts WHERE state = 'OPEN' AND {OF_GAPS}"""

SILENT_METERS = f"""
SELECT count(DISTINCT meter_id) AS "meters" FROM gap_alerts WHERE state = 'OPEN' AND {OF_GAPS}
"""

ACTIVE_METERS = f"""
SELECT max(meters) AS "meters" FROM (
    SELECT sum(value) AS meters FROM metrics WHERE metric = 'active_meters' AND {OF_METRICS} GROUP BY "time"
) AS windows
"""

LATE_SHARE = f"""
SELECT 100 * sum(value) FILTER (WHERE metric IN ('readings_late', 'readings_too_late'))
     / nullif(sum(value) FILTER (WHERE metric = 'readings_received'), 0) AS "late"
FROM metrics WHERE metric IN ('readings_late', 'readings_too_late', 'readings_received') AND {OF_METRICS}
"""

COMPLETENESS = f"""
SELECT 100 * readings.there / nullif(readings.there + gaps.missing, 0) AS "complete"
FROM (SELECT sum(value) AS there FROM metrics
      WHERE metric = 'readings_validated' AND {OF_METRICS}) AS readings,
     (SELECT coalesce(sum(missing_intervals), 0) AS missing FROM gap_alerts
      WHERE state <> 'RETRACTED' AND $__timeFilter("time") AND {partition_chosen("source_partition")}) AS gaps
"""

DEAD_LETTERS = f"""
SELECT count(*) AS "dead letters" FROM dead_letters WHERE $__timeFilter("time") AND {partition_chosen()}
"""

READINGS_A_MINUTE = f"""
SELECT {grouped("$interval")}, replace(metric, 'readings_', '') AS metric,
       sum(value) / {GROUP_MINUTES} AS value
FROM metrics
WHERE metric IN ('readings_received', 'readings_validated', 'readings_late', 'readings_too_late',
                 'readings_invalid', 'readings_duplicate') AND {OF_METRICS}
GROUP BY 1, 2 ORDER BY 1, 2
"""

METERS_OVER_TIME = f"""
SELECT {grouped("$interval")}, max(meters) AS "meters with readings"
FROM (SELECT "time", sum(value) AS meters FROM metrics
      WHERE metric = 'active_meters' AND {OF_METRICS} GROUP BY "time") AS windows
GROUP BY 1 ORDER BY 1
"""

MISSING_AN_HOUR = f"""
SELECT bucket AS "time", sum_value AS "missing intervals" FROM metrics_summary_hourly
WHERE metric = 'missing_intervals' AND {FLOW_CHOSEN} AND $__timeFilter(bucket) ORDER BY 1
"""

GAPS_AN_HOUR = f"""
SELECT {grouped("1 hour")}, count(*) AS "gaps begun",
       count(*) FILTER (WHERE state = 'OPEN') AS "of them still open"
FROM gap_alerts WHERE state <> 'RETRACTED' AND $__timeFilter("time") AND {OF_GAPS}
GROUP BY 1 ORDER BY 1
"""

SHARES_OVER_TIME = f"""
SELECT {grouped("$interval")},
       100 * sum(value) FILTER (WHERE metric IN ('readings_late', 'readings_too_late'))
           / nullif(sum(value) FILTER (WHERE metric = 'readings_received'), 0) AS "late",
       100 * sum(value) FILTER (WHERE metric = 'readings_validated')
           / nullif(sum(value) FILTER (WHERE metric IN ('readings_validated', 'missing_intervals')), 0)
           AS "complete"
FROM metrics
WHERE metric IN ('readings_late', 'readings_too_late', 'readings_received', 'readings_validated',
                 'missing_intervals') AND {OF_METRICS}
GROUP BY 1 ORDER BY 1
"""

TOP_METERS = f"""
SELECT meter_id AS meter, max(region) AS region, count(*) AS gaps,
       sum(missing_intervals) AS "missing intervals", sum({GAP_SECONDS}) AS "missing time",
       max("time") AS "last gap"
FROM gap_alerts WHERE state <> 'RETRACTED' AND $__timeFilter("time") AND {OF_GAPS}
GROUP BY meter_id ORDER BY gaps DESC, meter_id LIMIT 10
"""

LONGEST_OPEN = f"""
SELECT meter_id AS meter, region, missing_from AS "missing since", {GAP_SECONDS} AS "missing time",
       missing_intervals AS "missing intervals", last_seen AS "last seen", reason
FROM gap_alerts WHERE state = 'OPEN' AND {OF_GAPS}
ORDER BY gap_minutes DESC, gap_id LIMIT 20
"""

DELAYS = f"""
SELECT (ARRAY['to 1 min', 'to 5 min', 'to 15 min', 'to 1 h', 'to 6 h', 'above'])[bin + 1] AS delay,
       count(*) AS readings
FROM (
    SELECT width_bucket(delay_seconds, ARRAY[60, 300, 900, 3600, 21600]::float8[]) AS bin FROM (
        SELECT delay_seconds FROM validated_readings
        WHERE status = 'LATE' AND {FLOW_CHOSEN} AND $__timeFilter("time")
        UNION ALL
        SELECT delay_seconds FROM late_events
        WHERE $__timeFilter("time") AND {partition_chosen("source_partition")}
    ) AS late
) AS binned
GROUP BY bin ORDER BY bin
"""

DEAD_LETTERS_BY_REASON = f"""
SELECT reason, count(*) AS "dead letters" FROM dead_letters, unnest(reasons) AS reason
WHERE $__timeFilter("time") AND {partition_chosen()}
GROUP BY reason ORDER BY 2 DESC, 1
"""

BY_REGION = f"""
SELECT coalesce(region, '{NO_REGION}') AS region, count(DISTINCT meter_id) AS "meters with gaps",
       count(*) AS gaps,
       count(*) FILTER (WHERE state = 'OPEN') AS "open", sum(missing_intervals) AS "missing intervals",
       sum({GAP_SECONDS}) AS "missing time"
FROM gap_alerts WHERE state <> 'RETRACTED' AND $__timeFilter("time") AND {OF_GAPS}
GROUP BY 1 ORDER BY gaps DESC, 1 LIMIT 100
"""
