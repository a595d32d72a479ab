"""The history of the database schema, as Alembic runs it; `sinks/schema/version.py` calls it.

A revision that needs TimescaleDB's own statements asks `database_kind` for what it runs on and does
the ordinary thing elsewhere, so that one chain of revisions serves both.
"""

from __future__ import annotations

#: Where Alembic keeps the revision that the schema stands at.
VERSION_TABLE = "gridwatch_schema_version"
