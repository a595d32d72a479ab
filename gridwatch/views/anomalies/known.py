"""Anomalies: the newest revision of each, from the end of their topic, in the order of the list.

How many are kept is bounded: the open ones first, then those that were detected last. `complete_from` says
since when none is missing, so that what was not read is never mistaken for an hour without anomalies.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from gridwatch.domain.instants import parse_instant
from gridwatch.http.queries import text
from gridwatch.http.reply import Problem
from gridwatch.models.anomaly import Anomaly
from gridwatch.views.lists.rankings import Rank
from gridwatch.views.log_tail import Record as LogRecord

#: Anomalies kept at most.
MOST_ANOMALIES: Final = 10_000
OPEN, CLOSED, RETRACTED = "OPEN", "CLOSED", "RETRACTED"
#: Severities that the overview counts apart.
SEVERE: Final = ("high", "critical")


class Ranked(NamedTuple):
    """An anomaly with its place in the list: open ones first, then those detected last first."""

    rank: Rank
    anomaly: Anomaly

    @property
    def detected(self) -> int:
        """When it was detected, µs."""
        detected: int = -self.rank[1]
        return detected


_anomaly = msgspec.json.Decoder(Anomaly).decode


class KnownAnomalies:
    """The newest revision of each anomaly."""

    def __init__(self, most: int = MOST_ANOMALIES) -> None:
        self._most = most
        self.forget()

    def forget(self) -> None:
        """Start over."""
        self._known: dict[str, Ranked] = {}
        self.complete_from: int | None = None
        """Anomalies detected before it, µs, may be missing; None if all are known."""

    def begin_at(self, record: LogRecord) -> None:
        """Anomalies of records before the first one that is read are not known."""
        found = decoded(record.value)
        if record.offset and found is not None:
            ended = found.anomaly.ended_at
            # About when this revision was emitted, in event time.
            self._miss_before(max(found.detected, 0 if ended is None else parse_instant(ended)[0]))

    def take(self, record: LogRecord) -> None:
        """One more revision; what is no anomaly is left out."""
        found = decoded(record.value)
        if found is None:
            return
        known = self._known.get(found.anomaly.anomaly_id)
        if known is None or known.anomaly.revision <= found.anomaly.revision:
            self._known[found.anomaly.anomaly_id] = found

    def settle(self) -> None:
        """Drop the last ones of too many."""
        if len(self._known) > self._most:
            order = sorted(self._known.values())
            self._known = {one.anomaly.anomaly_id: one for one in order[: self._most]}
            self._miss_before(1 + max(one.detected for one in order[self._most :]))

    def _miss_before(self, time: int) -> None:
        self.complete_from = max(time, self.complete_from or 0)

    def all(self) -> list[Ranked]:
        """Every anomaly, in no order."""
        return list(self._known.values())

    def open(self) -> list[Anomaly]:
        """Those that are open."""
        return [one.anomaly for one in self._known.values() if one.anomaly.state == OPEN]


def decoded(value: bytes) -> Ranked | None:
    """A record's anomaly; None if it is none."""
    try:
        anomaly = _anomaly(value)
        for instant in (anomaly.window_start, anomaly.window_end, anomaly.ended_at):
            if instant is not None:
                parse_instant(instant)
        detected = parse_instant(anomaly.detected_at)[0]
    except (msgspec.MsgspecError, ValueError):
        return None
    return Ranked((anomaly.state != OPEN, -detected, anomaly.anomaly_id), anomaly)


def cursor_of(row: Ranked) -> str:
    """The cursor for the page after this row, as `read_cursor` parses it."""
    ended, detected, anomaly_id = row.rank
    return f"{'ended' if ended else 'open'}:{-detected}:{anomaly_id}"


def read_cursor(name: str, value: str) -> Rank:
    """The rank of the last row before a page; Problem 400 for a malformed cursor."""
    state, detected, anomaly_id = (*value.split(":", 2), "", "")[:3]
    text(name, anomaly_id.rpartition("@")[0])  # an id is longer than that of a meter
    digits = detected.removeprefix("-")
    if state not in ("open", "ended") or not (digits.isascii() and digits.isdigit()) or not anomaly_id:
        raise Problem(400, f"{name}: {value!r} is not a cursor of the list of anomalies")
    return state == "ended", -int(detected), anomaly_id
