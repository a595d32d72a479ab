"""Pages put together what several workers know: nothing twice, nothing left out, what is missing named."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from multidict import MultiDict

from gridwatch.domain.gaps import CLOSED, OPEN, Gap
from gridwatch.domain.meter import MeterState
from gridwatch.domain.partitioning import partition_of
from gridwatch.settings import load_settings
from gridwatch.views import gap_search
from gridwatch.views.gap_search import GapSearch, Place, place
from gridwatch.views.pages import Pages, Reply, encode
from gridwatch.views.queries import Problem
from gridwatch.views.routing import Answer
from tests.unit.views.test_state import HALF_HOUR, TEN, store

ME, OTHER = "http://me:1", "http://other:2"
SETTINGS = load_settings(partitions=4)


class Cluster:
    """Partitions 0 and 1 are ours, 2 is the other worker's, 3 is nobody's."""

    me = ME

    def __init__(self) -> None:
        self.asked: list[str] = []

    def mine(self) -> list[int]:
        return [0, 1]

    def owner_elsewhere(self, partition: int, *, asked: bool) -> str | None:
        if partition < 2:
            return None
        if partition == 3 or asked:
            raise Problem(503, f"no worker owns partition {partition}")
        return OTHER

    async def ask(self, url: str, path: str, accept: str = "") -> Answer:
        self.asked.append(url + path)
        return Answer(200, "application/json", b"{}")


class Watch:
    """The other worker answers what it was told to."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.cluster = Cluster()
        self._answers = answers

    def require_settled(self) -> None:
        pass

    def my_partitions(self) -> list[dict[str, Any]]:
        return [{"partition": number, "meters": 2, "open_gaps": 1} for number in (0, 1)]

    async def ask_all(self, path: str) -> tuple[list[Any], list[str]]:
        return [self._answers[path]], []

    async def ask_json(self, url: str, path: str) -> Any:
        return self._answers[path]

    def unowned(self) -> list[str]:
        return ["no worker owns partition 3"]


def pipeline(meters: dict[int, dict[str, MeterState]]) -> Any:
    return SimpleNamespace(store=store(meters)[0], owned={})


def request(query: str = "", path: str = "/", **headers: str) -> Any:
    pairs = [tuple(part.split("=", 1)) for part in query.split("&") if part]
    return SimpleNamespace(
        query=MultiDict(pairs), headers=headers, rel_url=SimpleNamespace(raw_path_qs=path), path=path
    )


def meter(*gaps: Gap) -> MeterState:
    made = MeterState(TEN, HALF_HOUR)
    made.gaps = gaps
    return made


def gap(state: str = OPEN) -> Gap:
    return Gap(TEN + HALF_HOUR, TEN + HALF_HOUR, HALF_HOUR, TEN + HALF_HOUR, state=state)


def pages(meters: dict[int, dict[str, MeterState]], answers: dict[str, Any]) -> tuple[Pages, Watch]:
    watch = Watch(answers)
    return Pages(SETTINGS, pipeline(meters), cast(Any, watch)), watch


def test_meters_of_all_workers_come_in_one_order() -> None:
    theirs = {"meters": [{"meter_id": "B"}, {"meter_id": "D"}], "total": 2, "next": None}
    here, _ = pages({0: {"A": meter()}, 1: {"C": meter()}}, {"/meters/?prefix=&after=&limit=3": theirs})
    reply = cast(Reply, asyncio.run(here.meters(request("limit=3"))))
    assert [one["meter_id"] for one in reply.data["meters"]] == ["A", "B", "C"]
    assert reply.data["next"] == "C"
    assert reply.data["total"] == 6
    assert reply.data["incomplete"] == ["no worker owns partition 3"]


def test_a_page_that_another_worker_fills_alone_is_not_taken_for_the_last() -> None:
    theirs = {"meters": [{"meter_id": "A"}, {"meter_id": "B"}], "total": 5, "next": "B"}
    here, _ = pages({0: {}, 1: {}}, {"/meters/?prefix=&after=&limit=2": theirs})
    reply = cast(Reply, asyncio.run(here.meters(request("limit=2"))))
    assert reply.data["next"] == "B"


