"""All faults of a plan over one reading, in the order of the catalogue.

Each sees what the ones before it left; what is withheld or no reading any more is left alone.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from replay.faults.base.chance import SECOND, Chance, below
from replay.faults.base.fault import Scope, Strike
from replay.faults.base.sending import Fate, Sending
from replay.faults.catalogue import KINDS
from replay.faults.plan import FaultPlan
from replay.files.rows import Row

_CACHED_METERS = 200_000
#: What the rates of the command line do, by name.
GAP, DELAY = "gap", "delay"


class Faults:
    """The faults of one plan, with what they keep of each meter: every pass over the rows makes its own."""

    def __init__(self, plan: FaultPlan) -> None:
        self.active = plan.active
        self._rates = _Rates(plan) if plan.delay_rate > 0 or plan.gap_rate > 0 else None
        self._strikes: list[tuple[Scope, Strike]] = []
        order = list(KINDS)
        seen: Counter[str] = Counter()
        for fault in sorted(plan.faults, key=lambda fault: order.index(fault.kind)):
            # Two of a kind in one plan draw apart.
            chance = Chance(plan.seed, f"{fault.kind}#{seen[fault.kind]}")
            seen[fault.kind] += 1
            self._strikes.append((Scope(fault, chance), fault.striker(chance)))

    def over(self, row: Row) -> list[Sending] | None:
        """What becomes of a row of the file; None when it is sent as it is, in its time."""
        reading = Sending(row[0], row[1], row)
        if self._rates is not None:
            self._rates.strike(reading)
        on_their_way = [reading]
        for scope, strike in self._strikes:
            for one in on_their_way[:]:
                if one.fate == Fate.SENT and scope.has(one):
                    on_their_way += strike(one)
        return on_their_way if reading.faults or reading.row is not row or len(on_their_way) > 1 else None


class _Rates:
    """The rates of the command line. One hash a reading decides both."""

    def __init__(self, plan: FaultPlan) -> None:
        self._seed = plan.seed
        self._longest = plan.max_delay
        self._keys: dict[str, bytes] = {}
        self._gap_below = below(plan.gap_rate)
        self._delay_below = below(plan.delay_rate)
        # Whole seconds wherever the longest delay allows: they read better in the manifest.
        self._step = SECOND if plan.max_delay >= SECOND else 1

    def strike(self, reading: Sending) -> None:
        """Withhold it, delay it, or let it be."""
        key = self._keys.get(reading.meter)
        if key is None:
            key = self._key(reading.meter)
        digest = blake2b(b"%d" % reading.time, key=key, digest_size=24).digest()
        if int.from_bytes(digest[:8], "big") < self._gap_below:
            reading.withhold(GAP)
        elif int.from_bytes(digest[8:16], "big") < self._delay_below:
            steps = 1 + int.from_bytes(digest[16:], "big") % (self._longest // self._step)
            reading.put_off(self._step * steps, DELAY)

    def _key(self, meter: str) -> bytes:
        if len(self._keys) >= _CACHED_METERS:
            self._keys.clear()
        text = f"{self._seed}/{meter}"
        key = self._keys[meter] = blake2b(text.encode(), digest_size=32).digest()
        return key
