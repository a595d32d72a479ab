"""Anomalies."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _name(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "anomalies",
        _instant("time"),
        _name("anomaly_id"),
        _name("meter_id"),
        _text("kind"),
        sa.Column("revision", sa.Integer, nullable=False),
        _text("state"),
        _text("reason", nullable=True),
        _text("severity"),
        _text("confidence"),
        _instant("window_start"),
        _instant("window_end"),
        _instant("detected_at"),
        _instant("ended_at", nullable=True),
        _text("unit", nullable=True),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("baseline", sa.Double),
        sa.Column("deviation_percent", sa.Double),
        _text("region", nullable=True),
        sa.Column("source_partition", sa.Integer, nullable=False),
        _instant("received_at"),
        sa.Column("flow", sa.Text(collation="C"), nullable=False, server_default="smartmeter"),
        sa.PrimaryKeyConstraint("anomaly_id", "time"),
    )
    op.create_index("anomalies_time", "anomalies", [sa.desc("time")])
    op.create_index("anomalies_meter", "anomalies", ["meter_id", sa.desc("time")])
    op.create_index("anomalies_open", "anomalies", ["time"], postgresql_where=sa.text("state = 'OPEN'"))
