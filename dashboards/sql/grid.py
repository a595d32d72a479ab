"""The queries of Grid Load: regions and incidents, and the windows of single meters.

Whatever may be asked for months reads the table of the regions, which has a row a region and quarter of an
hour, or one meter's windows; `top meters` reads one window of all meters.
"""

from __future__ import annotations

from dashboards.queries import ALL, METER_CHOSEN, REGION_CHOSEN

#: A row here always has a region: without `coalesce` the index on region and time is of use.
REGION_IS = f"({ALL} IN (${{region:sqlstring}}) OR region IN (${{region:sqlstring}}))"
OF_REGIONS = f'$__timeFilter("time") AND {REGION_IS}'

#: Start of the newest window of the time range.
NEWEST = 'SELECT max("time") FROM regional_aggregates_15m WHERE $__timeFilter("time")'
#: "Now": the newest window of each region, of the last day of the time range.
LATEST = f"""(
    SELECT DISTINCT ON (region) * FROM regional_aggregates_15m
    WHERE {OF_REGIONS} AND "time" > ({NEWEST}) - INTERVAL '1 day' ORDER BY region, "time" DESC
) AS latest"""

#: Groups of whole windows: Grafana's interval, rounded up to quarters of an hour.
BY_QUARTERS = (
    "date_bin(ceil(extract(epoch FROM '$__interval'::interval) / 900) * INTERVAL '15 minutes', \"time\","
    " 'epoch') AS \"time\""
)
BY_SECONDS = (
    "date_bin(extract(epoch FROM '$__interval'::interval) * INTERVAL '1 second', \"time\", 'epoch')"
    ' AS "time"'
)

#: What a window lacks; empty if nothing.
LACKING = """concat_ws(', ', CASE WHEN NOT complete THEN 'a source partition' END,
              CASE WHEN load_kw IS NULL THEN 'readings' END,
              CASE WHEN capacity_kw IS NULL THEN 'a capacity' END)"""

#: Regions in a plot over time, and in the heat map.
LINES, CELLS = 20, 40


def _foremost(worst: str, regions: int) -> str:
    """So many regions by the order of an aggregate, in the last week of the time range: only theirs are read
    of a longer one."""
    return f"""
    SELECT region FROM regional_aggregates_15m
    WHERE {OF_REGIONS} AND "time" > ({NEWEST}) - INTERVAL '7 days'
    GROUP BY region ORDER BY {worst} NULLS LAST, region LIMIT {regions}
"""


def _over_time(value: str, worst: str, regions: int) -> str:
    """A series for each of the foremost regions."""
    return f"""
SELECT series."time", foremost.region AS metric, value FROM ({_foremost(worst, regions)}) AS foremost
CROSS JOIN LATERAL (
    SELECT {BY_QUARTERS}, {value} AS value FROM regional_aggregates_15m
    WHERE $__timeFilter("time") AND region = foremost.region GROUP BY 1
) AS series ORDER BY 1, 2
"""


# -- what is wrong now

OPEN_INCIDENTS = f"""SELECT count(*) AS "incidents" FROM incidents WHERE state = 'OPEN' AND {REGION_IS}"""

# The meters of a narrower incident are among those of the wider one that it is part of.
METERS_OUT = f"""
SELECT coalesce(sum(meters_open), 0) AS "meters" FROM incidents
WHERE state = 'OPEN' AND parent_id IS NULL AND {REGION_IS}
"""

HIGHEST = f"""SELECT max(load_percentage) AS "load" FROM {LATEST}"""

OVERLOADED = f"""SELECT count(*) FILTER (WHERE load_percentage >= 90) AS "regions" FROM {LATEST}"""

UNKNOWN = f"""
SELECT count(*) FILTER (WHERE NOT complete OR quality = 'INSUFFICIENT') AS "regions" FROM {LATEST}
"""

PUBLISHED = f"""
SELECT extract(epoch FROM max(window_end)) * 1000 AS "window end" FROM {LATEST}
"""

# An open one has lasted at least until the newest window of its region.
INCIDENTS = f"""
SELECT state, kind, incidents.region, target, started_at AS "started", ended_at AS "ended",
       extract(epoch FROM coalesce(ended_at, greatest(updated_at, published)) - started_at) AS "duration",
       meters_open AS "silent now", meters_peak AS "silent at most", meters_active AS "of meters",
       parent_id AS "part of",
       (SELECT string_agg(listed, ', ') FROM jsonb_array_elements_text(meters) AS listed) AS "meters"
FROM incidents LEFT JOIN (SELECT region, window_end AS published FROM {LATEST}) AS windows
     ON windows.region = incidents.region
WHERE (state = 'OPEN' OR "time" <= $__timeTo() AND coalesce(ended_at, "time") >= $__timeFrom())
  AND {REGION_IS.replace("region IN", "incidents.region IN")}
ORDER BY state DESC, started_at DESC, id LIMIT 100
"""

