"""`gridwatch keys`: API keys of the HTTP entrance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import Connection

from gridwatch.accounts import table
from gridwatch.accounts.keys import SCOPES, Key, Scope, new_key
from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError
from gridwatch.settings import load_settings
from replay.cli.options import DurationType
from sinks.database import address_of, connect
from sinks.schema.version import read_status, require_current

#: 100 years, µs: databases and clocks end at some time.
_LONGEST = 36_525 * 86_400_000_000
_json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")


@click.group("keys", epilog="Example:  gridwatch keys create head-end --expires 365d")
def command() -> None:
    """API keys: who may send readings over HTTP to an address that others can reach.

    Only a digest of a key is kept, in the database; its text is shown once, when it is created. A service
    knows a new or revoked key after five seconds.
    """


@command.command(epilog="Example:  gridwatch keys create head-end --expires 365d")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=("ingest",),
    show_default=True,
    help="What it allows; may be given twice.",
)
@click.option(
    "--expires", type=DurationType(), help="After which time it opens nothing: 365d.  [default: never]"
)
@_json_option
def create(name: str, scopes: tuple[Scope, ...], expires: int | None, as_json: bool) -> None:
    """Create a key and print it, on stdout alone: this is the only time that it is shown."""
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise GridwatchError("a key needs a name of 1 to 200 printable characters", "say who will use it")
    if expires is not None and expires > _LONGEST:
        raise GridwatchError("a key expires within 100 years", "leave --expires out for one that never does")
    now = now_micros()
    until = None if expires is None else now + expires
    key, secret = new_key(name.strip(), tuple(dict.fromkeys(scopes)), now, until)
    with _database() as connection:
        table.add(connection, key)
    if as_json:
        click.echo(json.dumps({**_as_dict(key, now), "key": secret}))
        return
    click.echo(secret)
    click.echo(f"key {key.id} ({key.name}); keep it now, it is not shown again", err=True)


@command.command("list", epilog="Example:  gridwatch keys list --json")
@_json_option
def list_keys(as_json: bool) -> None:
    """All keys, the newest first, without what they open with."""
    now = now_micros()
    with _database() as connection:
        keys = table.every(connection)
    if as_json:
        click.echo(json.dumps([_as_dict(key, now) for key in keys]))
        return
    if not keys:
        click.echo("no keys; gridwatch keys create makes one")
        return
    cells = [("id", "state", "scopes", "created", "expires", "name")]
    cells += [
        (
            key.id,
            key.state(now),
            ",".join(key.scopes),
            _day(key.created),
            _day(key.expires) if key.expires else "never",
            key.name,
        )
        for key in keys
    ]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@command.command(epilog="Example:  gridwatch keys revoke k3v9x0a1b2c4")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a key, for good. Services know within five seconds."""
    with _database() as connection:
        done = table.revoke(connection, key_id)
    if not done:
        raise GridwatchError(
            f"there is no key {key_id} that could be revoked", "gridwatch keys list shows them"
        )
    click.echo(f"key {key_id} is revoked")


@contextmanager
def _database() -> Iterator[Connection]:
    """A transaction. GridwatchError unless the schema is current."""
    settings = load_settings()
    with connect(settings.database) as connection:
        require_current(read_status(connection, address_of(settings.database)))
        yield connection


def _as_dict(key: Key, now: int) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": list(key.scopes),
        "created_at": format_instant(key.created),
        "expires_at": None if key.expires is None else format_instant(key.expires),
        "revoked_at": None if key.revoked is None else format_instant(key.revoked),
    }


def _day(micros_: int) -> str:
    return format_instant(micros_)[:10]
