"""The queries of Meter Drill-Down."""

from __future__ import annotations

from dashboards.queries import GAP_SECONDS, INTERVAL_SECONDS, METER_CHOSEN

OF_METER = f'{METER_CHOSEN} AND $__timeFilter("time")'

#: A gap is in the range if any part of it is.
OVERLAPPING = f"{METER_CHOSEN} AND missing_from <= $__timeTo() AND missing_to >= $__timeFrom()"

CONSUMPTION = f"""SELECT "time", consumption_kwh AS "consumption" FROM validated_readings
WHERE {OF_METER} ORDER BY 1"""

LATE_MARKS = f"""
SELECT "time", consumption_kwh AS "late" FROM validated_readings WHERE status = 'LATE' AND {OF_METER}
ORDER BY 1
"""

TOO_LATE_MARKS = f"""
SELECT "time", consumption_kwh AS "too late" FROM late_events WHERE {OF_METER} ORDER BY 1
"""

REVISED_MARKS = f"""
SELECT "time", first_kwh AS "value before revision" FROM validated_readings
WHERE first_kwh IS NOT NULL AND {OF_METER} ORDER BY 1
"""

MISSING_REGIONS = f"""
SELECT (slot ->> 0)::timestamptz AS "time", (slot ->> 1)::timestamptz AS "timeend",
       state || ': ' || reason AS "text", lower(state) AS "tags"
FROM gap_alerts, jsonb_array_elements(missing_ranges) AS slot
WHERE state <> 'RETRACTED' AND {OVERLAPPING} ORDER BY 1
"""

LAST_SEEN = f"""
SELECT extract(epoch FROM max("time")) * 1000 AS "last reading" FROM validated_readings WHERE {METER_CHOSEN}
"""

INTERVAL = f"""
SELECT {INTERVAL_SECONDS} AS "interval" FROM validated_readings
WHERE {OF_METER} ORDER BY "time" DESC LIMIT 1
"""

COMPLETENESS = f"""
SELECT 100.0 * readings.there / nullif(readings.there + gaps.missing, 0) AS "complete"
FROM (SELECT count(*) AS there FROM validated_readings WHERE {OF_METER}) AS readings,
     (SELECT coalesce(sum(missing_intervals), 0) AS missing FROM gap_alerts
      WHERE state <> 'RETRACTED' AND {OF_METER}) AS gaps
"""

MISSING = f"""
SELECT coalesce(sum(missing_intervals), 0) AS "missing intervals" FROM gap_alerts
WHERE state <> 'RETRACTED' AND {OF_METER}
"""

LATE = f"""
SELECT (SELECT count(*) FROM validated_readings WHERE status = 'LATE' AND {OF_METER})
     + (SELECT count(*) FROM late_events WHERE {OF_METER}) AS "late readings"
"""

TOTAL = f"""SELECT sum(consumption_kwh) AS "consumption" FROM validated_readings WHERE {OF_METER}"""

STATISTICS = f"""
SELECT count(*) AS readings, min(consumption_kwh) AS "lowest", avg(consumption_kwh) AS "mean",
       percentile_cont(0.5) WITHIN GROUP (ORDER BY consumption_kwh) AS "median",
       max(consumption_kwh) AS "highest",
       count(*) FILTER (WHERE consumption_kwh = 0) AS "zero",
       count(*) FILTER (WHERE flags <> '{{}}') AS "with a flag",
       min("time") AS "first", max("time") AS "last", max(region) AS region
FROM validated_readings WHERE {OF_METER} HAVING count(*) > 0
"""

GAPS = f"""
SELECT state, missing_from AS "missing from", missing_to AS "missing to",
       missing_intervals AS "still missing",
       filled_intervals AS "filled later", {GAP_SECONDS} AS "missing time", expected_at AS "expected at",
       detected_at AS "last change at", last_seen AS "last seen", {INTERVAL_SECONDS} AS "interval",
       calendar, revision, reason
FROM gap_alerts WHERE {OVERLAPPING} ORDER BY missing_from DESC LIMIT 500
"""

LATE_READINGS = f"""
SELECT "time", delay_seconds AS delay, 'late' AS "judged", consumption_kwh AS consumption, watermark,
       array_to_string(flags, ' ') AS flags
FROM validated_readings WHERE status = 'LATE' AND {OF_METER}
UNION ALL
SELECT "time", delay_seconds, 'too late', consumption_kwh, watermark, array_to_string(flags, ' ')
FROM late_events WHERE {OF_METER}
ORDER BY 1 DESC LIMIT 500
"""

REVISIONS = f"""
SELECT now.time, now.first_kwh AS "first value", revised.consumption_kwh AS "revised to",
       now.consumption_kwh AS "current value", revised.source_offset AS "at offset"
FROM reading_revisions AS revised JOIN validated_readings AS now USING (meter_id, "time")
WHERE revised.{METER_CHOSEN} AND $__timeFilter(revised.time) ORDER BY 1 DESC, 5 DESC LIMIT 500
"""

INTERVALS = f"""
SELECT "time", {INTERVAL_SECONDS} AS "interval" FROM validated_readings WHERE {OF_METER} ORDER BY 1
"""

ELECTRICAL = f"""
SELECT "time", voltage, "current", power_kw AS "power", power_factor AS "power factor", frequency
FROM validated_readings
WHERE {OF_METER} AND num_nonnulls(voltage, "current", power_kw, power_factor, frequency) > 0 ORDER BY 1
"""
