"""The pages of regions: each once in order, its newest window, its day, and what holds it up."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from gridwatch.http.reply import Problem, Reply
from gridwatch.http.reply import encode as encoded
from gridwatch.settings import load_settings
from gridwatch.views.regional.region_page import RegionPage
from gridwatch.views.regional.regions_page import MAX_LIMIT, RegionsPage
from gridwatch.views.regional.rows import WINDOWS
from gridwatch.views.rendering import render
from tests.unit.views.fakes import Log, request
from tests.unit.views.regional.kinds import bundle, closed, incident, log_of, out, regional, row

EVIL = "\"><script>alert(1)</script>'&/../é"
LOADS = {"C": 91.0, "A": 40.0, "D": None, "B": 40.0}
ROWS = [row(name, quarter, load) for name, load in LOADS.items() for quarter in range(3)]


def ask(log: Log, query: str = "") -> Reply:
    known = regional(log)
    return cast(Reply, asyncio.run(RegionsPage(known, RegionPage(known)).page(request(query))))


def show(log: Log, region: str) -> Reply:
    return asyncio.run(RegionPage(regional(log)).page(request(), region))


def html(reply: Reply, here: str = "/regions/") -> str:
    return render(reply.template, **reply.data, **reply.shown, here=here, own_url="http://me:1")


@pytest.mark.parametrize(("sort", "expected"), [("load", "CABD"), ("region", "ABCD")])
def test_pages_one_after_the_other_have_each_region_once_in_order(sort: str, expected: str) -> None:
    seen, after = "", ""
    while True:
        data = ask(log_of(ROWS), f"sort={sort}&limit=1&after={after}").data
        seen += "".join(one["region"] for one in data["regions"])
        if data["next"] is None:
            break
        after = data["next"]
    assert seen == expected


def test_a_region_has_all_of_its_newest_window_and_the_loads_of_its_day() -> None:
    data = ask(log_of(ROWS), "prefix=C").data
    [one] = data["regions"]
    assert (one["window_start"], one["load_kw"], one["capacity_kw"]) == ("2024-01-01T10:30:00Z", 182.0, 200.0)
    assert (one["meters_active"], one["meters_reporting"], one["uncovered"]) == (100, 97, 3)
    assert [past["load_percentage"] for past in one["history"]] == [91.0] * 3
    assert (data["total"], data["end"]) == (4, "2024-01-01T10:45:00Z")


def test_what_is_not_known_is_hatched_and_what_lacks_sources_is_marked_in_words_too() -> None:
    page = html(ask(log_of([*ROWS, row("C", 3, 85.0, complete=False)])))
    assert page.count('class="unsure"') == page.count("too little is known for a load") == 3
    assert page.count('class="hatch"') == 1
    assert page.count('class="partial"') == 1
    assert "2024-01-01 10:45: 85.0 % (170.0 of 200.0 kW), sources are missing" in page
    assert page.count('class="level-3"') == 1
    assert page.count('class="level-4"') == 3
    assert 'aria-label="Load of C, 4 of 96 quarters of an hour, highest 91.0 % at 2024-01-01 10:30"' in page
    assert "SOURCES MISSING" in page
    assert "INSUFFICIENT" in page


def test_sources_that_hold_windows_up_or_are_out_are_named() -> None:
    sources = [bundle(0, 31), bundle(1, 31), bundle(2, 3), bundle(3, 1), out(3)]
    reply = ask(log_of(ROWS, bundles=sources))
    assert [(one["partition"], one["why"]) for one in reply.data["sources_waited_for"]] == [
        (3, "out"),
        (2, "last"),
    ]
    page = html(reply)
    assert "28 min behind the first one: windows after that wait for it" in page
    assert "30 min behind the first one: it stands still, and windows after that are made without it" in page
    assert 'id="sources"' not in html(ask(log_of(ROWS)))


def test_an_empty_list_says_what_to_do() -> None:
    assert "gridwatch registry set" in html(ask(log_of()))
    nowhere = [row(quarter=0, capacity_kw=None, load_percentage=None)]
    page = html(ask(log_of(nowhere)))
    assert "gridwatch regions set" in page
    assert "the capacity is not known" in page
    none = regional(log_of(), load_settings(partitions=4, region_flows="none"))
    page = html(cast(Reply, asyncio.run(RegionsPage(none, RegionPage(none)).page(request()))))
    assert "GRIDWATCH_REGION_FLOWS" in page
    assert "No region begins with “Q”" in html(ask(log_of(ROWS), "prefix=Q"))


def test_a_page_of_very_many_regions_stays_small() -> None:
    rows = [row(f"R{region:05}", quarter) for quarter in range(2) for region in range(5000)]
    rows += [row(f"R{region:05}", quarter) for quarter in range(2, WINDOWS) for region in range(MAX_LIMIT)]
    log = log_of(rows)
    reply = ask(log, f"limit={MAX_LIMIT}&sort=region")
    assert (len(reply.data["regions"]), reply.data["total"]) == (MAX_LIMIT, 5000)
    assert len(html(reply)) < 4_000_000
    assert len(encoded(reply.data)) < 4_000_000


@pytest.mark.parametrize(
    "query", ["after=high:1:A", "after=1", "sort=name", f"limit={MAX_LIMIT + 1}", "state=x"]
)
def test_what_is_no_question_is_refused(query: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(log_of(ROWS), query)
    assert problem.value.status == 400


def test_a_region_shows_its_day_and_its_open_incidents_only() -> None:
    mine = incident("F1", region="C")
    others = [incident("F2", region="A"), closed(incident("F3", region="C"))]
    reply = show(log_of(ROWS, [mine, *others], [bundle(number, 45) for number in range(4)]), "C")
    assert [one["window_start"][11:16] for one in reply.data["windows"]] == ["10:30", "10:15", "10:00"]
    assert [one["id"] for one in reply.data["incidents"]] == [mine.id]
    # It is open for as long as event time has come, though its last revision is older.
    assert reply.data["incidents"][0]["duration_seconds"] == 45 * 60
    page = html(reply, "/regions/{region}/")
    assert page.count('class="level warn"') == page.count('class="level bad"') == 2
    assert "1 incident is open" in page


def test_a_region_of_which_nothing_was_read_is_404() -> None:
    with pytest.raises(Problem) as problem:
        show(log_of(ROWS), "Z")
    assert problem.value.status == 404


def test_a_region_without_a_capacity_is_plotted_in_kilowatts() -> None:
    page = html(show(log_of([row(capacity_kw=None, load_percentage=None)]), "R01"))
    assert ">kW</text>" in page
    assert 'class="level' not in page
    assert "gridwatch regions set" in page


def test_a_region_that_browsers_take_out_of_a_path_is_found_by_a_parameter() -> None:
    assert ask(log_of([row("..")]), "id=..").data["region"] == ".."
    assert '<a href="/regions/?id=..">' in html(ask(log_of([row("..")])))


def test_a_name_that_is_html_stays_text() -> None:
    log = log_of([row(EVIL)], [incident(EVIL, region=EVIL, kind="storm")])
    for reply in (ask(log, "prefix=%22"), ask(log), show(log, EVIL)):
        page = html(reply)
        assert page.count("<script") == page.count('<script src="/live.js" defer></script>') == 1
        assert "&lt;script&gt;" in page or "No region" in page
