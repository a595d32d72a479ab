"""A pause between the attempts of a client to find its brokers.

aiokafka asks for metadata again as soon as an attempt has failed, and each failed connection asks for another
one: while the brokers are away a client uses a core for nothing, and fills its log, just when the brokers
start on the same machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

PAUSE_SECONDS: Final = 0.25


def pace_updates(client: Any, pause: float = PAUSE_SECONDS) -> None:
    """Make an aiokafka client pause after each attempt to get metadata that failed."""
    update: Callable[..., Any] = client._metadata_update

    async def paced_update(cluster: Any, topics: Any) -> bool:
        updated: bool = await update(cluster, topics)
        if not updated:
            await asyncio.sleep(pause)
        return updated

    client._metadata_update = paced_update
