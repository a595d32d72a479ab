"""Planned outages: those of now first, each once, and in how many partitions they are known."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.registry.entry import Entry
from gridwatch.domain.registry.outages import Outage
from gridwatch.http.reply import Problem, Reply
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.readings import METERS
from gridwatch.views.registry import outages as known_outages
from gridwatch.views.registry.outage_page import OutagePage, cursor_of, rank_of, read_cursor
from gridwatch.views.registry.outages import covering, read_outages
from gridwatch.views.rendering import render
from tests.unit.views.fakes import OTHER, Watch, pipeline, request
from tests.unit.views.registry.kinds import DAY, named, outage, registered
from tests.unit.views.test_state import HALF_HOUR, TEN, meter, store

ASKED = {"X-Gridwatch-Asked-By": OTHER}
HOUR = 2 * HALF_HOUR
OUTAGES = {
    "ended": outage(TEN - 3 * HOUR, TEN - HOUR),
    "now-long": outage(TEN - HOUR, TEN + DAY),
    "now": outage(TEN - HOUR, TEN + HOUR, "meter", "M"),
    "coming": outage(TEN + HOUR, TEN + 2 * HOUR, "feeder", "F"),
    "cancelled": Outage(2, (), TEN - 9 * HOUR, None),
}
INSIDE = named(outages=OUTAGES)


def ask(query: str, theirs: dict[str, Any] | None = None, **headers: str) -> Reply:
    here = pipeline({0: INSIDE, 1: named(outages={**OUTAGES, "now": outage(TEN, TEN + HOUR, version=9)})})
    row = METERS.encode_partition(PartitionState(0, watermark=TEN), 1)
    here.store._rows[0][PARTITION_KEY] = row
    page = OutagePage(here, cast(Any, Watch(theirs or {})), 4)
    return asyncio.run(page.page(request(query, **headers)))


def ids(reply: Reply) -> list[str]:
    return [one["outage_id"] for one in reply.data["outages"]]


def test_what_is_or_will_be_comes_first_and_the_sooner_it_ends_the_earlier() -> None:
    reply = ask("", **ASKED)
    assert ids(reply) == ["now", "coming", "now-long", "ended", "cancelled"]
    assert reply.data["counts"] == {"now": 2, "coming": 1, "ended": 1, "cancelled": 1}
    assert [one["known_by"] for one in reply.data["outages"]] == [1, 2, 2, 2, 2]
    first = reply.data["outages"][0]
    assert (first["scope"], first["target"], first["phase"], first["why"]) == (
        *("meter", "M", "now"),
        "cable works",
    )


@pytest.mark.parametrize(
    ("phase", "expected"),
    [("", "now coming now-long ended cancelled"), ("now", "now now-long"), ("ended", "ended")],
)
def test_pages_one_after_the_other_have_each_once(phase: str, expected: str) -> None:
    seen, after = [], ""
    while True:
        reply = ask(f"phase={phase}&limit=1&after={after}", **ASKED)
        seen += ids(reply)
        if reply.data["next"] is None:
            break
        after = reply.data["next"]
    assert seen == expected.split()
    for one in ask("", **ASKED).data["outages"]:
        assert read_cursor(cursor_of(one)) == rank_of(one)


def test_of_several_workers_the_newest_version_is_shown_and_partitions_add_up() -> None:
    theirs = ask("", **ASKED).data
    for one in theirs["outages"]:
        one["version"] += one["outage_id"] == "coming"
    reply = ask("", {"/outages/?phase=&after=&limit=50": theirs})
    assert {one["outage_id"]: (one["version"], one["known_by"]) for one in reply.data["outages"]} == {
        "now": (1, 2),
        "coming": (2, 2),
        "now-long": (1, 4),
        "ended": (1, 4),
        "cancelled": (2, 4),
    }
    assert reply.data["incomplete"] == ["no worker owns partition 3"]
    html = render(reply.template, **reply.data, **reply.shown, here="/outages/", own_url="http://me:1")
    assert "2 of 4" in html
    assert "all 4" in html


@pytest.mark.parametrize("query", ["after=now", "after=ahead:x:A", "after=ahead:1:", "phase=soon"])
def test_what_is_no_place_is_refused(query: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(query)
    assert problem.value.status == 400


def test_outages_are_read_in_slices_and_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_outages, "SLICE_ROWS", 7)
    many = {f"O{number:03}": outage(TEN, TEN + HOUR) for number in range(100)}
    here, _ = store({0: {**named({"M": registered()}, many), "M": meter()}})
    found, complete = asyncio.run(read_outages(lambda: here, 0))
    assert ([name for name, _ in found], complete) == (sorted(many), True)
    monkeypatch.setattr(known_outages, "MOST_OUTAGES", 20)
    found, complete = asyncio.run(read_outages(lambda: here, 0))
    assert (len(found), complete) == (21, False)


@pytest.mark.parametrize(
    ("scope", "target", "covers"),
    [
        ("meter", "M", True),
        ("meter", "N", False),
        ("feeder", "F", True),
        ("transformer", "T", True),
        ("region", "R01", True),
        ("region", "R09", False),
    ],
)
def test_an_outage_covers_the_meters_that_hang_on_what_it_is_of(
    scope: str, target: str, covers: bool
) -> None:
    entry = Entry("active", region="R01", feeder="F", transformer="T")
    known = [
        ("over", outage(TEN - HOUR, TEN, scope, target)),
        ("now", outage(TEN - HOUR, TEN + HOUR, scope, target)),
        ("coming", outage(TEN + HOUR, TEN + DAY, scope, target)),
    ]
    found = covering(known, "M", registered((TEN, entry)), "R09", TEN)
    assert [(one["outage_id"], one["phase"]) for one in found] == (
        [("now", "now"), ("coming", "coming")] if covers else []
    )


def test_the_region_of_a_meter_that_is_not_registered_is_the_one_of_its_readings() -> None:
    known = [("now", outage(TEN - HOUR, TEN + HOUR))]
    assert [one["outage_id"] for one in covering(known, "M", None, "R01", TEN)] == ["now"]
    assert covering(known, "M", None, None, TEN) == []
