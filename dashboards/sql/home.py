"""The queries of Home Energy: power and energy, the heat pump, temperatures, and whether devices are heard.

All are of the time range, by the index on time, but for how long devices are silent, which is by the wall
clock and the index of their newest rows. Energy is what a register rose by from one reading to the next, and
counts at the later one; a register that goes back rose by nothing. Hours and days are those of the
dashboard's time zone; a reading at the full hour ends the hour before.
"""

from __future__ import annotations

from dashboards.queries import chosen
from dashboards.variables import LATEST

IN_RANGE = f'$__timeFilter("timestamp") AND {chosen("device", "device_id")}'
_NOW = f"{IN_RANGE} AND \"timestamp\" > $__timeTo()::timestamptz - INTERVAL '1 hour'"
_GROUP = "date_bin('$__interval', \"timestamp\", 'epoch') AS \"time\""
#: What is below it is to be changed, percent.
BATTERY_LOW = 20
#: How long a device that is not heard any more is listed.
LISTED_FOR = "INTERVAL '30 days'"


def _start(unit: str, time: str = '"timestamp"') -> str:
    return f"date_trunc('{unit}', {time}, ${{__timezone:sqlstring}})"


def _steps(table: str, register: str) -> str:
    """What a register rose by, reading by reading."""
    return f"""
    SELECT "timestamp", device_id,
           {register} - lag({register}) OVER (PARTITION BY device_id ORDER BY "timestamp") AS rise
    FROM {table} WHERE {register} IS NOT NULL AND {IN_RANGE}
"""


def _risen(table: str, register: str, unit: str) -> str:
    """Energy by device and hour or day."""
    start = _start(unit, "\"timestamp\" - INTERVAL '1 microsecond'")
    return f"""
SELECT {start} AS "time", device_id AS metric, sum(rise) AS value
FROM ({_steps(table, register)}) AS steps WHERE rise > 0 GROUP BY 1, 2 ORDER BY 1, 2
"""


def _sum(register: str) -> str:
    return f"""
SELECT sum(rise) FILTER (WHERE rise > 0) AS "energy"
FROM ({_steps("energy_readings", register)}) AS steps
"""


def _mean(table: str, column: str) -> str:
    """The mean of a column by device over time."""
    return f"""
SELECT {_GROUP}, device_id AS metric, avg({column}) AS value
FROM {table} WHERE {column} IS NOT NULL AND {IN_RANGE} GROUP BY 1, 2 ORDER BY 1, 2
"""


# -- now

_NEWEST_POWER = f"""
    SELECT DISTINCT ON (device_id) device_id, "timestamp", power_kw, voltage, current, power_factor
    FROM energy_readings WHERE power_kw IS NOT NULL AND {_NOW} ORDER BY device_id, "timestamp" DESC
"""

POWER_NOW = f"""SELECT sum(power_kw) AS "power" FROM ({_NEWEST_POWER}) AS newest"""

POWER_BY_DEVICE = f"""
SELECT device_id AS device, power_kw AS "power", voltage, current, power_factor AS "power factor",
       "timestamp" AS "measured"
FROM ({_NEWEST_POWER}) AS newest ORDER BY power_kw DESC, device_id LIMIT 100
"""

ENERGY = _sum("total_energy_kwh")

FED_IN = _sum("exported_energy_kwh")

_LISTED = f"newest > now() - {LISTED_FOR} AND {chosen('device', 'device_id')}"
_SILENT = "newest < now() - INTERVAL '1 hour'"

HEARD = f"""
{LATEST}
SELECT count(*) FILTER (WHERE NOT {_SILENT}) AS "devices" FROM latest WHERE {_LISTED}
"""

SILENT = f"""
{LATEST}
SELECT count(*) FILTER (WHERE {_SILENT}) AS "devices" FROM latest WHERE {_LISTED}
"""

SILENT_DEVICES = f"""
{LATEST}
SELECT device_id AS device, kind, newest AS "last measured",
       extract(epoch FROM now() - newest) AS "silent for"
FROM latest WHERE {_SILENT} AND {_LISTED} ORDER BY newest DESC, device_id LIMIT 100
"""

# -- energy

POWER = _mean("energy_readings", "power_kw")

