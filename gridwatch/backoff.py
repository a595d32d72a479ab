"""Exponential back-off: the delay before each retry, and the number of tries."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class BackOff:
    """Delays that grow by `factor` from `first` seconds up to `most`, between at most `limit` tries.

    limit: None for no limit.
    """

    first: float = 0.1
    factor: float = 2.0
    most: float = 5.0
    limit: int | None = None

    def delay(self, tries: int) -> float:
        """Seconds to wait after the given number of failed tries, at least one."""
        # Beyond some tries the power would overflow, and is `most` anyway.
        return float(min(self.most, self.first * self.factor ** min(tries - 1, 64)))

    def is_spent(self, tries: int) -> bool:
        """Whether no try is left after the given number of failed ones."""
        return self.limit is not None and tries >= self.limit


class Retries:
    """The state of one operation that is retried."""

    def __init__(self, back_off: BackOff = BackOff()) -> None:
        self._back_off = back_off
        self._tries = 0

    async def wait(self) -> bool:
        """Wait after a failed try, each time longer; False, at once, if it was the last one."""
        self._tries += 1
        if self._back_off.is_spent(self._tries):
            return False
        await asyncio.sleep(self._back_off.delay(self._tries))
        return True
