"""`garbage`: bytes that are no reading, in the place of one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gridwatch.domain.instants import format_instant
from replay.faults.base import options
from replay.faults.base.chance import Chance, below
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Fate, Sending


def _reading(reading: Sending, kwh: object) -> bytes:
    stamp = format_instant(reading.row[0])
    members = {"meter_id": reading.row[1], "timestamp": stamp, "consumption_kwh": kwh}
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def _truncated(reading: Sending, draw: int) -> bytes:
    whole = _reading(reading, reading.row[2])
    return whole[: 1 + draw % (len(whole) - 1)]


def _noise(reading: Sending, draw: int) -> bytes:
    return b"\xff" + (draw | 1 << 63).to_bytes(8, "big") * (1 + draw % 5)


#: What each form is made by; none of them is a reading, whatever is drawn.
FORMS: dict[str, Callable[[Sending, int], bytes]] = {
    "truncated": _truncated,
    "noise": _noise,
    "words": lambda reading, draw: f"ERR {draw % 1000:03d} {reading.row[1]}\r\n".encode(),
    "member-missing": lambda reading, _: _reading(reading, None),
    "text-for-number": lambda reading, _: _reading(reading, str(reading.row[2])),
    "number": lambda _, draw: str(draw).encode(),
    "empty": lambda _reading, _draw: b"",
}


@dataclass(frozen=True)
class Garbage(Fault):
    """Each reading with probability `rate`, in one of the `forms`, each as likely."""

    rate: float = option(0.005, options.rate)
    forms: tuple[str, ...] = option(tuple(FORMS), options.choices(*FORMS))

    def striker(self, chance: Chance) -> Strike:
        limit = below(self.rate)

        def strike(reading: Sending) -> Sequence[Sending]:
            first, second, third = chance.draws(reading.meter, reading.time)
            if first < limit:
                value = FORMS[self.forms[second % len(self.forms)]](reading, third)
                time, meter, kwh, given, _ = reading.row
                reading.row = (time, meter, kwh, given, value.decode("latin-1"))
                reading.fate = Fate.GARBAGE
                reading.struck(self.kind)
            return ()

        return strike
