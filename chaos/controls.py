"""Control records of the registry for the chaos input: every status, interval and outage, in any order.

Some are repeated, some come after newer ones, some are wrong. Some of the meters do not speak until the end.
"""

from __future__ import annotations

import json
import random
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import HOUR, MINUTE

_STATUSES = ("active", "active", "active", "installed", "suspended", "removed", "planned")
_INTERVALS = (None, None, "15m", "30m", "1h", "1d", "10s")
_WRONG: tuple[dict[str, Any], ...] = (
    {"status": "lost"},
    {"interval": "soon"},
    {"timezone": "Europe/Berln"},
    {"version": 0},
    {"flow": "another"},
    {"installed_at": "2024-01-02T00:00:00Z", "removed_at": "2024-01-01T00:00:00Z"},
)


class Controls:
    """The control records of one partition. ``silent``: registered meters that send nothing for long."""

    def __init__(self, chance: random.Random, meters: list[str], silent: list[str]) -> None:
        self._chance = chance
        self._meters = meters
        self._silent = silent
        self._versions: dict[str, int] = {}
        self._said: list[tuple[str, str, bytes]] = []

    def installation(self, now: int) -> list[tuple[str, str, bytes]]:
        """(kind, key, value) of records that register the silent meters."""
        return [self._meter(name, now, status="active") for name in self._silent]

    def record(self, now: int) -> tuple[str, str, bytes]:
        """(kind, key, value) of the next one, at the event time ``now``."""
        chance = self._chance
        roll = chance.random()
        if roll < 0.15 and self._said:
            return chance.choice(self._said)  # again, or after a newer one
        if roll < 0.7:
            made = self._meter(chance.choice(self._meters + self._silent), now)
        elif roll < 0.75:
            region = chance.choice(("north", "south"))
            body = {
                "region": region,
                "version": self._next(region),
                "capacity_kw": 500.0,
                "as_of": _text(now),
            }
            made = ("region", region, json.dumps(body).encode())
        else:
            made = self._outage(now)
        self._said.append(made)
        return made

    def _next(self, key: str) -> int:
        self._versions[key] = self._versions.get(key, 0) + self._chance.choice((1, 1, 1, 3))
        return self._versions[key]

    def _meter(self, name: str, now: int, status: str | None = None) -> tuple[str, str, bytes]:
        chance = self._chance
        body: dict[str, Any] = {
            "meter_id": name,
            "version": self._next(name),
            "status": status or chance.choice(_STATUSES),
            "interval": chance.choice(_INTERVALS),
            "timezone": chance.choice((None, "Europe/Berlin", "America/Havana")),
            "grace": chance.choice((None, None, "1m", "2h")),
            "anchor": chance.choice((None, "start", "end")),
            "region": chance.choice((None, "north", "south")),
            "feeder": chance.choice((None, "F1", "F2")),
            "transformer": chance.choice((None, "T1")),
            "installed_at": chance.choice((None, _text(now - HOUR))),
            "valid_from": chance.choice((None, None, _text(now - HOUR), _text(now + 30 * MINUTE))),
            "as_of": _text(now),
        }
        if chance.random() < 0.12:
            body |= chance.choice(_WRONG)
        return "registry", name, json.dumps(body).encode()

    def _outage(self, now: int) -> tuple[str, str, bytes]:
        chance = self._chance
        outage = chance.choice(("O1", "O2", "O3"))
        scope, target = chance.choice(
            (("feeder", "F1"), ("transformer", "T1"), ("region", "south"), ("meter", self._meters[0]))
        )
        since = now + chance.choice((-60, 0, 20, 90)) * MINUTE
        body = {
            "outage_id": outage,
            "version": self._next(outage),
            "scope": scope,
            "target": target,
            "from": _text(since),
            "until": _text(since + chance.choice((30, 300, 2000)) * MINUTE),
            "cancelled": chance.random() < 0.15,
            "as_of": _text(now),
        }
        return "outage", outage, json.dumps(body).encode()


def _text(instant: int) -> str:
    return format_instant(instant)
