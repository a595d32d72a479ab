"""The body of a request: its limits, and what is made of gzip."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gridwatch.ingest.body import MOST_BYTES, Memory, is_lines, read_body
from gridwatch.ingest.problems import Problem

GZIP = {"content-encoding": "gzip"}


async def coming(chunks: Sequence[bytes], pause: float = 0.0) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def read(
    chunks: Sequence[bytes],
    headers: dict[str, str] | None = None,
    *,
    most: int = MOST_BYTES,
    seconds: float = 5.0,
    pause: float = 0.0,
    memory: Memory | None = None,
) -> bytes:
    async def reading() -> bytes:
        with (memory or Memory()).share() as share:
            return await read_body(headers or {}, coming(chunks, pause), seconds, share, most)

    return asyncio.run(reading())


def refused(chunks: Sequence[bytes], headers: dict[str, str] | None = None, **how: float) -> Problem:
    with pytest.raises(Problem) as caught:
        read(chunks, headers, **how)  # type: ignore[arg-type]
    return caught.value


@given(some.binary(max_size=300), some.integers(1, 50))
def test_a_body_is_what_came_however_it_was_cut(body: bytes, size: int) -> None:
    assert read(cut(body, size)) == body


@given(some.lists(some.binary(max_size=200), min_size=1, max_size=5), some.integers(1, 50))
def test_gzip_of_any_number_of_members_is_unpacked_however_it_was_cut(parts: list[bytes], size: int) -> None:
    packed = b"".join(map(gzip.compress, parts))
    for name in ("gzip", "x-gzip", " GZIP "):
        assert read(cut(packed, size), {"content-encoding": name}) == b"".join(parts)


@given(some.binary(min_size=1, max_size=300), some.integers(1, 50), some.data())
def test_gzip_that_is_cut_short_is_refused(body: bytes, size: int, data: some.DataObject) -> None:
    packed = gzip.compress(body)
    short = packed[: data.draw(some.integers(0, len(packed) - 1))]
    assert refused(cut(short, size), GZIP).kind == "bad-body"


@pytest.mark.parametrize("wrong", [b"[]", b"\x1f\x8b\x08", zlib.compress(b"[]")])
def test_what_is_no_gzip_is_refused_and_read_to_its_end(wrong: bytes) -> None:
    rest = [b"x" * 100] * 10
    came: list[bytes] = []

    async def watched() -> AsyncIterator[bytes]:
        for chunk in [wrong, *rest]:
            came.append(chunk)
            yield chunk

    async def reading() -> None:
        with Memory().share() as share:
            await read_body(GZIP, watched(), 5, share)

    with pytest.raises(Problem) as caught:
        asyncio.run(reading())
    assert caught.value.kind == "bad-body"
    assert len(came) == 11


def test_what_follows_gzip_and_is_none_is_refused() -> None:
    assert refused([gzip.compress(b"[]") + b"junk"], GZIP).kind == "bad-body"


def test_a_bit_that_fell_over_is_noticed() -> None:
    packed = bytearray(gzip.compress(b"[1,2,3]" * 100))
    packed[-6] ^= 1
    assert refused([bytes(packed)], GZIP).kind == "bad-body"


def test_the_limit_is_the_last_byte_that_is_read() -> None:
    for size, headers in ((1, {}), (7, {}), (100, {}), (7, GZIP)):
        packed = gzip.compress if headers else bytes
        assert len(read(cut(packed(b"x" * 1000), size), headers, most=1000)) == 1000
        problem = refused(cut(packed(b"x" * 1001), size), headers, most=1000)
        assert (problem.kind, problem.status, problem.closes) == ("too-large", 413, True)


def test_the_limit_holds_for_the_packed_body_too() -> None:
    empty = gzip.compress(b"")
    assert refused([empty] * 100, GZIP, most=1000).kind == "too-large"
    assert refused([empty] * 1001, GZIP).kind == "bad-body"


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = cut(gzip.compress(b" " * 10_000_000) * 20, 65_536)
    tracemalloc.start()
    try:
        assert refused(bomb, GZIP, most=1_000_000).kind == "too-large"
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_large_body_is_thrown_away_as_it_comes_and_not_without_end() -> None:
    chunk, count = b" " * 1_000_000, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal count
        while True:
            count += 1
            yield chunk

    async def reading() -> None:
        with Memory().share() as share:
            await read_body({}, endless(), 60, share)

    with pytest.raises(Problem, match="at most 5,000,000 bytes"):
        asyncio.run(reading())
    assert 60 <= count <= 70


def test_a_slow_body_is_given_up() -> None:
    problem = refused([b"x"] * 100, seconds=0.05, pause=0.02)
    assert (problem.kind, problem.status, problem.closes) == ("too-slow", 408, True)
    assert read([b"x"] * 3, seconds=2, pause=0.01) == b"xxx"


def test_all_bodies_together_fit_into_the_memory_and_give_it_back() -> None:
    memory = Memory(1000)
    assert len(read([b"x" * 600], memory=memory)) == 600
    assert memory.held == 0
    with memory.share() as other:
        other.take(600)
        with pytest.raises(Problem) as caught:
            read([b"x" * 200] * 3, memory=memory)
        assert (caught.value.kind, memory.held) == ("unavailable", 600)
        assert caught.value.retry_after
        assert len(read([b"x" * 400], memory=memory)) == 400
    assert memory.held == 0


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "utf-8"])
def test_other_encodings_are_refused(encoding: str) -> None:
    assert refused([b"[]"], {"content-encoding": encoding}).status == 415


@pytest.mark.parametrize(
    ("content_type", "lines"),
    [
        ("application/json", False),
        ("Application/JSON; charset=UTF-8", False),
        ('application/json;charset="utf-8"', False),
        ("application/json; profile=x", False),
        ("application/x-ndjson", True),
        ("application/ndjson; charset=utf8", True),
        ("application/jsonl", True),
        ("application/x-jsonlines", True),
    ],
)
def test_content_types_of_json_and_of_lines(content_type: str, lines: bool) -> None:
    assert is_lines(content_type) is lines


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        ";",
        "text/plain",
        "text/json",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        "application/*",
        "application/json; charset=latin-1",
        "application/x-ndjson; charset=utf-16",
        "x" * 10_000,
    ],
)
def test_other_content_types_are_refused_in_few_words(content_type: str) -> None:
    with pytest.raises(Problem) as caught:
        is_lines(content_type)
    assert caught.value.status == 415
    assert len(caught.value.detail) < 200
