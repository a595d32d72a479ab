"""The client of `paho-mqtt` for a broker: version of the protocol, account, TLS; its socket is a `Wire`."""

from __future__ import annotations

import ssl
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gridwatch.bridge.config import Broker
from gridwatch.bridge.wire import Wire

#: Messages that the broker sends without an ack.
RECEIVE_MAXIMUM: Final = 500
#: A larger packet is not sent to us; the broker discards it.
_MAXIMUM_PACKET: Final = 16 * 1024 * 1024
_CONNECT_SECONDS: Final = 10.0


class Client(mqtt.Client):
    """The client of `paho`. `wire` is there once it has connected."""

    wire: Wire | None = None

    def _create_socket(self) -> Any:
        connected: Any = super()._create_socket()
        self.wire = Wire(connected, newer=self.protocol == MQTTProtocolVersion.MQTTv5)
        return self.wire


def new_client(broker: Broker) -> Client:
    """A client that is not connected. OSError when a certificate cannot be loaded."""
    newer = broker.version == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        broker.client_id,
        clean_session=None if newer else False,
        protocol=MQTTProtocolVersion.MQTTv5 if newer else MQTTProtocolVersion.MQTTv311,
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
    return client


def connect(client: Client, broker: Broker) -> None:
    """Connect its socket, which may take seconds. OSError or ValueError when it cannot be."""
    options: dict[str, Any] = {}
    if broker.version == "5":
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = broker.session_seconds
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = _MAXIMUM_PACKET
        options = {"clean_start": False, "properties": properties}
    client.connect(broker.host, broker.port, broker.keep_alive, **options)
