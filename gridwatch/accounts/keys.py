"""API keys: `gw_<id>_<secret>`, of which only the digest of the secret is kept.

The secret is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess, and verifying is
cheap. The id names the key in lists, logs and metrics; it opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final, Literal

Scope = Literal["ingest", "read"]
"""What a key allows: sending readings, reading history."""
SCOPES: Final[tuple[Scope, ...]] = ("ingest", "read")

_FORM: Final = re.compile(r"gw_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Key:
    """A key as it is kept. Times are µs since the Unix epoch; None: it does not expire, is not revoked."""

    id: str
    name: str
    scopes: tuple[str, ...]
    digest: bytes
    created: int
    expires: int | None = None
    revoked: int | None = None

    def is_valid(self, now: int) -> bool:
        """Whether it opens anything at this time."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def state(self, now: int) -> str:
        """In one word, for people."""
        if self.revoked is not None:
            return "revoked"
        return "valid" if self.is_valid(now) else "expired"


def new_key(name: str, scopes: tuple[str, ...], now: int, expires: int | None = None) -> tuple[Key, str]:
    """A key as it is kept, and its text, which is shown once."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    return Key(key_id, name, scopes, _digest(secret), now, expires), f"gw_{key_id}_{secret}"


def parts_of(text: str) -> tuple[str, str] | None:
    """Id and secret of a key's text; None if it has not the form of one."""
    found = _FORM.fullmatch(text)
    return (found[1], found[2]) if found else None


def is_secret_of(key: Key, secret: str) -> bool:
    """Whether the secret is the key's, in a time that does not depend on where they differ."""
    return hmac.compare_digest(_digest(secret), key.digest)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
