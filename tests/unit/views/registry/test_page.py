"""The page of registered meters: every worker's, filtered, counted, and never a list that looks complete."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gridwatch.domain.registry.entry import Entry
from gridwatch.http.reply import Problem, Reply
from gridwatch.views.lists.pages import surveys_of
from gridwatch.views.registry.counts import RegistryCounts
from gridwatch.views.registry.page import RegistryPage
from gridwatch.views.rendering import render
from tests.unit.views.fakes import OTHER, SETTINGS, Watch, pipeline, request
from tests.unit.views.registry.kinds import named, region, registered, unheard
from tests.unit.views.test_state import TEN, meter

MINE = {
    0: {
        **named(
            {
                "A": registered(heard=True),
                "C": unheard(),
                "E": registered((TEN, Entry("suspended", region="R02"))),
            },
            regions=(region("R01"), region("R02", 4)),
        ),
        "A": meter(),
    },
    1: named({"B": registered((TEN, Entry("removed"))), "D": registered()}),
}
ASKED = {"X-Gridwatch-Asked-By": OTHER}


def ask(query: str, theirs: dict[str, Any] | None = None, **headers: str) -> Reply:
    async def answer() -> Reply:
        here, watch = pipeline(MINE), cast(Any, Watch(theirs or {}))
        surveys = surveys_of(SETTINGS, here, watch)
        try:
            page = RegistryPage(here, watch, surveys, RegistryCounts(surveys))
            return await page.page(request(query, **headers))
        finally:
            surveys.close()

    return asyncio.run(answer())


def ids(reply: Reply) -> str:
    return "".join(one["meter_id"] for one in reply.data["meters"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "ABCDE"),
        ("status=active", "ACD"),
        ("status=suspended", "E"),
        ("region=R01", "ACD"),
        ("region=R02&status=active", ""),
        ("heard=never", "C"),
        ("heard=awaited", "D"),
        ("heard=heard", "A"),
        ("prefix=B", "B"),
        ("prefix=B&status=active", ""),
    ],
)
def test_meters_are_those_asked_for_page_by_page(query: str, expected: str) -> None:
    seen, after = "", ""
    while True:
        reply = ask(f"{query}&limit=2&after={after}", **ASKED)
        assert len(reply.data["meters"]) <= 2
        seen += ids(reply)
        if reply.data["next"] is None:
            break
        after = reply.data["next"]
    assert seen == expected


def test_counts_are_of_all_registered_meters_whatever_is_listed() -> None:
    counts = ask("heard=never", **ASKED).data["counts"]
    assert (counts["registered"], counts["complete"]) == (5, True)
    assert counts["by_status"] == {
        "planned": 0,
        "installed": 0,
        "active": 3,
        "suspended": 1,
        "removed": 1,
        "pending": 0,
    }
    assert counts["by_region"] == {"R01": 3, "R02": 1}
    assert counts["by_hearing"] == {"heard": 1, "awaited": 1, "never": 1}


def test_what_other_workers_know_is_merged_and_what_is_missing_named() -> None:
    theirs = ask("", **ASKED).data | {"meters": [{"meter_id": "BB"}], "looked": 0}
    theirs["regions"] = [{"region": "R02", "version": 9}, {"region": "R03", "version": 1}]
    path = "/registry/?prefix=&status=&region=&heard=&after=&limit=4"
    reply = ask("limit=4", {path: theirs})
    assert [one["meter_id"] for one in reply.data["meters"]] == ["A", "B", "BB", "C"]
    assert reply.data["next"] == "C"
    assert reply.data["counts"]["registered"] == 10
    assert [(one["region"], one["version"]) for one in reply.data["regions"]] == [
        ("R01", 1),
        ("R02", 9),
        ("R03", 1),
    ]
    assert reply.data["incomplete"] == ["no worker owns partition 3"]


@pytest.mark.parametrize("query", ["", "heard=never", "region=R02&after=A"])
def test_the_page_is_html_too(query: str) -> None:
    reply = ask(query, **ASKED)
    html = render(reply.template, **reply.data, **reply.shown, here="/registry/", own_url="http://me:1")
    assert html.count("<tr data-key=") == len(reply.data["meters"]) + 2
    assert "500.0 kW" in html


@pytest.mark.parametrize("query", ["status=lost", "heard=loud", "sort=version", "limit=0"])
def test_what_there_is_not_is_refused(query: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(query)
    assert problem.value.status == 400
