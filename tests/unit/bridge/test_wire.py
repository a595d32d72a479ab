"""The bytes of a connection: packets however they are cut, PUBLISH decoded, everything else left to paho."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gridwatch.bridge.wire import ProtocolError, Published, Wire
from tests.unit.bridge.looping import on_a_loop

PINGRESP = b"\xd0\x00"


def packet(head: int, content: bytes) -> bytes:
    """As MQTT 5, section 2.1.4 writes its length."""
    length, digits = len(content), bytearray()
    while True:
        digits.append(length % 128 + (128 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes([head]) + digits + content


def published(one: Published, *, newer: bool, properties: bytes = b"\0") -> bytes:
    topic = one.topic.encode()
    head = 0x30 | one.redelivered << 3 | one.qos << 1 | one.retained
    number = one.packet.to_bytes(2, "big") if one.qos else b""
    return packet(
        head, len(topic).to_bytes(2, "big") + topic + number + (properties if newer else b"") + one.payload
    )


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        yield near, far


def read(wire: Wire) -> list[Published | bytes]:
    """What is there, packets of others as paho would read them."""
    wire.read()
    found: list[Published | bytes] = []
    for one in wire.packets():
        found.append(wire.recv(100_000) if one is None else one)
    return found


MESSAGES = some.builds(
    Published,
    some.text(max_size=5, alphabet="ab/ü"),
    some.binary(max_size=300),
    some.just(1),
    some.booleans(),
    some.booleans(),
    some.integers(1, 65_535),
) | some.builds(
    Published,
    some.just("t"),
    some.binary(max_size=3),
    some.just(0),
    some.booleans(),
    some.just(False),
    some.just(0),
)


@settings(max_examples=150)
@given(some.lists(MESSAGES | some.just(PINGRESP), max_size=8), some.data(), some.booleans())
def test_packets_are_the_same_however_they_are_cut(
    sent: list[Published | bytes], data: some.DataObject, newer: bool
) -> None:
    text = b"".join(one if isinstance(one, bytes) else published(one, newer=newer) for one in sent)
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        wire, found = Wire(near, newer=newer), list[Published | bytes]()
        while text:
            size = data.draw(some.integers(1, len(text)))
            far.sendall(text[:size])
            found += read(wire)
            text = text[size:]
        assert found == sent


def test_properties_of_a_message_are_passed_over(pair: tuple[socket.socket, socket.socket]) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("a", "x" * 200)]
    properties.ContentType = "text/plain"
    one = Published("a/b", b"payload", 1, False, False, 7)
    pair[1].sendall(published(one, newer=True, properties=properties.pack()))  # type: ignore[no-untyped-call]
    assert read(Wire(pair[0], newer=True)) == [one]


def test_a_large_message_arrives_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    one = Published("t", bytes(range(256)) * 12_000, 1, True, True, 65_535)
    content, found, wire = published(one, newer=True), list[Published | bytes](), Wire(pair[0], newer=True)
    for at in range(0, len(content), 50_000):
        pair[1].sendall(content[at : at + 50_000])
        found += read(wire)
    assert found == [one]


def test_a_topic_that_is_no_text_is_replaced(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[1].sendall(packet(0x30, b"\0\x02\xff\xfe" + b"\0" + b"x"))
    assert read(Wire(pair[0], newer=True)) == [Published("\ufffd", b"x", 0, False, False, 0)]


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0",
        packet(0x10, b"\0\4MQTT"),  # CONNECT
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        packet(0x34, b"\0\1t\0\1\0x"),  # QoS 2
        packet(0x36, b"\0\1t\0\1\0x"),  # QoS 3
        packet(0x32, b"\0\1t\0\0\0x"),  # packet id 0
        packet(0x32, b"\0\1t\0"),
        packet(0x30, b"\0\5t"),
        packet(0x30, b""),
        packet(0x30, b"\0\1t\x7f"),  # properties that end behind the packet
        packet(0x30, b"\0\1t\x80"),
    ],
)
def test_what_is_not_mqtt_is_an_error(pair: tuple[socket.socket, socket.socket], content: bytes) -> None:
    pair[1].sendall(content)
    with pytest.raises(ProtocolError):
        read(Wire(pair[0], newer=True))


def test_paho_sees_the_end_of_the_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    wire = Wire(pair[0], newer=True)
    with pytest.raises(BlockingIOError):
        wire.recv(1)
    pair[1].sendall(PINGRESP + published(one := Published("t", b"", 0, False, False, 0), newer=True))
    pair[1].close()
    wire.read()
    found = [one if one is not None else wire.recv(100) for one in wire.packets()]
    assert found == [PINGRESP, one, b""]
    assert wire.recv(1) == b""


@on_a_loop
async def test_acknowledgements_go_out_in_their_order_and_together(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    wire = Wire(pair[0], newer=True)
    wire.send(b"before")
    wire.attach(lambda: None, lambda _error: None)
    for number in (1, 513, 65_535):
        wire.acknowledge(number)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert pair[1].recv(100) == b"before\x40\x02\x00\x01\x40\x02\x02\x01\x40\x02\xff\xff"
    wire.detach()


@on_a_loop
async def test_what_the_socket_does_not_take_is_sent_later(pair: tuple[socket.socket, socket.socket]) -> None:
    wire = Wire(pair[0], newer=True)
    wire.attach(lambda: None, lambda _error: None)
    wire.send(bytes(3_000_000))
    received = 0
    pair[1].setblocking(False)
    while received < 3_000_000:
        await asyncio.sleep(0)
        try:
            received += len(pair[1].recv(1 << 20))
        except BlockingIOError:
            continue
    wire.detach()


@on_a_loop
async def test_a_connection_that_cannot_be_written_to_is_lost(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    lost: list[OSError] = []
    wire = Wire(pair[0], newer=True)
    wire.attach(lambda: None, lost.append)
    pair[1].close()
    wire.acknowledge(1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [type(one) for one in lost] == [BrokenPipeError]
    wire.detach()


@on_a_loop
async def test_once_detached_nothing_is_written_or_touched(pair: tuple[socket.socket, socket.socket]) -> None:
    wire = Wire(pair[0], newer=True)
    wire.attach(lambda: None, lambda _error: None)
    wire.acknowledge(1)
    wire.close()
    wire.close()
    await asyncio.sleep(0)
    assert pair[1].recv(100) == b"\x40\x02\x00\x01"
    assert pair[1].recv(100) == b""
