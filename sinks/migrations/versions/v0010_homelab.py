"""Measurements of a home's devices, their hourly summaries, and the home's dead letters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ENERGY_SUMMARY = """
CREATE VIEW energy_hourly AS
SELECT date_trunc('hour', "timestamp", 'UTC') AS bucket,
       device_id,
       count(*) AS readings,
       avg(power_kw) AS power_kw_avg,
       min(power_kw) AS power_kw_min,
       max(power_kw) AS power_kw_max,
       (array_agg(total_energy_kwh ORDER BY "timestamp")
           FILTER (WHERE total_energy_kwh IS NOT NULL))[1] AS total_energy_kwh_first,
       (array_agg(total_energy_kwh ORDER BY "timestamp" DESC)
           FILTER (WHERE total_energy_kwh IS NOT NULL))[1] AS total_energy_kwh_last,
       min(total_energy_kwh) AS total_energy_kwh_min,
       max(total_energy_kwh) AS total_energy_kwh_max,
       (array_agg(exported_energy_kwh ORDER BY "timestamp")
           FILTER (WHERE exported_energy_kwh IS NOT NULL))[1] AS exported_energy_kwh_first,
       (array_agg(exported_energy_kwh ORDER BY "timestamp" DESC)
           FILTER (WHERE exported_energy_kwh IS NOT NULL))[1] AS exported_energy_kwh_last,
       min(exported_energy_kwh) AS exported_energy_kwh_min,
       max(exported_energy_kwh) AS exported_energy_kwh_max,
       avg(voltage) AS voltage_avg,
       min(voltage) AS voltage_min,
       max(voltage) AS voltage_max
FROM energy_readings
GROUP BY 1, device_id
"""

HEATPUMP_SUMMARY = """
CREATE VIEW heatpump_hourly AS
SELECT date_trunc('hour', "timestamp", 'UTC') AS bucket,
       device_id,
       count(*) AS readings,
       avg(flow_temperature_c) AS flow_temperature_c_avg,
       min(flow_temperature_c) AS flow_temperature_c_min,
       max(flow_temperature_c) AS flow_temperature_c_max,
       avg(return_temperature_c) AS return_temperature_c_avg,
       min(return_temperature_c) AS return_temperature_c_min,
       max(return_temperature_c) AS return_temperature_c_max,
       avg(outdoor_temperature_c) AS outdoor_temperature_c_avg,
       min(outdoor_temperature_c) AS outdoor_temperature_c_min,
       max(outdoor_temperature_c) AS outdoor_temperature_c_max,
       avg(power_kw) AS power_kw_avg,
       min(power_kw) AS power_kw_min,
       max(power_kw) AS power_kw_max,
       avg(cop) AS cop_avg,
       min(cop) AS cop_min,
       max(cop) AS cop_max,
       (array_agg(total_energy_kwh ORDER BY "timestamp")
           FILTER (WHERE total_energy_kwh IS NOT NULL))[1] AS total_energy_kwh_first,
       (array_agg(total_energy_kwh ORDER BY "timestamp" DESC)
           FILTER (WHERE total_energy_kwh IS NOT NULL))[1] AS total_energy_kwh_last,
       min(total_energy_kwh) AS total_energy_kwh_min,
       max(total_energy_kwh) AS total_energy_kwh_max,
       (array_agg(heat_kwh ORDER BY "timestamp")
           FILTER (WHERE heat_kwh IS NOT NULL))[1] AS heat_kwh_first,
       (array_agg(heat_kwh ORDER BY "timestamp" DESC)
           FILTER (WHERE heat_kwh IS NOT NULL))[1] AS heat_kwh_last,
       min(heat_kwh) AS heat_kwh_min,
       max(heat_kwh) AS heat_kwh_max
FROM heatpump_readings
GROUP BY 1, device_id
"""

TEMPERATURE_SUMMARY = """
CREATE VIEW temperature_hourly AS
SELECT date_trunc('hour', "timestamp", 'UTC') AS bucket,
       device_id,
       count(*) AS readings,
       avg(temperature_c) AS temperature_c_avg,
       min(temperature_c) AS temperature_c_min,
       max(temperature_c) AS temperature_c_max,
       avg(humidity_percent) AS humidity_percent_avg,
       min(humidity_percent) AS humidity_percent_min,
       max(humidity_percent) AS humidity_percent_max,
       min(battery_percent) AS battery_percent_min
FROM temperature_readings
GROUP BY 1, device_id
"""


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=False)


def _name(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _truth(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _readings(table: str, *measurements: sa.Column[Any]) -> None:
    op.create_table(
        table,
        _instant("timestamp"),
        _name("device_id"),
        *measurements,
        _truth("time_assigned"),
        _truth("retained"),
        _text("mqtt_topic"),
        _instant("received_at"),
        sa.Column("source_partition", sa.Integer, nullable=False),
        sa.Column("source_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "timestamp"),
    )
    op.create_index(f"{table}_time", table, [sa.desc("timestamp")])


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Double) for name in names]


def upgrade() -> None:
    _readings(
        "energy_readings",
        *_numbers("total_energy_kwh", "exported_energy_kwh", "power_kw", "voltage", "current"),
        *_numbers("power_factor", "frequency"),
    )
    _readings(
        "heatpump_readings",
        *_numbers("flow_temperature_c", "return_temperature_c", "outdoor_temperature_c"),
        *_numbers("power_kw", "total_energy_kwh", "heat_kwh", "cop"),
        _text("state", nullable=True),
    )
    _readings("temperature_readings", *_numbers("temperature_c", "humidity_percent", "battery_percent"))
    op.create_table(
        "homelab_dead_letters",
        _instant("received_at"),
        _name("id"),
        sa.Column("reasons", ARRAY(sa.Text), nullable=False),
        _text("message"),
        _text("field", nullable=True),
        _text("raw"),
        _text("raw_encoding"),
        sa.Column("raw_size", sa.BigInteger, nullable=False),
        _truth("raw_truncated"),
        _name("device_id", nullable=True),
        _name("mqtt_topic"),
        sa.Column("qos", sa.Integer, nullable=False),
        _truth("retained"),
        _text("bridge"),
        sa.PrimaryKeyConstraint("id", "received_at"),
    )
    op.create_index("homelab_dead_letters_time", "homelab_dead_letters", [sa.desc("received_at")])
    for view in (ENERGY_SUMMARY, HEATPUMP_SUMMARY, TEMPERATURE_SUMMARY):
        op.execute(view)
