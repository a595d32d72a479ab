"""The keys in memory, read again every few seconds: a revoked key opens nothing after that.

While the database is away the keys that were read last go on for some minutes, so that an outage of the
database is not one of the entrance, which does not need it otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from gridwatch.accounts.keys import Key, is_secret_of, parts_of
from gridwatch.domain.policy import SECOND

logger = logging.getLogger(__name__)

READ_SECONDS: Final = 5.0
STALE_SECONDS: Final = 15 * 60.0


class KeysUnknownError(Exception):
    """The keys could not be read for too long."""


class KeyRing:
    """The keys of the database.

    Args:
        read: reads them all; it may take seconds, and any exception means that they cannot be read now.
        now: µs since the Unix epoch.
    """

    def __init__(self, read: Callable[[], Sequence[Key]], now: Callable[[], int]) -> None:
        self._read = read
        self._now = now
        self._keys: dict[str, Key] = {}
        self._read_at: int | None = None
        #: Why they could not be read the last time; empty if they could.
        self.problem = ""

    @property
    def known(self) -> bool:
        """Whether they were read lately enough to decide by them."""
        return self._read_at is not None and self._now() - self._read_at <= STALE_SECONDS * SECOND

    def find(self, text: str) -> Key | None:
        """The valid key of this text; None if there is none. KeysUnknownError when nobody can say."""
        now = self._now()
        if not self.known:
            raise KeysUnknownError(self.problem or "the keys have not been read yet")
        parts = parts_of(text)
        key = None if parts is None else self._keys.get(parts[0])
        if parts is None or key is None or not is_secret_of(key, parts[1]) or not key.is_valid(now):
            return None
        return key

    async def refresh(self) -> None:
        """Read the keys, in a thread."""
        started = self._now()
        try:
            keys = await asyncio.to_thread(self._read)
        except Exception as error:  # whatever it is, the last keys go on for a while
            if not self.problem:
                logger.error("the API keys cannot be read, the last ones go on for 15 minutes: %s", error)
            self.problem = str(error) or type(error).__name__
            return
        self._keys = {key.id: key for key in keys}
        self._read_at = started
        self.problem = ""

    async def keep_fresh(self) -> None:
        """Read the keys again and again."""
        while True:
            await self.refresh()
            await asyncio.sleep(READ_SECONDS)
