"""The queries of Anomalies: what is open, how much there was of which kind, and one meter's power against it.

`time` is the start of the first window. What is open is read by an index of its own whatever its age, one
meter by that of the meters, all else by the time range. Those that were taken back do not count.
"""

from __future__ import annotations

from dashboards.queries import METER_CHOSEN, NO_REGION, REGION_CHOSEN, chosen, grouped
from gridwatch.domain.anomalies.anomaly import SEVERITIES

RANK = f"array_position(ARRAY{list(SEVERITIES)}, severity)"

STANDING = "state <> 'RETRACTED'"
KIND_CHOSEN = f"{chosen('kind', 'kind')} AND {chosen('confidence', 'confidence')}"
OPEN = f"state = 'OPEN' AND {REGION_CHOSEN} AND {KIND_CHOSEN}"
BEGUN = f'$__timeFilter("time") AND {REGION_CHOSEN} AND {KIND_CHOSEN}'

#: An anomaly is in the time range if any part of it is.
OF_METER = f"""{METER_CHOSEN} AND {STANDING} AND {KIND_CHOSEN}
  AND "time" <= $__timeTo() AND coalesce(ended_at, 'infinity') >= $__timeFrom()"""
_SECONDS = 'extract(epoch FROM ended_at - "time")'
_VALUES = 'value, baseline, unit, deviation_percent AS "deviation"'

# -- now

OPEN_NOW = f"""
SELECT count(*) FILTER (WHERE severity = 'critical') AS "critical",
       count(*) FILTER (WHERE severity = 'high') AS "high",
       count(*) FILTER (WHERE severity = 'medium') AS "medium",
       count(*) FILTER (WHERE severity = 'low') AS "low"
FROM anomalies WHERE {OPEN}
"""

OPEN_HIGH = f"""
SELECT count(*) FILTER (WHERE confidence = 'high') AS "anomalies" FROM anomalies WHERE {OPEN}
"""

METERS_OPEN = f"""SELECT count(DISTINCT meter_id) AS "meters" FROM anomalies WHERE {OPEN}"""

OLDEST = f"""SELECT extract(epoch FROM min("time")) * 1000 AS "begun" FROM anomalies WHERE {OPEN}"""

OPEN_LIST = f"""
SELECT severity, confidence, kind, meter_id AS meter, region, "time" AS "since",
       detected_at AS "detected at", {_VALUES}
FROM anomalies WHERE {OPEN} ORDER BY {RANK} DESC, confidence, "time" DESC, anomaly_id LIMIT 100
"""

# -- in the time range


def _amount(where: str) -> str:
    return f"coalesce(sum(amount) FILTER (WHERE {where}), 0)::bigint"


# Grouped first: few rows are left to be judged by state and confidence.
COUNTS = f"""
SELECT {_amount(STANDING)} AS "begun", {_amount(f"{STANDING} AND confidence = 'high'")} AS "high confidence",
       {_amount("state = 'OPEN'")} AS "still open", {_amount("state = 'RETRACTED'")} AS "taken back"
FROM (
    SELECT state, confidence, count(*) AS amount FROM anomalies WHERE {BEGUN} GROUP BY state, confidence
) AS counted
"""

OVER_TIME = f"""
SELECT {grouped()}, kind AS metric, count(*) AS value
FROM anomalies WHERE {STANDING} AND {BEGUN} GROUP BY 1, 2 ORDER BY 1, 2
"""


def _by(column: str) -> str:
    return f"""
SELECT name AS {column}, {_amount(STANDING)} AS "anomalies",
       {_amount(f"{STANDING} AND confidence = 'high'")} AS "high confidence",
       {_amount("state = 'OPEN'")} AS "still open",
       extract(epoch FROM sum(lasted) FILTER (WHERE state = 'CLOSED'))
           / sum(amount) FILTER (WHERE state = 'CLOSED') AS "mean length",
       {_amount("state = 'RETRACTED'")} AS "taken back"
FROM (
    SELECT coalesce({column}, '{NO_REGION}') AS name, state, confidence, count(*) AS amount,
           sum(ended_at - "time") AS lasted
    FROM anomalies WHERE {BEGUN} GROUP BY {column}, state, confidence
) AS counted
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100
"""


BY_KIND = _by("kind")

BY_REGION = _by("region")

# The variable of the confidence is left out: both are counted.
TOP_METERS = f"""
SELECT meter_id AS meter, max(region) AS region,
       count(*) FILTER (WHERE confidence = 'high') AS "high confidence", count(*) AS "anomalies",
       count(*) FILTER (WHERE state = 'OPEN') AS "still open", max("time") AS "newest"
FROM anomalies
WHERE {STANDING} AND $__timeFilter("time") AND {REGION_CHOSEN} AND {chosen("kind", "kind")}
GROUP BY meter_id HAVING count(*) FILTER (WHERE confidence = 'high') > 0
ORDER BY 3 DESC, 4 DESC, 1 LIMIT 20
"""

NEWEST = f"""
SELECT "time" AS "from", kind, meter_id AS meter, region, severity, confidence, {_VALUES}, state, reason,
       {_SECONDS} AS "length", detected_at AS "detected at"
FROM anomalies WHERE {STANDING} AND {BEGUN} ORDER BY "time" DESC, anomaly_id LIMIT 100
"""

# -- one meter

POWER = f"""
SELECT {grouped()}, sum(power_kw_avg * reading_count) / nullif(sum(reading_count), 0) AS "power"
FROM aggregates_15m WHERE power_kw_avg IS NOT NULL AND {METER_CHOSEN} AND $__timeFilter("time")
GROUP BY 1 ORDER BY 1
"""

POWER_MARKS = f"""
SELECT "time", value AS "anomaly", baseline AS "baseline" FROM anomalies
WHERE unit = 'kW' AND {METER_CHOSEN} AND {STANDING} AND {KIND_CHOSEN} AND $__timeFilter("time") ORDER BY 1
"""

STRETCHES = f"""
SELECT "time", coalesce(ended_at, $__timeTo()) AS "timeend",
       kind || ', ' || severity || ', confidence ' || confidence AS "text", lower(kind) AS "tags"
FROM anomalies WHERE {OF_METER} ORDER BY 1
"""

# A kind has one anomaly at a time. Where the next one begins as one ends, the next one counts.
TIMELINE = f"""
SELECT edge."time", kind AS metric, max(edge.value) AS value
FROM anomalies CROSS JOIN LATERAL (
    VALUES (greatest("time", $__timeFrom()), {RANK}), (ended_at, 0)
) AS edge ("time", value)
WHERE {OF_METER.replace('"time"', 'anomalies."time"')} AND edge."time" <= $__timeTo()
GROUP BY 1, 2 ORDER BY 1, 2
"""

OF_THE_METER = f"""
SELECT "time" AS "from", ended_at AS "until", kind, severity, confidence, {_VALUES}, state, reason,
       revision, detected_at AS "detected at"
FROM anomalies WHERE {OF_METER} ORDER BY "time" DESC, anomaly_id LIMIT 500
"""
