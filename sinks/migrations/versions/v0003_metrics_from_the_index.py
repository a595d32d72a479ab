"""A week of metrics is answered from an index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "metrics_values",
        "metrics",
        ["metric", sa.desc("time")],
        postgresql_include=["partition", "value", "window_end"],
    )
    op.drop_index("metrics_metric_time", "metrics")