def test_a_worker_that_is_asked_by_another_answers_for_itself_alone() -> None:
    here, _ = pages({0: {"A": meter()}, 1: {}}, {})
    asked = request("", **{"X-Gridwatch-Asked-By": OTHER})
    reply = cast(Reply, asyncio.run(here.meters(asked)))
    assert [one["meter_id"] for one in reply.data["meters"]] == ["A"]


def test_a_meter_elsewhere_is_asked_for_with_the_very_path_that_came() -> None:
    meter_id = next(name for name in map(str, range(100)) if partition_of(name, 4) == 2)
    here, watch = pages({0: {}, 1: {}}, {})
    path = f"/meters/{meter_id}%2F/?format=json"
    answer = asyncio.run(here.meter(request("format=json", path), meter_id))
    assert isinstance(answer, Answer)
    assert watch.cluster.asked == [OTHER + path]


def test_a_meter_of_nobody_is_503_and_an_unknown_one_404() -> None:
    here, _ = pages({0: {}, 1: {}}, {})
    for partition, status in ((3, 503), (0, 404)):
        meter_id = next(name for name in map(str, range(100)) if partition_of(name, 4) == partition)
        with pytest.raises(Problem) as problem:
            asyncio.run(here.meter(request(), meter_id))
        assert problem.value.status == status


MINE = {0: {"A": meter(gap(), gap(CLOSED)), "B": meter(gap(CLOSED))}, 1: {"C": meter(gap())}}
THEIRS = {
    "/gaps/2/?state=open&after=&limit=8": {"gaps": [{"gap_id": "D"}], "reached": "D"},
    "/gaps/2/?state=open&after=D&limit=7": {"gaps": [], "reached": None},
    "/gaps/2/?state=ended&after=&limit=5": {"gaps": [{"gap_id": "E"}], "reached": None},
}


def test_open_gaps_of_all_partitions_come_before_ended_ones() -> None:
    search = GapSearch(SETTINGS, pipeline(MINE), cast(Any, Watch(THEIRS)))
    gaps, reached, missing = asyncio.run(search.page(("open", "ended"), None, 10, {0: 1, 1: 1, 2: None}))
    ids = [one["gap_id"] for one in gaps]
    assert [name.split("@")[0] for name in ids] == ["A", "C", "D", "A", "B", "E"]
    assert reached is None
    assert missing == ["no worker owns partition 3"]


def test_partitions_without_open_gaps_are_not_searched_for_them() -> None:
    search = GapSearch(SETTINGS, pipeline({0: {}, 1: {"C": meter(gap())}}), cast(Any, Watch({})))
    gaps, reached, _ = asyncio.run(search.page(("open",), None, 10, {0: 0, 1: 1, 2: 0, 3: 0}))
    assert len(gaps) == 1
    assert reached is None


def test_a_search_that_takes_too_long_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_search, "PATIENCE", -1.0)
    search = GapSearch(SETTINGS, pipeline(MINE), cast(Any, Watch({})))
    after = Place("ended", 1, "C")
    assert asyncio.run(search.page(("open", "ended"), after, 10, {})) == ([], after, [])


@pytest.mark.parametrize("where", [Place("open", 0, ""), Place("ended", 12, "a:b:c"), Place("open", 3, "ü/")])
def test_a_place_is_read_as_it_is_written(where: Place) -> None:
    assert place("after", str(where)) == where


@pytest.mark.parametrize(
    "text", ["", "open", "open:", "open:1", "shut:1:a", "open:x:a", "open:-1:a", "open:١:a"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        place("after", text)


def test_json_is_utf_8_whatever_a_meter_is_called() -> None:
    assert encode({"meter_id": "ü\udcff"}) == b'{"meter_id": "\xc3\xbc?"}'
