"""The variables at the top of a dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import CustomVariable, IntervalVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards.queries import ALL, NO_REGION, POSTGRES
from gridwatch.domain.anomalies.anomaly import CONFIDENCES, KINDS
from gridwatch.domain.policy import Policy

DEFAULT_FLOW = Policy().flow

#: Meters offered at once; typing filters them.
METERS_OFFERED = 200

# One index lookup per meter, however many readings it has.
METERS = f"""
WITH RECURSIVE meters (meter_id) AS (
    (SELECT meter_id FROM validated_readings WHERE meter_id LIKE '$__searchFilter' ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (SELECT next.meter_id FROM validated_readings AS next
            WHERE next.meter_id > meters.meter_id AND next.meter_id LIKE '$__searchFilter'
            ORDER BY 1 LIMIT 1)
    FROM meters WHERE meters.meter_id IS NOT NULL
)
SELECT meter_id FROM meters WHERE meter_id IS NOT NULL LIMIT {METERS_OFFERED}
"""

# From gaps, as regions matter where data is missing: gaps in the time range, and open ones.
REGIONS = f"""
SELECT coalesce(region, '{NO_REGION}') FROM gap_alerts WHERE $__timeFilter("time")
UNION
SELECT coalesce(region, '{NO_REGION}') FROM gap_alerts WHERE state = 'OPEN'
ORDER BY 1
"""

# The registry's, which its meters' are among; and those of open gaps, of meters that are not in it.
FLEET_REGIONS = f"""
SELECT region FROM regions
UNION
SELECT '{NO_REGION}' WHERE EXISTS (SELECT 1 FROM meters WHERE region IS NULL)
UNION
SELECT coalesce(region, '{NO_REGION}') COLLATE "C" FROM gap_alerts WHERE state = 'OPEN'
ORDER BY 1
"""

# The registry's, those with windows in the last day of the time range, and those of open incidents.
GRID_REGIONS = """
SELECT region FROM regions
UNION
SELECT region FROM regional_aggregates_15m
WHERE $__timeFilter("time") AND "time" > (
    SELECT max("time") FROM regional_aggregates_15m WHERE $__timeFilter("time")
) - INTERVAL '1 day'
UNION
SELECT region FROM incidents WHERE state = 'OPEN'
ORDER BY 1
"""

# The registry's, those of the anomalies in the last day of the time range, and those of open ones.
ANOMALY_REGIONS = f"""
SELECT region FROM regions
UNION
SELECT coalesce(region, '{NO_REGION}') COLLATE "C" FROM anomalies
WHERE $__timeFilter("time") AND "time" > (
    SELECT max("time") FROM anomalies WHERE $__timeFilter("time")
) - INTERVAL '1 day'
UNION
SELECT coalesce(region, '{NO_REGION}') COLLATE "C" FROM anomalies WHERE state = 'OPEN'
ORDER BY 1
"""


#: The tables of a home by what is in them.
_OF_HOME = {
    "energy": "energy_readings",
    "heat pump": "heatpump_readings",
    "temperature": "temperature_readings",
}


def _last(kind: str, columns: str = "", where: str = "") -> str:
    """The last device of a table in order of their names, with its newest time."""
    return (
        f'(SELECT {columns}device_id, "timestamp" FROM {_OF_HOME[kind]}{where}'
        ' ORDER BY device_id DESC, "timestamp" DESC LIMIT 1)'
    )


_LAST = " UNION ALL ".join(_last(kind, f"'{kind}', ") for kind in _OF_HOME)
_BEFORE = " UNION ALL ".join(
    _last(kind, where=f" WHERE latest.kind = '{kind}' AND device_id < latest.device_id") for kind in _OF_HOME
)
# The newest time of each device by kind, by one index lookup each, however many rows there are: in each table
# that of the last device, then that of the one before.
LATEST = f"""
WITH RECURSIVE latest (kind, device_id, newest) AS (
    ({_LAST})
    UNION ALL
    SELECT latest.kind, before.device_id, before."timestamp"
    FROM latest CROSS JOIN LATERAL ({_BEFORE}) AS before
)"""
DEVICES = f"{LATEST} SELECT DISTINCT device_id FROM latest ORDER BY 1 LIMIT 1000"

# From the last day with data, in which every partition has windows.
PARTITIONS = """
SELECT DISTINCT partition::text FROM metrics
WHERE metric = 'readings_received'
  AND "time" > (SELECT max("time") FROM metrics WHERE metric = 'readings_received') - INTERVAL '1 day'
ORDER BY 1
"""


# By wall clock: the event time of a flow that delivers once a day is a day behind. The default flow first.
FLOWS = f"""
SELECT flow FROM (
    SELECT DISTINCT flow FROM metrics
    WHERE metric = 'consumer_lag_records'
      AND "time" > (SELECT max("time") FROM metrics WHERE metric = 'consumer_lag_records') - INTERVAL '1 day'
) AS flows ORDER BY flow <> '{DEFAULT_FLOW}', flow
"""


def meter() -> QueryVariable:
    """One meter, searched by typing."""
    return (
        QueryVariable("meter")
        .label("Meter")
        .description("one meter; type the beginning of its id")
        .datasource(POSTGRES)
        .query(METERS.strip())
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.DISABLED)
        .multi(False)
        .include_all(False)
        .allow_custom_value(True)
    )


def flow() -> QueryVariable:
    """One flow, the default one unless another is chosen."""
    return (
        QueryVariable("flow")
        .label("Flow")
        .description("readings that share a watermark, in topics of their own")
        .datasource(POSTGRES)
        .query(FLOWS.strip())
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.DISABLED)
        .multi(False)
        .include_all(False)
        .current(VariableOption(selected=True, text=DEFAULT_FLOW, value=DEFAULT_FLOW))
    )


def region() -> QueryVariable:
    """Some or all regions."""
    return _choice("region", "Region", "regions as the gaps have them", REGIONS)


def fleet_region() -> QueryVariable:
    """Some or all regions of the registry."""
    return _choice("region", "Region", "regions as the registry has them", FLEET_REGIONS)


def grid_region() -> QueryVariable:
    """Some or all regions of the registry, of windows and of incidents."""
    return _choice("region", "Region", "regions of the grid", GRID_REGIONS)


def anomaly_region() -> QueryVariable:
    """Some or all regions of the registry and of anomalies."""
    return _choice("region", "Region", "regions of the registry and of anomalies", ANOMALY_REGIONS)


def kind() -> CustomVariable:
    """Some or all kinds of anomalies."""
    return _listed("kind", "Kind", "kinds of anomalies", KINDS)


def confidence() -> CustomVariable:
    """Anomalies of high or low confidence, or all."""
    return _listed("confidence", "Confidence", "whether an anomaly is beyond doubt", CONFIDENCES)


def device() -> QueryVariable:
    """Some or all devices of a home."""
    return _choice("device", "Device", "devices of the home", DEVICES)


def window() -> CustomVariable:
    """The length of a meter's windows; by default the minutes of a short time range, else the quarters."""
    return (
        CustomVariable("window")
        .label("Window")
        .description("windows of the meter's power; auto: minutes up to six hours")
        .values("auto,1m,15m")
        .multi(False)
        .include_all(False)
        .current(VariableOption(selected=True, text="auto", value="auto"))
    )


def partition() -> QueryVariable:
    """Some or all partitions."""
    return _choice("partition", "Partition", "partitions of the raw topic", PARTITIONS)


def _choice(name: str, label: str, description: str, sql: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(POSTGRES)
        .query(sql.strip())
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.NATURAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(ALL)
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _listed(name: str, label: str, description: str, values: Sequence[str]) -> CustomVariable:
    return (
        CustomVariable(name)
        .label(label)
        .description(description)
        .values(",".join(values))
        .multi(True)
        .include_all(True)
        .all_value(ALL)
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def interval() -> IntervalVariable:
    """The length of the groups in plots over time."""
    return (
        IntervalVariable("interval")
        .label("Interval")
        .description("what numbers over time are gathered by")
        .values("5m,15m,30m,1h,6h,1d")
        .auto(True)
        .min_interval("5m")
        .step_count(120)
        .current(VariableOption(selected=True, text="auto", value="$__auto_interval_interval"))
    )
