"""The revision of the schema, and its upgrade.

One chain of revisions for every PostgreSQL; TimescaleDB's own objects are no revision, but are brought to the
settings after them, at every migration (`timescale.py`).

One migration at a time: an advisory lock makes a second one wait, and find nothing left to do. All
steps run in one transaction, so a migration is atomic. A schema at a revision that this version of
gridwatch does not know is newer, and is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from gridwatch.errors import GridwatchError
from sinks.database import DatabaseKind, address_of, connect, database_kind
from sinks.migrations import VERSION_TABLE
from sinks.schema import timescale
from sinks.schema.extension import create_if_possible, limitation
from sinks.schema.storage import Storage

State = Literal["missing", "older", "current", "newer"]

#: Any number that no other application on the same database uses for its advisory locks.
_MIGRATION_LOCK = 0x6772_6964  # "grid"
_LOCK_WAIT = "60s"

_REMEDIES: dict[State, str] = {
    "missing": "gridwatch db migrate",
    "older": "gridwatch db migrate",
    "current": "",
    "newer": "install the version of gridwatch that made this schema, or a later one",
}


@dataclass(frozen=True)
class SchemaStatus:
    """The kind of the database and the revision of its schema; `revision` None: there is none yet.

    `note` is why TimescaleDB is not used, or not in full; empty when it is.
    """

    address: str
    kind: DatabaseKind
    revision: str | None
    wanted: str
    note: str = ""

    @property
    def state(self) -> State:
        if self.revision is None:
            return "missing"
        if self.revision == self.wanted:
            return "current"
        return "older" if self.revision in known_revisions() else "newer"

    @property
    def remedy(self) -> str:
        """The command that fixes it, empty when it is current."""
        return _REMEDIES[self.state]

    def __str__(self) -> str:
        revision = self.revision or "none"
        return f"schema {self.state} (revision {revision}, this gridwatch has {self.wanted})"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "sinks:migrations")
    config.set_main_option("path_separator", "os")
    return config


@lru_cache(maxsize=1)
def known_revisions() -> tuple[str, ...]:
    """Every revision that this version knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def read_status(connection: Connection, address: str = "") -> SchemaStatus:
    """The status of the schema that `connection` sees."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    kind, revision = database_kind(connection), context.get_current_revision()
    wanted = known_revisions()[0]
    note = limitation(connection, kind.timescaledb) if revision == wanted else ""
    return SchemaStatus(address, kind, revision, wanted, note)


def status(url: str) -> SchemaStatus:
    """The status of the schema at `url`. GridwatchError when the database is unavailable."""
    with connect(url) as connection:
        return read_status(connection, address_of(url))


def migrate(url: str, storage: Storage | None = None) -> tuple[SchemaStatus, SchemaStatus]:
    """Upgrade the schema, and bring TimescaleDB to `storage`; returns the status before and after.

    The extension is created where the server has it; a refusal is in the note of the status after.
    GridwatchError when the database cannot be reached, another migration holds the lock for more than
    a minute, or the schema is newer than this version of gridwatch.
    """
    _refuse_newer(status(url))
    refusal = create_if_possible(url)
    with connect(url) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        before = read_status(connection, address_of(url))
        _refuse_newer(before)
        if before.state != "current":
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        timescale.apply(connection, storage or Storage())
        after = read_status(connection, address_of(url))
        if refusal and after.kind.timescaledb is None:
            after = replace(after, note=refusal)
        return before, after


def _refuse_newer(found: SchemaStatus) -> None:
    if found.state == "newer":
        raise GridwatchError(f"{found} at {found.address}: left as it is", found.remedy)


def require_current(found: SchemaStatus) -> None:
    """GridwatchError with the remedy unless the schema is exactly the one that this version writes."""
    if found.state != "current":
        raise GridwatchError(f"{found} at {found.address}", found.remedy)
