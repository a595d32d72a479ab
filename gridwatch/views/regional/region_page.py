"""The page of one region: its windows of the last day, and its open incidents."""

from __future__ import annotations

from typing import Any

import msgspec

from gridwatch.http.queries import parameters
from gridwatch.http.reply import Problem, Reply
from gridwatch.views.regional.incidents import describe_incident, ranked
from gridwatch.views.regional.log import RegionalLog
from gridwatch.views.regional.plots import region_plots
from gridwatch.views.state import instant

#: Open incidents shown at most; the list of incidents has all.
MOST_INCIDENTS = 50


class RegionPage:
    """The page of any region."""

    def __init__(self, log: RegionalLog) -> None:
        self._log = log

    async def page(self, request: Any, region: str) -> Reply:
        """One region, by the path."""
        parameters(request.query, {})
        return await self.show(region)

    async def show(self, region: str) -> Reply:
        """One region; Problem 404 if nothing of it was read."""
        await self._log.read_rows()
        await self._log.read_incidents()
        await self._log.read_sources()
        now = self._log.judged_to()
        rows = self._log.rows
        windows = rows.windows(region)
        incidents = ranked(one for one in self._log.incidents.open() if one.region == region)
        if not windows and not incidents:
            raise Problem(404, f"no window of a region {region!r} was written in the last day")
        data = {
            "region": region,
            "windows": [msgspec.to_builtins(row) for _, row in reversed(windows)],
            "start": instant(rows.start) if windows else None,
            "end": instant(rows.end) if windows else None,
            "complete_from": instant(rows.complete_from),
            "incidents_open": len(incidents),
            "incidents": [describe_incident(one, now) for one in incidents[:MOST_INCIDENTS]],
        }
        plots = region_plots(region, windows, rows.start, rows.end) if windows else {}
        return Reply(data, "region.html", shown={"plots": plots})
