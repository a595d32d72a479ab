"""Incidents: the newest revision of each, from the end of their topic, and the revisions of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from gridwatch.domain.instants import parse_instant
from gridwatch.http.reply import Problem
from gridwatch.models.incident import Incident
from gridwatch.views.lists.rankings import Rank
from gridwatch.views.log_tail import LogTail, OffsetRange
from gridwatch.views.log_tail import Record as LogRecord
from gridwatch.views.state import Record

#: Incidents kept at most; those that ended first give way.
MOST_INCIDENTS: Final = 2_000
#: Records of its partition that the revisions of an incident are looked for in.
SCANNED_REVISIONS: Final = 20_000
OPEN, CLOSED = "OPEN", "CLOSED"

_incident = msgspec.json.Decoder(Incident).decode


class Incidents:
    """The newest revision of each incident."""

    def __init__(self, most: int = MOST_INCIDENTS) -> None:
        self._most = most
        self.forget()

    def forget(self) -> None:
        """Start over."""
        self._known: dict[str, tuple[Incident, int]] = {}
        self.complete = True

    def begin_at(self, record: LogRecord) -> None:
        """Incidents of records before the first one that is read are not known."""
        self.complete = self.complete and not record.offset

    def take(self, record: LogRecord) -> None:
        """One more revision; what is no incident is left out."""
        incident = decoded(record.value)
        if incident is None:
            return
        known = self._known.get(incident.id)
        if known is None or known[0].revision <= incident.revision:
            self._known[incident.id] = incident, record.partition

    def settle(self) -> None:
        """Drop the oldest of too many."""
        if len(self._known) > self._most:
            order = sorted(self._known.values(), key=lambda pair: rank_of(pair[0]))
            self._known = {one[0].id: one for one in order[: self._most]}
            self.complete = False

    def all(self) -> list[Incident]:
        """Every incident."""
        return [incident for incident, _ in self._known.values()]

    def open(self) -> list[Incident]:
        """Those that are open."""
        return [incident for incident in self.all() if incident.state == OPEN]

    def find(self, incident_id: str) -> tuple[Incident, int] | None:
        """An incident and the partition of its records; None if it is not known."""
        return self._known.get(incident_id)


async def revisions_of(tail: LogTail, topic: str, partition: int, incident_id: str) -> list[Incident]:
    """The revisions of an incident, the newest first; Problem 503 when the brokers do not answer."""
    key = incident_id.encode()
    read = await tail.read(topic, {partition: OffsetRange(SCANNED_REVISIONS)}, lambda one: one == key)
    found = {one.revision: one for record in read.records if (one := decoded(record.value)) is not None}
    return [found[revision] for revision in sorted(found, reverse=True)]


def decoded(value: bytes) -> Incident | None:
    """A record's incident; None if it is none."""
    try:
        incident = _incident(value)
        describe_incident(incident)
    except (msgspec.MsgspecError, ValueError):
        return None
    return incident


def describe_incident(incident: Incident, now: int | None = None) -> Record:
    """An incident as JSON, with how long it is or was open and the share of the meters that are silent.

    Args:
        now: the event time that incidents were judged up to, µs; None if it is not known.
    """
    until = parse_instant(incident.updated_at if incident.ended_at is None else incident.ended_at)[0]
    if incident.ended_at is None and now is not None:
        until = max(until, now)  # it has no revision as long as nothing changes
    lasted = until - parse_instant(incident.started_at)[0]
    share = incident.meters_open / incident.meters_active if incident.meters_active else None
    return {
        **msgspec.to_builtins(incident),
        "duration_seconds": lasted // 1_000_000,
        "share": share,
    }


def rank_of(incident: Incident) -> Rank:
    """Open ones first, then the latest first."""
    return incident.state != OPEN, -parse_instant(incident.started_at)[0], incident.id


def cursor_of(incident: Incident) -> str:
    """The cursor for the page after this row, as `read_cursor` parses it."""
    return f"{incident.state.lower()}:{-rank_of(incident)[1]}:{incident.id}"


def read_cursor(text: str) -> Rank:
    """The rank of the last row before a page; Problem 400 for a malformed cursor."""
    state, started, incident_id = (*text.split(":", 2), "", "")[:3]
    if state not in ("open", "closed") or not _is_whole(started) or not incident_id:
        raise Problem(400, f"after: {text!r} is not a cursor of the list of incidents")
    return state == "closed", -int(started), incident_id


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit()


def ranked(incidents: Iterable[Incident]) -> list[Incident]:
    """In the order of the list."""
    return sorted(incidents, key=rank_of)
