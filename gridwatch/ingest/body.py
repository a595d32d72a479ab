"""Reads the body of a request, within its limits of size and time.

A body that is too large is read to its end as long as it does not grow beyond reason, and thrown away as it
comes, because a client that is still sending would not see the answer. A compressed one is unpacked piece by
piece, never further than the limit.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Final

from gridwatch.ingest.problems import Problem

#: Most bytes of a body, as it comes and unpacked.
MOST_BYTES: Final = 5_000_000
#: Beyond these the connection is closed without reading the rest.
_MOST_DISCARDED: Final = 64_000_000

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


async def read_body(
    headers: Mapping[str, str], chunks: AsyncIterator[bytes], seconds: float, most: int = MOST_BYTES
) -> bytes:
    """The body, unpacked. Problem when it is too large, too slow, or not what the headers say."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Problem("media-type", f"Content-Encoding is gzip or none, not {encoding[:40]}")
    try:
        async with asyncio.timeout(seconds):
            return await _read(chunks, most, packed=encoding.endswith("gzip"))
    except TimeoutError:
        slow = f"the body was not there after {seconds:g} s: send smaller batches"
        raise Problem("too-slow", slow, closes=True) from None
    except zlib.error as error:
        raise Problem("bad-body", f"the body is not gzip: {error}", closes=True) from error


async def _read(chunks: AsyncIterator[bytes], most: int, *, packed: bool) -> bytes:
    unpacking = zlib.decompressobj(_GZIP) if packed else None
    pieces: list[bytes] = []
    size = received = 0
    async for chunk in chunks:
        received += len(chunk)
        if size <= most and received <= most:
            piece = chunk if unpacking is None else unpacking.decompress(chunk, most + 1 - size)
            size += len(piece)
            pieces.append(piece)
            if size > most:
                pieces.clear()
        elif received > _MOST_DISCARDED:
            break
    if size > most or received > most:
        raise Problem(
            "too-large",
            f"at most {most:,} bytes are read, packed and unpacked: send smaller batches",
            closes=True,
        )
    if unpacking is not None and not unpacking.eof:
        raise Problem("bad-body", "the body ends in the middle of its gzip stream: send all of it")
    return b"".join(pieces)
