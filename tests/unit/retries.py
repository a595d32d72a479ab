"""Retries without delays, for tests."""

from __future__ import annotations

import asyncio


class ImmediateRetries:
    """Yields to other tasks instead of waiting; fails a test that retries for ever."""

    def __init__(self) -> None:
        self._left = 10

    async def wait(self) -> bool:
        self._left -= 1
        assert self._left, "tried again and again"
        await asyncio.sleep(0)
        return True
