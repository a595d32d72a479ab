"""Where `gridwatch ingest` is, and the key for it. UsageProblem for what cannot be, or must not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gridwatch.errors import UsageProblem

KEY_VARIABLE: Final = "GRIDWATCH_INGEST_KEY"
_BATCH: Final = "/telemetry/batch"
_EXAMPLE: Final = "write --url http://127.0.0.1:3001 or https://meters.example.org"


@dataclass(frozen=True)
class Address:
    """A service; the key goes into one header and is shown nowhere.

    `url` has no slash at its end; `path` is that of the requests.
    """

    url: str
    tls: bool
    host: str
    port: int
    path: str
    key: str | None = field(default=None, repr=False)


def address_of(url: str, key: str | None) -> Address:
    """The service at a URL. A key never goes over a network in plain text."""
    url = url.rstrip("/")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise UsageProblem(f"--url cannot be read: {problem}", _EXAMPLE) from problem
    if "@" in parts.netloc:
        # Not repeated here: there may be a password in it.
        raise UsageProblem("--url holds a user name", f"leave it out; a key is read from {KEY_VARIABLE}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageProblem(f"--url {url}: this is no http:// or https:// address", _EXAMPLE)
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageProblem(f"--url {url}: this is more than an address", _EXAMPLE)
    if parts.path.endswith(_BATCH):
        raise UsageProblem(f"--url {url}: {_BATCH} is added by itself", f"leave {_BATCH} out")
    tls = parts.scheme == "https"
    if key and not tls and not _is_loopback(parts.hostname):
        raise UsageProblem(
            f"--url {url}: the key would cross the network in plain text",
            "name an https:// address, or a tunnel that ends on 127.0.0.1",
        )
    return Address(url, tls, parts.hostname, port or (443 if tls else 80), parts.path + _BATCH, key)


def key_of(file: Path | None, environment: Mapping[str, str]) -> str | None:
    """The key in a file, else in the environment, else none."""
    if file is None:
        return _checked(environment[KEY_VARIABLE], KEY_VARIABLE) if environment.get(KEY_VARIABLE) else None
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise UsageProblem(f"--key-file {file}: cannot be read: {why}", "name a file with the key") from None
    return _checked(text, f"--key-file {file}")


def _checked(text: str, source: str) -> str:
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageProblem(f"{source}: there is no key in it", "it must hold one line, the key and no more")
    return key


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
