"""EmbeddedMqtt: one real MQTT broker on loopback, rumqttd in a process of its own, from the package iotcore.

It has no persistence: sessions, retained messages and what waits for a client are in its memory, and end
with it. MQTT 5 and MQTT 3.1.1 have a port each, because rumqttd reads a listener in one version only.

For a try-out and for tests. Where it differs from the standard (iotcore 0.4, rumqttd 0.20):

- It sends at most 100 messages without an acknowledgement, whatever a client's Receive Maximum is, and
  packets of any size, whatever its Maximum Packet Size is.
- A message that it delivers again does not have the flag DUP.
- A session never expires. It is given up for a clean start only.
- Messages have the QoS of the subscription, also where they were published with a lower one.
- Retained messages are sent once a subscription, whatever its retain handling is.
- Acknowledgements that are out of order end the connection.
- A client that is away too long misses the oldest messages of a filter: the newest 128 MiB are kept.
"""

from __future__ import annotations

import importlib.util
import socket
import sys
from pathlib import Path
from typing import Final

from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.embedded.process import ServerProcess
from gridwatch.embedded.server import EmbeddedServer
from gridwatch.errors import UsageProblem

_PROBE_SECONDS: Final = 2.0
#: Of a payload; a larger one ends its publisher's connection.
_MOST_BYTES: Final = 16 * 1024 * 1024
#: CONNECT of MQTT 5: clean start, keep alive of a minute, no properties, the client id "probe".
_CONNECT: Final = b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x05probe"
_DISCONNECT: Final = b"\xe0\x00"
_CONNACK: Final = b"\x20"

_HEAD: Final = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 8
"""
_LISTENER: Final = """
[{version}.1]
name = "{version}"
listen = "{address}"
next_connection_delay_ms = 0

[{version}.1.connections]
connection_timeout_ms = 10000
max_payload_size = {most_bytes}
max_inflight_count = 500
dynamic_filters = true
"""


class EmbeddedMqtt(EmbeddedServer):
    """A broker that keeps its configuration and its log in `folder`, and nothing else.

    port: of MQTT 5, 0 for any free one. older_port: of MQTT 3.1.1, likewise.
    """

    name = "MQTT broker"
    _start_seconds = 30.0
    _port_in_use = "Address already in use"

    def __init__(self, folder: Path | str, *, port: int = 0, older_port: int = 0) -> None:
        super().__init__(folder, port, "mqtt.log")
        self.older_port = older_port
        self._older_port = older_port

    @property
    def url(self) -> str:
        """`mqtt://host:port` for clients of MQTT 5."""
        return f"mqtt://{LOOPBACK}:{self.port}"

    @property
    def older_url(self) -> str:
        """The same for clients of MQTT 3.1.1."""
        return f"mqtt://{LOOPBACK}:{self.older_port}"

    def _prepare(self) -> None:
        if importlib.util.find_spec("iotcore") is None:
            raise UsageProblem(
                "the embedded MQTT broker needs the package iotcore", "pip install 'gridwatch[embedded]'"
            )

    def _launch(self, port: int, lock: int) -> ServerProcess:
        self.older_port = self._older_port or free_ports(1)[0]
        config = self.folder / "rumqttd.toml"
        listeners = (("v5", port), ("v4", self.older_port))
        sections = (
            _LISTENER.format(version=version, address=f"{LOOPBACK}:{at}", most_bytes=_MOST_BYTES)
            for version, at in listeners
        )
        config.write_text(_HEAD + "".join(sections), encoding="utf-8")
        # Its spans are logged as errors, one a packet: below CRITICAL there is nothing to see.
        command = [sys.executable, "-P", "-m", "iotcore", "--config", str(config), "--log-level", "CRITICAL"]
        return ServerProcess(self.name, command, self.log, lock, grace=5.0)

    def _is_ready(self, process: ServerProcess, port: int) -> bool:
        return accepts_clients(port)

    def _started(self) -> None:
        self._older_port = self.older_port


def accepts_clients(port: int) -> bool:
    """Whether a broker on this loopback port accepts a client of MQTT 5: an open port is not enough."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_PROBE_SECONDS) as connection:
            connection.sendall(_CONNECT)
            answer = connection.recv(4)
            connection.sendall(_DISCONNECT)
    except OSError:
        return False
    return answer[:1] == _CONNACK
