"""Reads the body of a request, within its limits of size and time.

A body that cannot be used is read to its end as long as it does not grow beyond reason, and thrown away as
it comes, because a client that is still sending would not see the answer. A compressed one is unpacked piece
by piece, never further than the limit. What all requests together hold in memory is limited, too.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from gridwatch.ingest.problems import RETRY_SECONDS, Problem

#: Most bytes of a body, as it comes and unpacked.
MOST_BYTES: Final = 5_000_000
#: Most bytes of the bodies of all requests under way.
MOST_HELD: Final = 64_000_000
#: Beyond these the connection is closed without reading the rest.
_MOST_DISCARDED: Final = 64_000_000
#: Of a compressed body: each one takes some memory and time, however little is in it.
_MOST_MEMBERS: Final = 1000

_JSON: Final = frozenset({"application/json"})
_LINES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_GZIP: Final = 16 + zlib.MAX_WBITS


def is_lines(content_type: str) -> bool:
    """Whether a body of this content type is NDJSON, else JSON. Problem for other types and charsets."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem("media-type", f"JSON is UTF-8, not {value.strip()[:40]}: encode it as UTF-8")
    if kind in _JSON:
        return False
    if kind in _LINES:
        return True
    what = f"not {kind[:60]}" if kind else "and the request says none"
    raise Problem("media-type", f"Content-Type is application/json or application/x-ndjson, {what}")


class Memory:
    """The memory for the bodies of all requests."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self.held = 0
        """Bytes in use."""

    @contextmanager
    def share(self) -> Iterator[Share]:
        """What one request takes of it, given back at its end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held

    @property
    def full(self) -> bool:
        """Whether more is in use than there should be."""
        return self.held > self._most


class Share:
    """The bytes that one request holds."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.held = 0

    def take(self, size: int) -> None:
        """Hold more. Problem when all requests together hold too much."""
        self.held += size
        self._memory.held += size
        if self._memory.full:
            raise Problem(
                "unavailable", "too many large bodies at a time", retry_after=RETRY_SECONDS, closes=True
            )


async def read_body(
    headers: Mapping[str, str],
    chunks: AsyncIterator[bytes],
    seconds: float,
    share: Share,
    most: int = MOST_BYTES,
) -> bytes:
    """The body, unpacked. Problem when it is too large, too slow, or not what the headers say."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Problem("media-type", f"Content-Encoding is gzip or none, not {encoding[:40]}")
    unpacking = _Unpacking() if encoding.endswith("gzip") else None
    try:
        async with asyncio.timeout(seconds):
            return await _read(chunks, most, unpacking, share)
    except TimeoutError:
        slow = f"the body was not there after {seconds:g} s: send smaller batches"
        raise Problem("too-slow", slow, closes=True) from None


async def _read(chunks: AsyncIterator[bytes], most: int, unpacking: _Unpacking | None, share: Share) -> bytes:
    pieces: list[bytes] = []
    size = received = 0
    broken: zlib.error | None = None
    async for chunk in chunks:
        received += len(chunk)
        if received > _MOST_DISCARDED:
            break
        if broken or size > most or received > most:
            pieces.clear()
            continue
        try:
            piece = chunk if unpacking is None else unpacking.unpack(chunk, most + 1 - size)
        except zlib.error as error:
            broken = error
            continue
        size += len(piece)
        share.take(len(piece))
        pieces.append(piece)
    if size > most or received > most:
        raise Problem(
            "too-large",
            f"at most {most:,} bytes are read, packed and unpacked: send smaller batches",
            closes=True,
        )
    if broken:
        raise Problem("bad-body", f"the body is not gzip: {broken}") from broken
    if unpacking is not None and not unpacking.complete:
        raise Problem("bad-body", "the body ends in the middle of its gzip stream: send all of it")
    return b"".join(pieces)


class _Unpacking:
    """Unpacks gzip, of which several members in a row are one text (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._members = 1

    @property
    def complete(self) -> bool:
        """Whether it may end here."""
        return self._member.eof

    def unpack(self, chunk: bytes, most: int) -> bytes:
        """The next piece; of what has more bytes than `most` only so many. zlib.error if it is not gzip."""
        pieces: list[bytes] = []
        while chunk and most > 0:
            if self._member.eof:
                self._members += 1
                if self._members > _MOST_MEMBERS:
                    raise zlib.error(f"it has more than {_MOST_MEMBERS} members")
                self._member = zlib.decompressobj(_GZIP)
            pieces.append(self._member.decompress(chunk, most))
            most -= len(pieces[-1])
            chunk = self._member.unused_data
        return b"".join(pieces)
