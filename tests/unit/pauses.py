"""Pauses for tests of whatever tries again."""

from __future__ import annotations

import asyncio


class ShortPauses:
    """Wait for nothing, but let others have their turn; whoever tries for ever is stopped."""

    def __init__(self) -> None:
        self._left = 10

    async def wait(self) -> bool:
        self._left -= 1
        assert self._left, "tried again and again"
        await asyncio.sleep(0)
        return True
