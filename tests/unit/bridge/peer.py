"""A broker of a few lines, which sends what a test wants, and the session that is connected to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from gridwatch.bridge.config import Broker
from gridwatch.bridge.session import Delivery, Session

CONNECT, SUBSCRIBE, PINGREQ, DISCONNECT = 0x10, 0x82, 0xC0, 0xE0
_SECONDS = 10.0


class Packet(NamedTuple):
    """The first byte and the content of a packet."""

    head: int
    content: bytes


class Peer:
    """The broker's end of one connection; contents are shorter than 128 bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def next(self) -> Packet:
        head, length = await asyncio.wait_for(self._reader.readexactly(2), _SECONDS)
        return Packet(head, await self._reader.readexactly(length))

    def send(self, head: int, content: bytes) -> None:
        self.writer.write(bytes([head, len(content)]) + content)

    def accept(self, *, kept: bool = False, reason: int = 0, newer: bool = True) -> None:
        self.send(0x20, bytes([kept, reason]) + (b"\0" if newer else b""))

    async def subscribed(self, *reasons: int, newer: bool = True) -> bytes:
        """Answer a SUBSCRIBE; returns its content behind the packet id."""
        asked = await self.next()
        assert asked.head == SUBSCRIBE
        self.send(0x90, asked.content[:2] + (b"\0" if newer else b"") + bytes(reasons or (1,)))
        return asked.content[2:]

    def publish(self, packet: int, payload: bytes = b"x") -> None:
        self.send(0x32, b"\0\1t" + packet.to_bytes(2, "big") + b"\0" + payload)


class Home:
    """A session, its broker's connections, and what it received."""

    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.received: list[Delivery] = []
        self.session: Session
        self.room = True

    async def connected(self) -> Peer:
        """The next connection, of which CONNECT has come."""
        peer = await asyncio.wait_for(self.peers.get(), _SECONDS)
        assert (await peer.next()).head == CONNECT
        return peer

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(_SECONDS):
            while not condition():  # noqa: ASYNC110 - it is the session that is watched
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(filters: tuple[str, ...] = ("t",), version: str = "5") -> AsyncIterator[Home]:
    home, writers = Home(), list[asyncio.StreamWriter]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        home.peers.put_nowait(Peer(reader, writer))
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    broker = Broker(
        port=server.sockets[0].getsockname()[1], version=version, username="u", password="hunter2"
    )
    home.session = Session(broker, filters, home.received.append, may_connect=lambda: home.room)
    task = asyncio.ensure_future(home.session.run())
    try:
        yield home
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await home.session.stop()
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)
