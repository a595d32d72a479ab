"""A session with an MQTT broker, on the event loop: `paho-mqtt` does the protocol, this moves its bytes.

The broker keeps the session (clean start false, an expiry of days): what comes while the bridge is away is
delivered when it is back, and a message is delivered again until it is acknowledged. Messages are
acknowledged by hand, and only on the connection that they came on: a broker forgets packet ids when a
connection ends, and uses them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gridwatch.backoff import BackOff
from gridwatch.bridge.config import Broker
from gridwatch.bridge.translation import Message
from gridwatch.clock import now_micros

logger = logging.getLogger(__name__)

#: Messages that the broker sends without an ack.
RECEIVE_MAXIMUM: Final = 500
#: A larger packet is not sent to us; the broker discards it.
_MAXIMUM_PACKET: Final = 16 * 1024 * 1024
_BACK_OFF: Final = BackOff(first=0.2, most=5.0)
_CONNECT_SECONDS: Final = 10.0
_MISC_SECONDS: Final = 1.0
#: Packets read before others get their turn.
_READ_AT_ONCE: Final = 200


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
        self._client: mqtt.Client | None = None
        self._ended = asyncio.Event()
        self._started = False
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
            client = self._client = self._new_client()
            try:
                await self._connect(client)
            except (OSError, ValueError, TimeoutError) as error:
                self._lost(f"no MQTT broker at {self._broker.address}: {error or type(error).__name__}")
            else:
                before = self.connections
                await self._serve(client)
                tries = 0 if self.connections > before else tries
            await self._close(client)
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
            await self._close(client)

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge a message; nothing if its connection has ended: it is delivered again."""
        client = self._client
        if client is not None and delivery.connection == self.connection and self.connected:
            client.ack(delivery.packet, delivery.message.qos)

    # -- connecting

    def _new_client(self) -> mqtt.Client:
        broker = self._broker
        newer = broker.version == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            broker.client_id,
            clean_session=None if newer else False,
            protocol=MQTTProtocolVersion.MQTTv5 if newer else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_SECONDS
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            context = ssl.create_default_context(cafile=broker.ca_file)
            if broker.cert_file is not None:
                context.load_cert_chain(broker.cert_file, broker.key_file)
            client.tls_set_context(context)
        number = self.connection
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda _client, _data, message: self._on_message(message, number)
        return client

    async def _connect(self, client: mqtt.Client) -> None:
        """Connect the socket, in a thread: names are looked up, TLS is negotiated."""
        options: dict[str, Any] = {}
        if self._broker.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = self._broker.session_seconds
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
            properties.MaximumPacketSize = _MAXIMUM_PACKET
            options = {"clean_start": False, "properties": properties}
        address = (self._broker.host, self._broker.port, self._broker.keep_alive)
        await asyncio.to_thread(lambda: client.connect(*address, **options))

    async def _serve(self, client: mqtt.Client) -> None:
        """Read and write for the client until its connection ends."""
        loop, socket = asyncio.get_running_loop(), client.socket()
        if socket is None:
            return
        descriptor = socket.fileno()  # paho closes the socket itself when it fails

        def forget(*_: object) -> None:
            loop.remove_reader(descriptor)
            loop.remove_writer(descriptor)

        def write() -> None:
            if client.want_write():
                client.loop_write()
            else:
                loop.remove_writer(descriptor)

        def want_write(*_: object) -> None:
            loop.add_writer(descriptor, write)

        client.on_socket_register_write = want_write
        client.on_socket_close = forget
        loop.add_reader(descriptor, self._read, client)
        want_write()
        try:
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), _MISC_SECONDS)
                if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
        finally:
            client.on_socket_register_write = None
            if client.socket() is not None:
                forget()

    def _read(self, client: mqtt.Client) -> None:
        """Read packets as long as messages come: each call of paho reads one."""
        for _ in range(_READ_AT_ONCE):
            before = self._count
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._ended.set()
                return
            if self._count == before:
                return

    async def _close(self, client: mqtt.Client) -> None:
        self.connected = False
        socket = client.socket()
        if socket is not None:
            with contextlib.suppress(OSError):
                socket.close()

    # -- what the broker says

    _count = 0

    def _on_connect(
        self, client: mqtt.Client, _data: object, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._lost(f"the MQTT broker at {self._broker.address} refuses: {reason}")
            self._ended.set()
            return
        if self.problem:
            logger.warning("connected to the MQTT broker at %s", self._broker.address)
        self.connections += 1
        self.connected, self.problem = True, ""
        self._subscribe(client, kept=bool(flags.session_present))
        self._started = True

    def _subscribe(self, client: mqtt.Client, *, kept: bool) -> None:
        """Subscribe. To a subscription that the broker has kept, it must not send retained messages again."""
        if self._broker.version == "5":
            only_new = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(name, only_new) for name in self._filters])
        elif not (kept and self._started):
            client.subscribe([(name, 1) for name in self._filters])

    def _on_subscribe(
        self, _client: object, _data: object, _mid: int, reasons: Any, _properties: Any
    ) -> None:
        refused = [name for name, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        if refused:
            self._lost(
                f"the MQTT broker at {self._broker.address} refuses to subscribe us to {', '.join(refused)}"
            )

    def _on_disconnect(
        self, _client: object, _data: object, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self.connected:
            self._lost(f"the connection to the MQTT broker at {self._broker.address} ended: {reason}")
        self._ended.set()

    def _on_message(self, message: mqtt.MQTTMessage, connection: int) -> None:
        self._count += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\N{REPLACEMENT CHARACTER}"
        one = Message(topic, bytes(message.payload), message.qos, message.retain, message.dup, now_micros())
        self._received(Delivery(one, connection, message.mid))

    def _lost(self, problem: str) -> None:
        self.connected = False
        if problem != self.problem:
            logger.error("%s; trying again, nothing is lost", problem)
            self.problem = problem
