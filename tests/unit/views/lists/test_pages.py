"""Lists put together what several workers know: nothing twice, nothing left out, what is missing named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import pytest

from gridwatch.domain.meter.gaps import CLOSED, OPEN, Gap
from gridwatch.http.reply import Problem, Reply, encode
from gridwatch.views.lists.pages import Lists, surveys_of
from tests.unit.views.fakes import OTHER, SETTINGS, Watch, pipeline, request
from tests.unit.views.registry.kinds import named, unheard
from tests.unit.views.test_state import HALF_HOUR, TEN, gap, meter

BY_ID = "/meters/?prefix=&sort=meter_id&order=asc&after=&limit="
MINE = {
    0: {"A": meter(gap(1, 2), gap(5, 1, CLOSED)), "B": meter(gap(1, 3, CLOSED))},
    1: {"C": meter(gap(1, 7))},
}


def ask(
    what: str, query: str, meters: Mapping[int, Mapping[str, Any]], theirs: dict[str, Any], **headers: str
) -> Reply:
    async def answer() -> Reply:
        here, watch = pipeline(meters), cast(Any, Watch(theirs))
        surveys = surveys_of(SETTINGS, here, watch)
        try:
            lists = Lists(SETTINGS, here, watch, surveys)
            return cast(Reply, await getattr(lists, what)(request(query, **headers)))
        finally:
            surveys.close()

    return asyncio.run(answer())


def part(name: str, records: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    usual = {name: records, "total": 2, "open_gaps": 1, "looked": 2, "complete": True, "next": None}
    return usual | changes


def test_meters_of_all_workers_come_in_one_order() -> None:
    theirs = part("meters", [{"meter_id": "B"}, {"meter_id": "D"}])
    reply = ask("meters", "limit=3", {0: {"A": meter()}, 1: {"C": meter()}}, {BY_ID + "3": theirs})
    assert [one["meter_id"] for one in reply.data["meters"]] == ["A", "B", "C"]
    assert reply.data["next"] == "C"
    assert reply.data["total"] == 6
    assert reply.data["incomplete"] == ["no worker owns partition 3"]


def test_a_page_that_another_worker_fills_alone_is_not_taken_for_the_last() -> None:
    theirs = part("meters", [{"meter_id": "A"}, {"meter_id": "B"}], next="B")
    assert ask("meters", "limit=2", {0: {}, 1: {}}, {BY_ID + "2": theirs}).data["next"] == "B"


def test_a_worker_that_is_asked_by_another_answers_for_itself_alone() -> None:
    asked = {"X-Gridwatch-Asked-By": OTHER}
    for query in ("", "sort=last_seen"):
        reply = ask("meters", query, {0: {"A": meter()}, 1: {}}, {}, **asked)
        assert [one["meter_id"] for one in reply.data["meters"]] == ["A"]


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("sort=gap_count", "BAC"),
        ("sort=gap_count&order=asc", "CAB"),
        ("sort=last_seen", "CAB"),
        ("sort=last_seen&order=desc", "BAC"),
        ("sort=meter_id&order=desc", "CBA"),
        ("sort=late_count", "ABC"),
    ],
)
def test_meters_are_sorted_as_asked_and_equal_ones_by_their_id(query: str, order: str) -> None:
    mine = {
        0: {"A": meter(gap_count=3, last_seen=TEN + 1), "B": meter(gap_count=9, last_seen=TEN + 2)},
        1: {"C": meter()},
    }
    asked = {"X-Gridwatch-Asked-By": OTHER}
    seen, after = "", ""
    while True:
        data = ask("meters", f"{query}&limit=1&after={after}", mine, {}, **asked).data
        seen += "".join(one["meter_id"] for one in data["meters"])
        if data["next"] is None:
            break
        after = data["next"]
    assert seen == order


def test_open_gaps_of_all_workers_come_before_ended_ones_and_longer_ones_first() -> None:
    def theirs(meter_id: str, state: str, minutes: int) -> dict[str, Any]:
        first = "2024-01-01T10:30:00Z"
        return {"meter_id": meter_id, "state": state, "gap_minutes": minutes, "missing_from": first} | {
            "missing_intervals": minutes,
            "interval_seconds": 60,
        }

    said = part("gaps", [theirs("D", OPEN, 90), theirs("E", CLOSED, 60)])
    reply = ask("gaps", "", MINE, {"/gaps/?state=all&reason=all&prefix=&after=&limit=50": said})
    shown = [(one["meter_id"], one["state"], one["gap_minutes"]) for one in reply.data["gaps"]]
    assert shown == [
        ("C", OPEN, 210),
        ("D", OPEN, 90),
        ("A", OPEN, 60),
        ("B", CLOSED, 90),
        ("E", CLOSED, 60),
        ("A", CLOSED, 30),
    ]
    assert (reply.data["open_gaps"], reply.data["next"], reply.data["complete"]) == (3, None, True)


@pytest.mark.parametrize(("state", "expected"), [("all", "CABA"), ("open", "CA"), ("ended", "BA")])
def test_pages_of_gaps_one_after_the_other_have_each_once(state: str, expected: str) -> None:
    seen, after = "", ""
    while True:
        query = f"state={state}&limit=1&after={after}"
        data = ask("gaps", query, MINE, {}, **{"X-Gridwatch-Asked-By": OTHER}).data
        seen += "".join(one["meter_id"] for one in data["gaps"])
        if data["next"] is None:
            break
        after = data["next"]
    assert seen == expected


WITH_REGISTRY = {
    0: {**named({"N": unheard(), "P": unheard(planned=True)}), "A": meter(gap(1, 2))},
    1: {"B": meter(Gap(TEN, TEN, HALF_HOUR, TEN, planned=True))},
}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("all", "NPAB"), ("unplanned", "A"), ("planned", "PB"), ("never_heard", "N")],
)
def test_gaps_say_whether_they_were_planned_and_whether_the_meter_was_ever_heard(
    reason: str, expected: str
) -> None:
    asked = {"X-Gridwatch-Asked-By": OTHER}
    data = ask("gaps", f"reason={reason}", WITH_REGISTRY, {}, **asked).data
    assert "".join(one["meter_id"] for one in data["gaps"]) == expected
    for one in data["gaps"]:
        assert one["planned"] == (one["meter_id"] in "PB")
        assert one["never_heard"] == (one["meter_id"] in "NP")
    assert data["looked"] == 2


def test_pages_of_gaps_go_on_from_a_meter_that_was_never_heard() -> None:
    seen, after = "", ""
    while True:
        asked = {"X-Gridwatch-Asked-By": OTHER}
        data = ask("gaps", f"limit=1&after={after}", WITH_REGISTRY, {}, **asked).data
        seen += "".join(one["meter_id"] for one in data["gaps"])
        if data["next"] is None:
            break
        after = data["next"]
    assert seen == "NPAB"


def test_a_search_for_gaps_is_of_meters_that_begin_so() -> None:
    asked = {"X-Gridwatch-Asked-By": OTHER}
    assert [one["meter_id"] for one in ask("gaps", "prefix=B", MINE, {}, **asked).data["gaps"]] == ["B"]


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("meters", "sort=last_seen&after=A"),
        ("meters", "sort=gap_count&after=-1:A"),
        ("meters", "sort=size"),
        ("meters", "order=up"),
        ("gaps", "after=nowhere"),
        ("gaps", "after=open:1:2:"),
        ("gaps", "after=open:x:2:A"),
        ("gaps", "after=shut:1:2:A"),
        ("gaps", "state=open&after=ended:1:2:A"),
        ("gaps", "after=open:1:" + quote("١") + ":A"),
    ],
)
def test_what_is_no_place_or_no_order_is_refused(what: str, query: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(what, query, {0: {}, 1: {}}, {})
    assert problem.value.status == 400


def test_json_is_utf_8_whatever_a_meter_is_called() -> None:
    assert encode({"meter_id": "ü\udcff"}) == b'{"meter_id": "\xc3\xbc?"}'
