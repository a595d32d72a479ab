"""The book of record of meters, regions and planned outages, and the outbox of what is to be published.

Plain tables on TimescaleDB, too.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _name(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _text(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _instant(name: str, *, nullable: bool = True, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(
        name,
        TIMESTAMP(timezone=True),
        nullable=nullable,
        server_default=None if default is None else sa.text(default),
    )


def _versioned() -> list[sa.Column[Any]]:
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        _instant("updated_at", nullable=False, default="now()"),
    ]


def upgrade() -> None:
    op.create_table(
        "regions",
        _name("region"),
        sa.Column("capacity_kw", sa.Double, nullable=False),
        sa.Column("base_price_per_kwh", sa.Numeric),
        _text("currency"),
        _text("timezone"),
        sa.Column("holidays", ARRAY(sa.Date)),
        _instant("valid_from"),
        *_versioned(),
        sa.PrimaryKeyConstraint("region"),
    )
    op.create_table(
        "meters",
        _name("meter_id"),
        _text("flow", nullable=False),
        _text("status", nullable=False),
        _instant("installed_at"),
        _instant("removed_at"),
        _instant("valid_from"),
        _text("interval"),
        _text("timezone"),
        _text("anchor"),
        _text("grace"),
        _text("energy_mode"),
        _name("region", nullable=True),
        _name("feeder", nullable=True),
        _name("transformer", nullable=True),
        sa.Column("max_kw", sa.Double),
        sa.Column("fuse_amps", sa.Double),
        sa.Column("register_digits", sa.Integer),
        _text("customer_class"),
        *_versioned(),
        sa.PrimaryKeyConstraint("meter_id"),
    )
    op.create_table(
        "planned_outages",
        _name("outage_id"),
        _text("scope", nullable=False),
        _name("target"),
        _instant("outage_from", nullable=False),
        _instant("outage_until", nullable=False),
        _text("why"),
        sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
        *_versioned(),
        sa.PrimaryKeyConstraint("outage_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        _text("topic"),
        sa.Column("partition", sa.Integer),
        _name("key", nullable=True),
        sa.Column("headers", JSONB, nullable=False, server_default=sa.text("'{}'")),
        _text("value", nullable=False),
        _name("entity"),
        _instant("created_at", nullable=False, default="now()"),
        _instant("published_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_unpublished", "outbox", ["id"], postgresql_where=sa.text("published_at IS NULL"))
