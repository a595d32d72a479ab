"""How long to wait before the next try of what may mend by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BackOff:
    """Pauses that grow by `factor` from `first` seconds up to `most`."""

    first: float = 0.1
    factor: float = 2.0
    most: float = 5.0

    def delay(self, tries: int) -> float:
        """Seconds after the given number of failed tries, at least one."""
        # Beyond some tries the power would overflow, and is `most` anyway.
        return float(min(self.most, self.first * self.factor ** min(tries - 1, 64)))
