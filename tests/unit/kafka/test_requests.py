"""Produce requests: byte for byte those of aiokafka, whatever version a broker speaks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest

from gridwatch.kafka.requests import join_once

LISTS = [("raw", [(0, [b"head", b"", b"records"]), (5, [b"x"])]), ("other", [(1, [])])]
WHOLE = [("raw", [(0, b"headrecords"), (5, b"x")]), ("other", [(1, b"")])]


def written(version: int, topics: list[Any], *, joined: bool) -> bytes:
    """What goes into the socket of a connection to a broker of that version."""
    sent: list[bytes] = []

    async def send() -> None:
        connection = AIOKafkaConnection("localhost", 1, client_id="gridwatch")
        connection._versions = {0: (version, version)}
        connection._writer = SimpleNamespace(write=sent.append, drain=lambda: None, close=lambda: None)
        client: Any = SimpleNamespace(send=lambda _node, request: connection.send(request, False))
        if joined:
            join_once(SimpleNamespace(client=client))
        client.send(1, ProduceRequest("owner" if version >= 3 else None, -1, 40_000, topics))
        connection._writer = None

    asyncio.run(send())
    (bytes_of_it,) = sent
    assert type(bytes_of_it) is bytes
    return bytes_of_it


@pytest.mark.parametrize("version", range(8))
def test_a_request_is_what_aiokafka_would_make_of_it(version: int) -> None:
    plain = written(version, WHOLE, joined=False)
    assert written(version, LISTS, joined=True) == plain
    assert written(version, WHOLE, joined=True) == plain


def test_other_requests_go_as_they_are() -> None:
    sent: list[Any] = []
    client = SimpleNamespace(send=lambda node, request, group=None: sent.append((node, request, group)))
    join_once(SimpleNamespace(client=client))
    asked = MetadataRequest([])
    client.send(3, asked, group=1)
    assert sent == [(3, asked, 1)]