LOAD_NOW = f"""
SELECT region, load_percentage AS "load", load_kw AS "power", capacity_kw AS "capacity",
       capacity_kw - load_kw AS "free", 100 * completeness AS "completeness", {LACKING} AS "lacks",
       meters_reporting AS "reporting", meters_active AS "of meters", state, window_end AS "window end"
FROM {LATEST} ORDER BY load_percentage DESC NULLS LAST, region LIMIT 200
"""

# -- over time

HEAT_MAP = _over_time("max(load_percentage)", "max(load_percentage) DESC", CELLS)

LOAD = _over_time("max(load_percentage)", "max(load_percentage) DESC", LINES)

# Only regions of which both are known: the two lines can be compared.
POWER = f"""
SELECT {BY_QUARTERS}, avg(load) AS "mean load", max(load) AS "highest load", avg(capacity) AS "capacity"
FROM (
    SELECT "time", sum(load_kw) AS load, sum(capacity_kw) AS capacity FROM regional_aggregates_15m
    WHERE load_kw IS NOT NULL AND capacity_kw IS NOT NULL AND {OF_REGIONS} GROUP BY "time"
) AS windows
GROUP BY 1 ORDER BY 1
"""

ENERGY_OVER_TIME = f"""
SELECT {BY_QUARTERS},
       CASE WHEN region IN ({_foremost("sum(energy_kwh_sum) DESC", LINES)}) THEN region ELSE '(others)' END
           AS metric,
       sum(energy_kwh_sum) AS value
FROM regional_aggregates_15m WHERE {OF_REGIONS} GROUP BY 1, 2 ORDER BY 1, 2
"""

ENERGY = f"""
SELECT region, sum(energy_kwh_sum) AS "energy" FROM regional_aggregates_15m WHERE {OF_REGIONS}
GROUP BY region ORDER BY 2 DESC, 1 LIMIT {LINES}
"""

# -- whether the figures can be trusted

STATES = f"""
SELECT count(*) FILTER (WHERE state = 'PRELIMINARY') AS "preliminary",
       count(*) FILTER (WHERE state = 'UPDATED') AS "updated",
       count(*) FILTER (WHERE state = 'FINAL') AS "final",
       count(*) FILTER (WHERE NOT complete) AS "incomplete",
       count(*) FILTER (WHERE quality = 'INSUFFICIENT') AS "insufficient"
FROM regional_aggregates_15m WHERE {OF_REGIONS}
"""

COMPLETENESS = _over_time("100 * min(completeness)", "min(completeness)", LINES)

DOUBTFUL = f"""
SELECT region, {LACKING} AS "lacks", count(*) AS "windows", min("time") AS "first from",
       max(window_end) AS "last until", 100 * min(completeness) AS "lowest completeness",
       count(*) FILTER (WHERE state = 'FINAL') AS "of them final", max(uncovered) AS "meters uncovered"
FROM regional_aggregates_15m WHERE (NOT complete OR quality = 'INSUFFICIENT') AND {OF_REGIONS}
GROUP BY 1, 2 ORDER BY 5 DESC, 3 DESC, 1 LIMIT 100
"""

# -- single meters

# The newest window of the regions is one that every partition has passed. Without regions it is that of the
# chosen meter: the table has no index that gives the newest window of all.
TOP_METERS = f"""
SELECT meter_id AS meter, region, energy_kwh_sum AS "energy", power_kw_avg AS "mean power",
       power_kw_max AS "highest power", 100 * completeness AS "completeness", "time" AS "window from"
FROM aggregates_15m
WHERE "time" = coalesce(
          ({NEWEST}),
          (SELECT max("time") FROM aggregates_15m WHERE {METER_CHOSEN} AND $__timeFilter("time"))
      ) AND {REGION_CHOSEN}
ORDER BY energy_kwh_sum DESC, meter_id LIMIT 20
"""

#: Whether minutes are read, or else quarters of an hour.
BY_MINUTES = (
    "(${window:sqlstring} = '1m' OR ${window:sqlstring} = 'auto'"
    " AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= INTERVAL '6 hours')"
)
_POWER = '"time", reading_count, power_kw_min, power_kw_avg, power_kw_max'
_OF_METER = f'power_kw_avg IS NOT NULL AND {METER_CHOSEN} AND $__timeFilter("time")'

# A constant decides, so that only one of the tables is read. The mean is that of the readings.
POWER_BAND = f"""
SELECT {BY_SECONDS}, min(power_kw_min) AS "lowest",
       sum(power_kw_avg * reading_count) / nullif(sum(reading_count), 0) AS "mean",
       max(power_kw_max) AS "highest"
FROM (
    SELECT {_POWER} FROM aggregates_1m WHERE {BY_MINUTES} AND {_OF_METER}
    UNION ALL
    SELECT {_POWER} FROM aggregates_15m WHERE NOT {BY_MINUTES} AND {_OF_METER}
) AS windows
GROUP BY 1 ORDER BY 1
"""

METER_ENERGY = f"""
SELECT {BY_QUARTERS}, sum(energy_kwh_sum) AS "energy" FROM aggregates_15m
WHERE {METER_CHOSEN} AND $__timeFilter("time") GROUP BY 1 ORDER BY 1
"""