VOLTAGE = _mean("energy_readings", "voltage")

ENERGY_AN_HOUR = _risen("energy_readings", "total_energy_kwh", "hour")

ENERGY_A_DAY = _risen("energy_readings", "total_energy_kwh", "day")

# -- the heat pump

TEMPERATURES_OF_THE_PUMP = f"""
SELECT {_GROUP}, device_id || ' ' || name AS metric, avg(temperature) AS value
FROM heatpump_readings CROSS JOIN LATERAL (
    VALUES ('flow', flow_temperature_c), ('return', return_temperature_c), ('outdoor', outdoor_temperature_c)
) AS measured (name, temperature)
WHERE temperature IS NOT NULL AND {IN_RANGE} GROUP BY 1, 2 ORDER BY 1, 2
"""

COP = _mean("heatpump_readings", "cop")

POWER_OF_THE_PUMP = _mean("heatpump_readings", "power_kw")

# Only where it changes: a state lasts until the next one.
STATES = f"""
SELECT "timestamp" AS "time", device_id AS device, state
FROM (
    SELECT "timestamp", device_id, state,
           lag(state) OVER (PARTITION BY device_id ORDER BY "timestamp") AS before
    FROM heatpump_readings WHERE state IS NOT NULL AND {IN_RANGE}
) AS states WHERE before IS NULL OR state <> before ORDER BY 1, 2
"""

HEAT_AN_HOUR = _risen("heatpump_readings", "heat_kwh", "hour")

PUMPS = f"""
SELECT device_id AS device, sum(used) AS "electricity", sum(heat) AS "heat",
       sum(heat) / nullif(sum(used), 0) AS "COP"
FROM (
    SELECT device_id, rise AS used, NULL::float8 AS heat
    FROM ({_steps("heatpump_readings", "total_energy_kwh")}) AS steps WHERE rise > 0
    UNION ALL
    SELECT device_id, NULL, rise FROM ({_steps("heatpump_readings", "heat_kwh")}) AS steps WHERE rise > 0
) AS counted GROUP BY device_id ORDER BY device_id
"""

# -- temperatures

TEMPERATURES = _mean("temperature_readings", "temperature_c")

HUMIDITY = _mean("temperature_readings", "humidity_percent")

BATTERIES = f"""
{LATEST}
SELECT latest.device_id AS device, battery_percent AS "battery", "timestamp" AS "measured"
FROM latest CROSS JOIN LATERAL (
    SELECT battery_percent, "timestamp" FROM temperature_readings AS readings
    WHERE readings.device_id = latest.device_id AND battery_percent IS NOT NULL AND {IN_RANGE}
    ORDER BY "timestamp" DESC LIMIT 1
) AS newest
WHERE kind = 'temperature' AND battery_percent < {BATTERY_LOW} ORDER BY battery_percent, device LIMIT 100
"""

# -- messages

MESSAGES_AN_HOUR = f"""
SELECT {_start("hour")} AS "time", device_id AS metric, count(*) AS value
FROM (
    SELECT "timestamp", device_id FROM energy_readings WHERE {IN_RANGE}
    UNION ALL
    SELECT "timestamp", device_id FROM heatpump_readings WHERE {IN_RANGE}
    UNION ALL
    SELECT "timestamp", device_id FROM temperature_readings WHERE {IN_RANGE}
) AS messages GROUP BY 1, 2 ORDER BY 1, 2
"""

DEAD_LETTERS = """
SELECT count(*) AS "messages" FROM homelab_dead_letters WHERE $__timeFilter(received_at)
"""

DEAD_LETTERS_BY_REASON = """
SELECT reason, count(*) AS "messages" FROM homelab_dead_letters, unnest(reasons) AS reason
WHERE $__timeFilter(received_at) GROUP BY reason ORDER BY 2 DESC, 1
"""

NEWEST_DEAD_LETTERS = """
SELECT received_at AS "received", mqtt_topic AS "MQTT topic", array_to_string(reasons, ', ') AS "reasons",
       message, left(raw, 200) AS "payload"
FROM homelab_dead_letters WHERE $__timeFilter(received_at) ORDER BY received_at DESC, id LIMIT 50
"""
