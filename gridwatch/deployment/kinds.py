"""Every kind of service, one line each."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A service: `gridwatch <command>` serves its pages on the port that `port_setting` names."""

    name: str
    port_setting: str
    command: tuple[str, ...]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("worker", "web_port", ("worker", "-l", "info")),
        Kind("sink", "sink_web_port", ("sink", "-l", "info")),
        Kind("ingest", "ingest_port", ("ingest",)),
        Kind("bridge", "bridge_web_port", ("bridge",)),
    )
}
