"""Intervals below a minute, when a record was received, and the registers that energy is counted from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("validated_readings", "reading_revisions", "gap_alerts")

#: TimescaleDB does not change the type of a column while compression is on, so chunks are decompressed here.
#: `gridwatch db migrate` turns compression on again after the migrations; its policy compresses the chunks.
DECOMPRESS = """
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') THEN
        IF EXISTS (
            SELECT 1 FROM timescaledb_information.hypertables
            WHERE hypertable_schema = current_schema() AND hypertable_name = '{table}' AND compression_enabled
        ) THEN
            PERFORM remove_compression_policy('{table}', if_exists => TRUE);
            PERFORM decompress_chunk(chunk, if_compressed => TRUE) FROM show_chunks('{table}') AS chunk;
            ALTER TABLE {table} SET (timescaledb.compress = FALSE);
        END IF;
    END IF;
END
$$
"""


def upgrade() -> None:
    for table in TABLES:
        op.execute(DECOMPRESS.format(table=table))
        op.alter_column(table, "interval_minutes", type_=sa.Double())
        op.add_column(table, sa.Column("interval_seconds", sa.Integer))
        op.add_column(table, sa.Column("received_at", TIMESTAMP(timezone=True)))
    for table in TABLES[:2]:
        op.add_column(table, sa.Column("energy_register_kwh", sa.Double))
        op.add_column(table, sa.Column("energy_from", TIMESTAMP(timezone=True)))
