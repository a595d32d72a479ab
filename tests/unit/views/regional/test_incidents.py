"""Incidents: the newest revision of each, open ones first, and one with all of its revisions."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from gridwatch.http.reply import Problem, Reply
from gridwatch.views.log_tail import Record
from gridwatch.views.regional.incident_pages import IncidentPages
from gridwatch.views.regional.incidents import Incidents, cursor_of, rank_of, read_cursor
from gridwatch.views.rendering import render
from tests.unit.views.fakes import Log, request
from tests.unit.views.regional.kinds import bundle, closed, incident, log_of, regional

STORM = incident("R02", 0, "storm", "R02", meters_open=61, meters_active=412, meters_peak=80)
FEEDER = incident("F1", 3, region="R02", parent_id=STORM.id)
TRANSFORMER = incident("T1", 9, "transformer", "R01")
OVER = incident("T2", 5, "transformer", "R01")
ALL = [STORM, FEEDER, TRANSFORMER, OVER, closed(OVER)]


def ask(query: str = "", log: Log | None = None) -> Reply:
    log = log_of((), ALL) if log is None else log
    return asyncio.run(IncidentPages(regional(log), cast(Any, log)).page(request(query)))


def show(incident_id: str, log: Log | None = None) -> Reply:
    log = log_of((), ALL) if log is None else log
    return asyncio.run(IncidentPages(regional(log), cast(Any, log)).one(request(), incident_id))


def html(reply: Reply) -> str:
    return render(reply.template, **reply.data, **reply.shown, here="/incidents/", own_url="http://me:1")


def targets(reply: Reply) -> list[str]:
    return [one["target"] for one in reply.data["incidents"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "T1 F1 R02 T2"),
        ("state=open", "T1 F1 R02"),
        ("state=closed", "T2"),
        ("region=R01", "T1 T2"),
        ("kind=storm", "R02"),
        ("kind=feeder&region=R01", ""),
    ],
)
def test_open_ones_come_first_then_the_latest_and_each_once_over_pages(query: str, expected: str) -> None:
    assert targets(ask(query)) == expected.split()
    seen, after = [], ""
    while True:
        reply = ask(f"{query}&limit=1&after={after}")
        seen += targets(reply)
        if reply.data["next"] is None:
            break
        after = reply.data["next"]
    assert seen == expected.split()


def test_every_cursor_is_read_as_it_was_written() -> None:
    for one in (*ALL, msgspec.structs.replace(STORM, started_at="1969-12-31T10:00:00Z")):
        assert read_cursor(cursor_of(one)) == rank_of(one)


@pytest.mark.parametrize(
    "query", ["after=open", "after=ajar:1:x", "after=open:x:y", "state=OPEN", "kind=fire"]
)
def test_what_is_no_question_is_refused(query: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(query)
    assert problem.value.status == 400


def test_an_incident_has_its_share_and_how_long_it_is_open() -> None:
    data = {one["target"]: one for one in ask().data["incidents"]}
    assert (data["F1"]["share"], data["F1"]["duration_seconds"]) == (0.75, 300)
    assert (data["T2"]["state"], data["T2"]["duration_seconds"]) == ("CLOSED", 300)
    later = [bundle(number, 60) for number in range(4)]
    data = {one["target"]: one for one in ask("", log_of((), ALL, later)).data["incidents"]}
    assert (data["F1"]["duration_seconds"], data["T2"]["duration_seconds"]) == (57 * 60, 300)


def test_an_incident_of_no_meters_has_no_share() -> None:
    log = log_of((), [incident(meters_active=0, meters_open=0)])
    reply = ask("", log)
    assert reply.data["incidents"][0]["share"] is None
    html(reply)


def test_one_incident_has_its_revisions_its_meters_and_what_is_part_of_it() -> None:
    grown = msgspec.structs.replace(STORM, revision=2, meters_open=80, meters=["A/1", "B"])
    log = log_of((), [STORM, FEEDER, grown, grown])
    reply = show(STORM.id, log)
    assert [(one["revision"], one["meters_open"]) for one in reply.data["revisions"]] == [(2, 80), (1, 61)]
    assert [one["id"] for one in reply.data["narrower"]] == [FEEDER.id]
    page = html(reply)
    assert '<a href="/meters/A%2F1/"><bdi>A/1</bdi></a>' in page
    assert "The first 2 of 80 by their id" in page
    assert '<a href="/gaps/?state=open&amp;reason=unplanned">' in page
    assert f"<bdi>{STORM.id}</bdi></a>." in html(show(FEEDER.id, log))


def test_an_incident_whose_wider_one_is_not_known_names_it_without_a_link() -> None:
    page = html(show(FEEDER.id, log_of((), [FEEDER])))
    assert f"It is part of <bdi>{STORM.id}</bdi>." in page


def test_an_incident_that_was_not_read_is_404() -> None:
    with pytest.raises(Problem) as problem:
        show("storm:Z@2024-01-01T10:00:00Z")
    assert problem.value.status == 404


def test_of_too_many_the_open_ones_and_the_latest_stay() -> None:
    known = Incidents(most=3)
    for offset, one in enumerate(ALL):
        known.take(Record(0, offset, 0, one.id.encode(), msgspec.json.encode(one)))
    known.settle()
    assert {one.target for one in known.all()} == {"R02", "F1", "T1"}
    assert not known.complete


def test_an_older_revision_that_repeats_changes_nothing() -> None:
    log = log_of((), [OVER, closed(OVER), OVER])
    assert [one["state"] for one in ask("", log).data["incidents"]] == ["CLOSED"]


@pytest.mark.parametrize("value", [b"", b"{}", msgspec.json.encode(incident(updated_at="soon"))])
def test_what_is_no_incident_is_left_out(value: bytes) -> None:
    known = Incidents()
    known.take(Record(0, 0, 0, b"", value))
    assert known.all() == []


def test_an_empty_list_says_what_incidents_need() -> None:
    assert "gridwatch registry import" in html(ask("", log_of()))
    assert "None is like that" in html(ask("region=Z"))


def test_names_that_are_html_stay_text() -> None:
    evil = "\"><script>alert(1)</script>'&/../é"
    one = incident(evil, region=evil, meters=[evil], parent_id=f"storm:{evil}@2024-01-01T10:00:00Z")
    log = log_of((), [one])
    for page in (html(ask("", log)), html(show(one.id, log))):
        assert page.count("<script") == page.count('<script src="/live.js" defer></script>') == 1
