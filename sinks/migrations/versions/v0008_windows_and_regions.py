"""Windows of consumption, the load of the regions, and incidents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _name(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _double(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _true_or_false(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def upgrade() -> None:
    for table in ("aggregates_1m", "aggregates_15m"):
        op.create_table(
            table,
            _instant("time"),
            _instant("window_end"),
            _name("meter_id"),
            _count("revision"),
            _text("region", nullable=True),
            _count("reading_count"),
            _count("expected_readings", nullable=True),
            _double("completeness"),
            _double("energy_kwh_sum", nullable=False),
            _double("power_kw_avg"),
            _double("power_kw_min"),
            _double("power_kw_max"),
            _double("voltage_avg"),
            _double("current_avg"),
            _double("power_factor_avg"),
            _count("source_partition"),
            _instant("received_at"),
            _name("id"),
            sa.Column("flow", sa.Text(collation="C"), nullable=False, server_default="smartmeter"),
            sa.PrimaryKeyConstraint("meter_id", "time"),
        )
        op.create_index(f"{table}_time", table, ["time"], postgresql_using="brin")
    op.create_table(
        "regional_aggregates_15m",
        _instant("time"),
        _name("region"),
        _instant("window_start"),
        _instant("window_end"),
        _count("revision"),
        _text("state"),
        _true_or_false("complete"),
        _text("quality"),
        _count("meters_active"),
        _count("meters_reporting"),
        _double("completeness"),
        _double("energy_kwh_sum", nullable=False),
        _double("load_kw"),
        _double("power_kw_min"),
        _double("power_kw_max"),
        _double("capacity_kw"),
        _double("load_percentage"),
        _true_or_false("prorated"),
        _count("uncovered"),
        _name("id"),
        sa.PrimaryKeyConstraint("region", "time"),
    )
    op.create_index("regional_aggregates_15m_time", "regional_aggregates_15m", [sa.desc("time")])
    op.create_table(
        "incidents",
        _instant("time"),
        _name("id"),
        _text("kind"),
        _name("region"),
        _name("target"),
        _text("state"),
        _count("revision"),
        _instant("started_at"),
        _instant("updated_at"),
        _instant("ended_at", nullable=True),
        _count("meters_open"),
        _count("meters_active"),
        _count("meters_peak"),
        sa.Column("meters", JSONB, nullable=False),
        _name("parent_id", nullable=True),
        sa.PrimaryKeyConstraint("id", "time"),
    )
    op.create_index("incidents_time", "incidents", [sa.desc("time")])
    op.create_index("incidents_open", "incidents", ["time"], postgresql_where=sa.text("state = 'OPEN'"))
