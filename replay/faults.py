"""Which readings are withheld or sent late: a function of (seed, meter, time) and nothing else.

So the faults of a reading do not depend on its file, its place there, or which other meters are replayed.
Neighbouring slots that are withheld make one gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

_SECOND = 1_000_000
_FULL = 1 << 64
_CACHED_METERS = 200_000

#: The fate of a reading that is never sent; other fates are its delay in µs, 0 = sent at its time.
WITHHELD = -1


@dataclass(frozen=True)
class FaultPlan:
    """How many readings are withheld (`gap_rate`) or delayed (`delay_rate`, up to `max_delay` µs)."""

    seed: int = 0
    delay_rate: float = 0.0
    max_delay: int = 300 * _SECOND
    gap_rate: float = 0.0

    @property
    def active(self) -> bool:
        """Whether any reading can have a fault."""
        return self.delay_rate > 0 or self.gap_rate > 0


class Faults:
    """The fates of readings under one plan."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._keys: dict[str, bytes] = {}
        self._gap_below = int(plan.gap_rate * _FULL)
        self._delay_below = int(plan.delay_rate * _FULL)
        # Whole seconds wherever the longest delay allows: they read better in the manifest.
        self._step = _SECOND if plan.max_delay >= _SECOND else 1

    def fate(self, meter: str, time: int) -> int:
        """WITHHELD, or the delay (µs, whole seconds) of the reading of `meter` at `time` (µs)."""
        key = self._keys.get(meter)
        if key is None:
            key = self._key(meter)
        digest = blake2b(b"%d" % time, key=key, digest_size=24).digest()
        if int.from_bytes(digest[:8], "big") < self._gap_below:
            return WITHHELD
        if int.from_bytes(digest[8:16], "big") < self._delay_below:
            return self._step * (1 + int.from_bytes(digest[16:], "big") % (self.plan.max_delay // self._step))
        return 0

    def _key(self, meter: str) -> bytes:
        if len(self._keys) >= _CACHED_METERS:
            self._keys.clear()
        text = f"{self.plan.seed}/{meter}"
        key = self._keys[meter] = blake2b(text.encode(), digest_size=32).digest()
        return key
