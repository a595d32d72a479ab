"""The page of all regions: how loaded each is now and was over the last day.

Every worker reads the topic itself, so nothing is asked of the others. A page has a bounded number of
regions; the others are a search or a page away.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from gridwatch.domain.instants import format_instant
from gridwatch.http.queries import one_of, parameters, text, whole
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.views.lists.rankings import Rank
from gridwatch.views.regional.log import RegionalLog
from gridwatch.views.regional.plots import Windows, heat_strip, spark
from gridwatch.views.regional.region_page import RegionPage
from gridwatch.views.state import Record, instant

LOAD, REGION = "load", "region"
#: The order of a list: highest load first, or by name.
SORTS: Final = (LOAD, REGION)
#: A region takes about 15 KB of a page.
DEFAULT_LIMIT, MAX_LIMIT = 30, 200


def rank_of(row: RegionalAggregate, sort: str) -> Rank:
    """By name; or highest load first, by per cent, then by kW for those without a capacity."""
    if sort == REGION:
        return (row.region,)
    load = -1.0 if row.load_percentage is None else row.load_percentage
    return -load, -(row.load_kw or 0.0), row.region


def cursor_of(row: RegionalAggregate, sort: str) -> str:
    """The cursor for the page after this row, as `read_cursor` parses it."""
    rank = rank_of(row, sort)
    return row.region if sort == REGION else ":".join((repr(-rank[0]), repr(-rank[1]), row.region))


def read_cursor(text: str, sort: str) -> Rank:
    """The rank of the last row before a page; Problem 400 for a malformed cursor."""
    if sort == REGION:
        return (text,)
    load, power, region = (*text.split(":", 2), "", "")[:3]
    try:
        return -float(load), -float(power), region
    except ValueError:
        raise Problem(400, f"after: {text!r} is not a cursor of the list of regions by load") from None


class RegionsPage:
    """Regions, and what holds them up."""

    def __init__(self, log: RegionalLog, one: RegionPage) -> None:
        self._log = log
        self._one = one

    async def page(self, request: Any) -> Reply:
        """Regions whose name begins with a prefix; with `?id=` one whose name browsers would remove from a
        path."""
        asked = parameters(
            request.query,
            {
                "id": text,
                "prefix": text,
                "sort": one_of(SORTS),
                "after": text,
                "limit": whole(1, MAX_LIMIT),
            },
        )
        if "id" in asked:
            return await self._one.show(asked["id"])
        prefix, sort, after = asked.get("prefix", ""), asked.get("sort", LOAD), asked.get("after", "")
        limit = asked.get("limit", DEFAULT_LIMIT)
        last = read_cursor(after, sort) if after else None
        await self._log.read_rows()
        await self._log.read_sources()
        rows = self._log.rows
        found = [
            row
            for row in rows.newest()
            if row.region.startswith(prefix) and (last is None or rank_of(row, sort) > last)
        ]
        found.sort(key=lambda row: rank_of(row, sort))
        shown = found[:limit]
        windows = {row.region: rows.windows(row.region) for row in shown}
        data = {
            "regions": [describe_region(row, windows[row.region]) for row in shown],
            "prefix": prefix,
            "sort": sort,
            "limit": limit,
            "flows": list(self._log.flows),
            "total": len(rows),
            "capacities": any(row.capacity_kw is not None for row in rows.newest()),
            "start": instant(rows.start) if len(rows) else None,
            "end": instant(rows.end) if len(rows) else None,
            "complete_from": instant(rows.complete_from),
            "sources_waited_for": self._log.sources_waited_for(),
            "next": cursor_of(shown[-1], sort) if len(found) > limit else None,
        }
        plots = {
            region: (heat_strip(region, of, rows.start), spark(region, of, rows.start))
            for region, of in windows.items()
        }
        return Reply(data, "regions.html", shown={"after": after, "plots": plots})


def describe_region(row: RegionalAggregate, windows: Windows) -> Record:
    """The newest window of a region with all its fields, and the load of those of the day."""
    history = [
        {
            "window_start": format_instant(at),
            "load_percentage": one.load_percentage,
            "load_kw": one.load_kw,
            "state": one.state,
            "complete": one.complete,
        }
        for at, one in windows
    ]
    return {**msgspec.to_builtins(row), "history": history}
