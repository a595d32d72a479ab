"""Regions: what a file says (`"region"` among a reading's members), or made up where it says nothing."""

from __future__ import annotations

import json

from replay.faults.base.chance import Chance
from replay.faults.base.fault import ONCE
from replay.faults.base.sending import Sending

_CACHED = 1_000_000


class Regions:
    """The region of each meter. With `count` > 0 meters without one are put into so many, and say so."""

    def __init__(self, chance: Chance, count: int) -> None:
        self._chance = chance
        self._count = count
        self._known: dict[tuple[str, str], str] = {}

    def of(self, reading: Sending) -> str:
        """The region of a reading, "" for none."""
        time, meter, kwh, given, more = reading.row
        known = self._known.get((reading.meter, more))
        if known is None:
            known = self._find(reading.meter, more)
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[reading.meter, more] = known
        if known and '"region":' not in more:
            reading.row = (time, meter, kwh, given, f'{more},"region":{json.dumps(known)}')
        return known

    def _find(self, meter: str, more: str) -> str:
        given = json.loads(f"{{{more[1:]}}}").get("region") if '"region":' in more else None
        if given or not self._count:
            return str(given or "")
        return f"region-{1 + self._chance.draws(meter, ONCE)[1] % self._count}"
