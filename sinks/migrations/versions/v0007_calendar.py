"""Intervals of local days and months: which calendar a meter's readings and gaps go by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("validated_readings", "reading_revisions", "gap_alerts")


def upgrade() -> None:
    # A column that may be NULL and has no default is added to compressed chunks as they are.
    for table in TABLES:
        op.add_column(table, sa.Column("calendar", sa.Text))
