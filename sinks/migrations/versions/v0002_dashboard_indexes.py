"""What the dashboards ask of millions of rows, answered from an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # How late the late readings were: few among many, and nothing else is wanted of them.
    op.create_index(
        "validated_readings_late",
        "validated_readings",
        ["time"],
        postgresql_include=["delay_seconds"],
        postgresql_where=sa.text("status = 'LATE'"),
    )
