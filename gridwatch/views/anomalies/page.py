"""The page of anomalies: those that are open, then those detected last, by what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from gridwatch.domain.instants import format_instant
from gridwatch.http.queries import MAX_LIMIT, one_of, parameters, text, whole
from gridwatch.http.reply import Reply
from gridwatch.models.anomaly import Anomaly, AnomalyKind
from gridwatch.plots.canvas import SIZES
from gridwatch.views.anomalies.known import CLOSED, MOST_ANOMALIES, OPEN, RETRACTED, cursor_of, read_cursor
from gridwatch.views.anomalies.log import SCANNED_ANOMALIES, AnomalyLog
from gridwatch.views.anomalies.plots import GROUPS, counted_by_hour, hours_plot
from gridwatch.views.lists.pages import DEFAULT_LIMIT
from gridwatch.views.state import instant

#: Those that are shown, by what is asked for. One that was retracted was none: it has to be asked for.
STATES: Final = {
    "": (OPEN, CLOSED),
    "open": (OPEN,),
    "closed": (CLOSED,),
    "retracted": (RETRACTED,),
    "all": (OPEN, CLOSED, RETRACTED),
}
KINDS: Final = get_args(AnomalyKind)
SEVERITIES: Final = ("low", "medium", "high", "critical")
CONFIDENCES: Final = ("low", "high")
#: The parameters that are fields of an anomaly, too.
_FIELDS: Final = {
    **{name: name for name in ("kind", "severity", "confidence", "region")},
    "meter": "meter_id",
}


class AnomaliesPage:
    """Anomalies, from their topic."""

    def __init__(self, log: AnomalyLog) -> None:
        self._log = log

    async def page(self, request: Any) -> Reply:
        """Anomalies: the open ones first, then those detected last first."""
        asked = parameters(
            request.query,
            {
                "state": one_of(name for name in STATES if name),
                "kind": one_of(KINDS),
                "severity": one_of(SEVERITIES),
                "confidence": one_of(CONFIDENCES),
                "meter": text,
                "region": text,
                "after": read_cursor,
                "limit": whole(1, MAX_LIMIT),
            },
        )
        state, limit, last = asked.get("state", ""), asked.get("limit", DEFAULT_LIMIT), asked.get("after")
        await self._log.read()
        known = self._log.known
        every = known.all()
        wanted = [one for one in every if _is_wanted(one.anomaly, state, asked)]
        found = sorted(one for one in wanted if last is None or one.rank > last)
        shown = found[:limit]
        hours = counted_by_hour(wanted, max((one.detected for one in every), default=None))
        data = {
            "anomalies": [msgspec.to_builtins(one.anomaly) for one in shown],
            "state": state,
            **{name: asked.get(name, "") for name in _FIELDS},
            "limit": limit,
            "judged": self._log.judges,
            "open": len(known.open()),
            "total": len(every),
            "found": len(wanted),
            "complete_from": instant(known.complete_from),
            "hours": [{"hour": format_instant(at), "counts": counts} for at, counts in hours],
            "next": cursor_of(shown[-1]) if len(found) > limit else None,
        }
        only_html = {
            "after": request.query.get("after", ""),
            "chosen_state": state,
            "choices": {"kind": KINDS, "severity": SEVERITIES, "confidence": CONFIDENCES},
            "scanned": SCANNED_ANOMALIES,
            "most": MOST_ANOMALIES,
            "states": tuple(name for name in STATES if name),
            "plots": {size: hours_plot(hours, known.complete_from, size) for size in SIZES} if hours else {},
            "groups": [(group.tone, group.name) for group in GROUPS],
        }
        return Reply(data, "anomalies.html", shown=only_html)


def _is_wanted(anomaly: Anomaly, state: str, asked: Mapping[str, Any]) -> bool:
    return anomaly.state in STATES[state] and all(
        name not in asked or getattr(anomaly, field) == asked[name] for name, field in _FIELDS.items()
    )
