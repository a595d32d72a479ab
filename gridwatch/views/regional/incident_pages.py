"""The pages of incidents: the open and the recent ones, and one with its revisions and meters."""

from __future__ import annotations

from typing import Any, Final

from gridwatch.http.queries import MAX_LIMIT, one_of, parameters, text, whole
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.incident import Incident
from gridwatch.topics import INCIDENTS
from gridwatch.views.lists.pages import DEFAULT_LIMIT
from gridwatch.views.log_tail import LogTail
from gridwatch.views.regional.incidents import (
    CLOSED,
    OPEN,
    cursor_of,
    describe_incident,
    rank_of,
    ranked,
    read_cursor,
    revisions_of,
)
from gridwatch.views.regional.log import RegionalLog
from gridwatch.views.state import Record

STATES: Final = {"open": OPEN, "closed": CLOSED}
KINDS: Final = ("storm", "feeder", "transformer")
#: Revisions shown of an incident at most, the newest ones, and incidents that belong to it.
MOST_REVISIONS, MOST_NARROWER = 500, 100


class IncidentPages:
    """Incidents, from their topic."""

    def __init__(self, log: RegionalLog, tail: LogTail) -> None:
        self._log = log
        self._tail = tail

    async def page(self, request: Any) -> Reply:
        """Incidents: the open ones first, then the latest first."""
        asked = parameters(
            request.query,
            {
                "state": one_of(STATES),
                "kind": one_of(KINDS),
                "region": text,
                "after": text,
                "limit": whole(1, MAX_LIMIT),
            },
        )
        state, kind, region = (asked.get(name, "") for name in ("state", "kind", "region"))
        after, limit = asked.get("after", ""), asked.get("limit", DEFAULT_LIMIT)
        last = read_cursor(after) if after else None
        await self._log.read_incidents()
        await self._log.read_sources()
        now = self._log.judged_to()
        known = self._log.incidents

        def is_wanted(one: Incident) -> bool:
            return (
                (not state or one.state == STATES[state])
                and (not kind or one.kind == kind)
                and (not region or one.region == region)
                and (last is None or rank_of(one) > last)
            )

        found = ranked(filter(is_wanted, known.all()))
        shown = found[:limit]
        data = {
            "incidents": [describe_incident(one, now) for one in shown],
            "state": state,
            "kind": kind,
            "region": region,
            "limit": limit,
            "open": len(known.open()),
            "total": len(known.all()),
            "complete": known.complete,
            "next": cursor_of(shown[-1]) if len(found) > limit else None,
        }
        return Reply(
            data,
            "incidents.html",
            shown={"after": after, "chosen_state": state, "states": tuple(STATES), "kinds": KINDS},
        )

    async def one(self, request: Any, incident_id: str) -> Reply:
        """One incident; Problem 404 if it was not read."""
        parameters(request.query, {})
        await self._log.read_incidents()
        found = self._log.incidents.find(incident_id)
        if found is None:
            raise Problem(404, f"no incident {incident_id!r} is known; earlier ones are in the database")
        incident, partition = found
        await self._log.read_sources()
        now = self._log.judged_to()
        revisions = await revisions_of(self._tail, INCIDENTS.name, partition, incident_id)
        narrower = ranked(one for one in self._log.incidents.all() if one.parent_id == incident_id)
        data = {
            **describe_incident(incident, now),
            "revisions": [_revision(one) for one in revisions[:MOST_REVISIONS]],
            "narrower_count": len(narrower),
            "narrower": [describe_incident(one, now) for one in narrower[:MOST_NARROWER]],
        }
        return Reply(data, "incident.html", shown={"incident": data, "known": self._known(incident)})

    def _known(self, incident: Incident) -> bool:
        """Whether the incident that it belongs to has a page."""
        return incident.parent_id is not None and self._log.incidents.find(incident.parent_id) is not None


def _revision(incident: Incident) -> Record:
    """A revision without its meters, of which the page lists those of the newest."""
    described = describe_incident(incident)
    names = ("revision", "state", "updated_at", "meters_open", "meters_active", "share", "parent_id")
    return {name: described[name] for name in names}
