"""The queries of Fleet: the registry's tables, and open gaps by their reason."""

from __future__ import annotations

from dashboards.queries import GAP_SECONDS, NO_REGION, REGION_CHOSEN, grouped

#: Of an open gap: whether the outage or suspension was planned, whether the meter was ever heard, or neither.
PLANNED_GAP = "reason = 'PLANNED'"
NEVER_HEARD_GAP = "reason = 'NEVER_HEARD'"
SILENT_GAP = "reason NOT IN ('PLANNED', 'NEVER_HEARD')"
OPEN = f"state = 'OPEN' AND {REGION_CHOSEN}"
#: Readings of these are expected, and a meter that was never heard is a gap.
AWAITED = "status IN ('installed', 'active')"
#: What the registry knows and has not taken out.
REGISTERED = f"status <> 'removed' AND {REGION_CHOSEN}"

METERS = f"""SELECT count(*) AS "meters" FROM meters WHERE {REGISTERED}"""

DELIVERING = f"""SELECT count(*) AS "meters" FROM meters WHERE {AWAITED} AND {REGION_CHOSEN}"""

SILENT = f"""
SELECT count(DISTINCT meter_id) AS "meters" FROM gap_alerts WHERE {SILENT_GAP} AND {OPEN}
"""

NEVER_HEARD = f"""SELECT count(*) AS "meters" FROM gap_alerts WHERE {NEVER_HEARD_GAP} AND {OPEN}"""

PLANNED = f"""SELECT count(*) AS "gaps" FROM gap_alerts WHERE {PLANNED_GAP} AND {OPEN}"""

OUTAGES_NOW = """
SELECT count(*) AS "outages" FROM planned_outages
WHERE NOT cancelled AND outage_from <= now() AND outage_until > now()
"""

STATUSES = f"""
SELECT status, count(*) AS meters FROM meters WHERE {REGION_CHOSEN} GROUP BY status ORDER BY 2 DESC, 1
"""

SILENT_BY_REGION = f"""
SELECT coalesce(region, '{NO_REGION}') AS region, count(DISTINCT meter_id) AS "silent meters"
FROM gap_alerts WHERE {SILENT_GAP} AND {OPEN}
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
"""

# The registry's names sort by their bytes, regions of gaps as the database does: one order for both.
BY_REGION = f"""
SELECT coalesce(counted.region, '{NO_REGION}') AS region, sum(registered) AS "registered",
       sum(awaited) AS "installed or active", sum(silent) AS "silent", sum(never) AS "never heard",
       sum(planned) AS "planned", max(regions.capacity_kw) AS "capacity"
FROM (
    SELECT region, count(*) AS registered, count(*) FILTER (WHERE {AWAITED}) AS awaited,
           0 AS silent, 0 AS never, 0 AS planned
    FROM meters WHERE {REGISTERED} GROUP BY region
    UNION ALL
    SELECT region COLLATE "C", 0, 0, count(DISTINCT meter_id) FILTER (WHERE {SILENT_GAP}),
           count(DISTINCT meter_id) FILTER (WHERE {NEVER_HEARD_GAP}),
           count(DISTINCT meter_id) FILTER (WHERE {PLANNED_GAP})
    FROM gap_alerts WHERE {OPEN} GROUP BY region
) AS counted LEFT JOIN regions ON regions.region = counted.region
GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT 100
"""

# Meters are counted once, and only those with an open gap are looked up.
BY_CLASS = f"""
SELECT coalesce(class, '(none)') AS class, sum(registered) AS "registered",
       sum(awaited) AS "installed or active", sum(silent) AS "silent", sum(never) AS "never heard",
       sum(planned) AS "planned"
FROM (
    SELECT customer_class AS class, count(*) AS registered, count(*) FILTER (WHERE {AWAITED}) AS awaited,
           0 AS silent, 0 AS never, 0 AS planned
    FROM meters WHERE {REGISTERED} GROUP BY customer_class
    UNION ALL
    SELECT customer_class, 0, 0, count(DISTINCT meter_id) FILTER (WHERE {SILENT_GAP}),
           count(DISTINCT meter_id) FILTER (WHERE {NEVER_HEARD_GAP}),
           count(DISTINCT meter_id) FILTER (WHERE {PLANNED_GAP})
    FROM (SELECT meter_id AS with_gap, reason FROM gap_alerts WHERE state = 'OPEN') AS gaps
    JOIN meters ON meter_id = with_gap
    WHERE {REGISTERED} GROUP BY customer_class
) AS counted
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100
"""

NEVER_HEARD_METERS = f"""
SELECT with_gap AS meter, gap_region AS region, awaited_since AS "awaited since", status, feeder, transformer,
       customer_class AS class, installed_at AS "installed"
FROM (
    SELECT meter_id AS with_gap, region AS gap_region, last_seen AS awaited_since
    FROM gap_alerts WHERE {NEVER_HEARD_GAP} AND {OPEN}
    ORDER BY last_seen, meter_id LIMIT 50
) AS gaps LEFT JOIN meters ON meter_id = with_gap
ORDER BY awaited_since, with_gap
"""

SILENT_METERS = f"""
SELECT with_gap AS meter, gap_region AS region, seen AS "last seen", missing AS "missing time", status,
       feeder, transformer
FROM (
    SELECT meter_id AS with_gap, region AS gap_region, last_seen AS seen, {GAP_SECONDS} AS missing
    FROM gap_alerts WHERE {SILENT_GAP} AND {OPEN}
    ORDER BY gap_minutes DESC, gap_id LIMIT 50
) AS gaps LEFT JOIN meters ON meter_id = with_gap
ORDER BY missing DESC, with_gap
"""

OUTAGES = """
SELECT CASE WHEN outage_from <= now() THEN 'now' ELSE 'coming' END AS "when", outage_id AS outage, scope,
       target, outage_from AS "from", outage_until AS "until", why, version
FROM planned_outages WHERE NOT cancelled AND outage_until > now()
ORDER BY outage_from, outage_id LIMIT 100
"""

CHANGES = f"""
SELECT {grouped("$interval")}, metric, count(*) AS value FROM (
    SELECT updated_at AS "time", 'meters' AS metric FROM meters
    WHERE $__timeFilter(updated_at) AND {REGION_CHOSEN}
    UNION ALL
    SELECT updated_at, 'regions' FROM regions WHERE $__timeFilter(updated_at) AND {REGION_CHOSEN}
    UNION ALL
    SELECT updated_at, 'planned outages' FROM planned_outages WHERE $__timeFilter(updated_at)
) AS changes
GROUP BY 1, 2 ORDER BY 1, 2
"""

LATEST_CHANGES = f"""
SELECT updated_at AS "changed", meter_id AS meter, version, status, region, feeder, transformer,
       "interval", grace
FROM meters WHERE $__timeFilter(updated_at) AND {REGION_CHOSEN}
ORDER BY updated_at DESC, meter_id LIMIT 50
"""

UNPUBLISHED = """SELECT count(*) AS "changes" FROM outbox WHERE published_at IS NULL"""

OLDEST_UNPUBLISHED = """
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) AS "age"
FROM outbox WHERE published_at IS NULL
"""

PUBLISHED = f"""
SELECT {grouped("$interval")}, max(delay) AS "slowest", avg(delay) AS "mean" FROM (
    SELECT created_at AS "time", extract(epoch FROM published_at - created_at) AS delay
    FROM outbox WHERE published_at IS NOT NULL AND $__timeFilter(created_at)
) AS published
GROUP BY 1 ORDER BY 1
"""
