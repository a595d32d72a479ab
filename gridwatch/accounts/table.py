"""`api_keys`: the keys in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, text

from gridwatch.accounts.keys import Key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = "id, name, scopes, digest, created_at, expires_at, revoked_at"


def add(connection: Connection, key: Key) -> None:
    """Keep a new key."""
    connection.execute(
        text(
            "INSERT INTO api_keys (id, name, scopes, digest, created_at, expires_at)"
            " VALUES (:id, :name, :scopes, :digest, :created, :expires)"
        ),
        {
            "id": key.id,
            "name": key.name,
            "scopes": list(key.scopes),
            "digest": key.digest,
            "created": _moment(key.created),
            "expires": _moment(key.expires),
        },
    )


def every(connection: Connection) -> list[Key]:
    """All keys, the newest first, revoked and expired ones too."""
    statement = f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, id"  # noqa: S608
    return [_key(row) for row in connection.execute(text(statement))]


def revoke(connection: Connection, key_id: str) -> bool:
    """Revoke a key from now on; False if there is no such key, or it is revoked already."""
    result = connection.execute(
        text("UPDATE api_keys SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL"), {"id": key_id}
    )
    return bool(result.rowcount)


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(
        row.id,
        row.name,
        tuple(row.scopes),
        bytes(row.digest),
        _micros(row.created_at) or 0,
        _micros(row.expires_at),
        _micros(row.revoked_at),
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
