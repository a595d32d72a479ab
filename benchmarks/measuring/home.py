"""Rows of a home to time its dashboard with: ten meters and plugs and a heat pump that measure every ten
seconds, and ten thermometers that do so every minute."""

from __future__ import annotations

from typing import Final

#: The tables, how many devices, how often, what is measured, and values by `n`, which counts back from the
#: newest measurement.
_TABLES: Final = (
    (
        "energy_readings",
        10,
        10,
        "total_energy_kwh, power_kw, voltage",
        "1000 - n / 400.0, n %% 30 / 10.0, 230",
    ),
    (
        *("heatpump_readings", 1, 10),
        "flow_temperature_c, total_energy_kwh, heat_kwh, cop, state",
        "35, 1000 - n / 400.0, 4000 - n / 100.0, 4, (ARRAY['off', 'heating'])[1 + n / 90 %% 2]",
    ),
    ("temperature_readings", 10, 60, "temperature_c, humidity_percent, battery_percent", "20, 50, n %% 100"),
)
_READINGS: Final = """
    INSERT INTO {table} ("timestamp", device_id, {names}, time_assigned, retained, mqtt_topic, received_at,
        source_partition, source_offset)
    SELECT at, '{table} ' || device, {values}, FALSE, FALSE, 'homelab', at, device %% 6, n
    FROM (SELECT n, %(end)s::timestamptz - n * INTERVAL '{every} seconds' AS at
          FROM generate_series(1, %(days)s * 86400 / {every}) AS n) AS t,
         generate_series(1, {devices}) AS device ORDER BY at
"""

#: With the parameters `end`, the time of the newest row, and `days`.
FILL: Final = (
    *(
        _READINGS.format(table=table, devices=devices, every=every, names=names, values=values)
        for table, devices, every, names, values in _TABLES
    ),
    """
    INSERT INTO homelab_dead_letters (received_at, id, reasons, message, raw, raw_encoding, raw_size,
        raw_truncated, mqtt_topic, qos, retained, bridge)
    SELECT %(end)s::timestamptz - n * INTERVAL '1 minute', n, ARRAY['NOT_JSON'], 'bad', '{', 'utf-8', 1,
           FALSE, 'homelab/energy/' || n %% 10, 1, FALSE, 'bridge'
    FROM generate_series(1, 5000) AS n
    """,
)
