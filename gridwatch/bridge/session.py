"""A session with an MQTT broker, on the event loop: `paho-mqtt` does the protocol, `wire.py` has its bytes.

The broker keeps the session (clean start false, an expiry of days): what comes while the bridge is away is
delivered when it is back, and a message is delivered again until it is acknowledged. Messages are
acknowledged by hand, and only on the connection that they came on: a broker forgets packet ids when a
connection ends, and uses them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gridwatch.backoff import BackOff
from gridwatch.bridge.client import Client, connect, new_client
from gridwatch.bridge.config import Broker
from gridwatch.bridge.translation import Message
from gridwatch.bridge.wire import Published, Wire
from gridwatch.clock import now_micros

logger = logging.getLogger(__name__)

_BACK_OFF: Final = BackOff(first=0.2, most=5.0)
_MISC_SECONDS: Final = 1.0
#: A subscription that was refused is tried again.
_REFUSED_SECONDS: Final = 10.0


class Delivery(NamedTuple):
    """A message with what acknowledges it: the number of its connection, and its packet id there."""

    message: Message
    connection: int
    packet: int


class Session:
    """Keeps a session alive. `run` connects again and again; `received` gets every message.

    Args:
        filters: what is subscribed to.
        may_connect: whether there is room for what the broker delivers again.
    """

    def __init__(
        self,
        broker: Broker,
        filters: Sequence[str],
        received: Callable[[Delivery], None],
        *,
        may_connect: Callable[[], bool],
    ) -> None:
        self._broker = broker
        self._may_connect = may_connect
        self._filters = list(dict.fromkeys(map(broker.subscription, filters)))
        self._received = received
        self._client: Client | None = None
        self._wire: Wire | None = None
        self._ended = asyncio.Event()
        #: Filters that the broker has not granted yet, and when it was asked.
        self._missing = self._filters
        self._asked: Sequence[str] = ()
        self._asked_at = 0.0
        #: The number of the connection, from 1 on; and how often one was accepted.
        self.connection = 0
        self.connections = 0
        self.connected = False
        #: Why it is not connected, or not subscribed; empty if it is.
        self.problem = "not connected yet"

    async def run(self) -> None:
        """Connect, stay, and connect again when the connection ends, until cancelled."""
        tries = 0
        while True:
            await self._room()
            self._ended.clear()
            self.connection += 1
            try:
                client = self._client = new_client(self._broker)
                client.on_connect = self._on_connect
                client.on_disconnect = self._on_disconnect
                client.on_subscribe = self._on_subscribe
                # In a thread: names are looked up, TLS is negotiated.
                await asyncio.to_thread(connect, client, self._broker)
            except (OSError, ValueError, TimeoutError) as error:
                self._lost(f"no MQTT broker at {self._broker.address}: {error or type(error).__name__}")
            else:
                before = self.connections
                await self._serve(client)
                tries = 0 if self.connections > before else tries
            await self._close()
            tries += 1
            await asyncio.sleep(_BACK_OFF.delay(tries))

    async def _room(self) -> None:
        """Wait until there is room for what the broker delivers again."""
        while not self._may_connect():  # noqa: ASYNC110 - room comes with every ack of Kafka
            await asyncio.sleep(_MISC_SECONDS)

    async def stop(self) -> None:
        """Leave, politely: the broker keeps the session."""
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()
                client.loop_write()
            await self._close()

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge a message; nothing if its connection has ended: it is delivered again."""
        if self._wire is not None and delivery.connection == self.connection and self.connected:
            self._wire.acknowledge(delivery.packet)

    async def _serve(self, client: Client) -> None:
        """Read and write for the client until its connection ends."""
        wire = client.wire
        if wire is None:
            return
        self._wire = wire
        client.on_socket_register_write = self._on_write
        client.on_socket_close = lambda *_: wire.detach()  # paho closes it when it fails
        wire.attach(lambda: self._read(client, wire), self._cut)
        try:
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), _MISC_SECONDS)
                if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
                self._subscribe_again(client)
        finally:
            self._wire = None
            wire.detach()

    def _read(self, client: mqtt.Client, wire: Wire) -> None:
        """Read what there is: messages are received, everything else is for paho."""
        if self._wire is not wire:
            return
        more = wire.read()
        try:
            for one in wire.packets():
                if one is not None:
                    self._receive(one)
                elif client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    self._ended.set()
                    return
        except Exception as error:  # whatever it is, the connection begins again, and does not spin
            logger.exception("a packet of the MQTT broker could not be read")
            self._cut(OSError(f"a packet cannot be read: {error}"))
            return
        if more:  # TLS may have decrypted it already, so that the socket says nothing
            asyncio.get_running_loop().call_soon(self._read, client, wire)

    def _cut(self, error: OSError) -> None:
        self._lost(f"the connection to the MQTT broker at {self._broker.address} ended: {error}")
        self._ended.set()

    def _receive(self, one: Published) -> None:
        self._received(Delivery(Message(*one[:5], now_micros()), self.connection, one.packet))

    async def _close(self) -> None:
        self.connected, self._wire = False, None
        if self._client is not None and self._client.wire is not None:
            self._client.wire.close()

    # -- what the library and the broker say

    def _on_write(self, client: mqtt.Client, _data: object, _socket: object) -> None:
        client.loop_write()

    def _on_connect(
        self, client: mqtt.Client, _data: object, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._lost(f"the MQTT broker at {self._broker.address} refuses: {reason}")
            self._ended.set()
            return
        self.connections += 1
        self.connected = True
        if not flags.session_present:
            self._missing = self._filters
        # A subscription that the broker has kept is asked for again by version 5 only: only there it is told
        # not to send retained messages again.
        if self._broker.version == "5" or self._missing:
            self._subscribe(client, self._filters if self._broker.version == "5" else self._missing)
        else:
            self._subscribed()

    def _subscribe(self, client: mqtt.Client, filters: Sequence[str]) -> None:
        self._asked, self._asked_at = filters, time.monotonic()
        if self._broker.version == "5":
            only_new = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(name, only_new) for name in filters])
        else:
            client.subscribe([(name, 1) for name in filters])

    def _on_subscribe(
        self, _client: object, _data: object, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        self._missing = [
            name for name, reason in zip(self._asked, reasons, strict=False) if reason.is_failure
        ]
        if self._missing:
            names = ", ".join(self._missing)
            self._problem(f"the MQTT broker at {self._broker.address} refuses to subscribe us to {names}")
        else:
            self._subscribed()

    def _subscribed(self) -> None:
        if self.problem:
            logger.warning("connected to the MQTT broker at %s", self._broker.address)
        self.problem = ""

    def _subscribe_again(self, client: mqtt.Client) -> None:
        """Ask again for what was refused, after a while."""
        if self.connected and self._missing and time.monotonic() - self._asked_at > _REFUSED_SECONDS:
            self._subscribe(client, self._missing)

    def _on_disconnect(
        self, _client: object, _data: object, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self.connected:
            self._lost(f"the connection to the MQTT broker at {self._broker.address} ended: {reason}")
        self._ended.set()

    def _lost(self, problem: str) -> None:
        self.connected = False
        self._problem(problem)

    def _problem(self, problem: str) -> None:
        if problem != self.problem:
            logger.error("%s; trying again, nothing is lost", problem)
            self.problem = problem
