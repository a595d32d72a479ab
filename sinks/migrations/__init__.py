"""The Alembic migrations of the database schema; `sinks/schema/version.py` runs them.

A revision that needs TimescaleDB's own statements asks `database_kind` for the server and falls back to plain
SQL elsewhere, so that one chain of revisions serves both.
"""

from __future__ import annotations

#: The table in which Alembic keeps the schema's revision.
VERSION_TABLE = "gridwatch_schema_version"
