"""Anomalies: the newest revision of each, open ones first, filtered by what is asked for."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from gridwatch.domain.partitioning import partition_of
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.anomaly import Anomaly
from gridwatch.settings import load_settings
from gridwatch.views.anomalies.known import KnownAnomalies, Ranked, cursor_of, decoded, read_cursor
from gridwatch.views.anomalies.page import AnomaliesPage
from gridwatch.views.log_tail import Record
from gridwatch.views.rendering import render
from tests.unit.views.anomalies.kinds import anomaly, anomaly_log, closed, log_of, retracted
from tests.unit.views.fakes import SETTINGS, Log, request

SPIKE = anomaly("A", 0)
DROP = anomaly("B", 3, "DROP", region="R02", severity="high")
FLAT = anomaly("A", 9, "FLATLINE", region=None, severity="low", confidence="low")
OVER = anomaly("C", 5, "VOLTAGE", unit="V", value=262.5, baseline=230.0)
GONE = anomaly("D", 7, "SPIKE")
ALL = [SPIKE, DROP, FLAT, OVER, closed(OVER), GONE, retracted(GONE)]


def ask(query: str = "", log: Log | None = None, **settings: Any) -> Reply:
    made = load_settings(partitions=4, **settings) if settings else SETTINGS
    page = AnomaliesPage(anomaly_log(log_of(*ALL) if log is None else log, made))
    return asyncio.run(page.page(request(query)))


def html(reply: Reply) -> str:
    return render(reply.template, **reply.data, **reply.shown, here="/anomalies/", own_url="http://me:1")


def found(reply: Reply) -> list[str]:
    return [f"{one['meter_id']}-{one['kind']}" for one in reply.data["anomalies"]]


def row_of(one: Anomaly) -> Ranked:
    row = decoded(msgspec.json.encode(one))
    assert row is not None
    return row


def record(one: Anomaly, offset: int = 0, partition: int = 0) -> Record:
    return Record(partition, offset, 0, one.meter_id.encode(), msgspec.json.encode(one))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "A-FLATLINE B-DROP A-SPIKE C-VOLTAGE"),
        ("state=open", "A-FLATLINE B-DROP A-SPIKE"),
        ("state=closed", "C-VOLTAGE"),
        ("state=retracted", "D-SPIKE"),
        ("state=all", "A-FLATLINE B-DROP A-SPIKE D-SPIKE C-VOLTAGE"),
        ("kind=SPIKE", "A-SPIKE"),
        ("kind=SPIKE&state=all", "A-SPIKE D-SPIKE"),
        ("severity=medium", "A-SPIKE C-VOLTAGE"),
        ("confidence=low", "A-FLATLINE"),
        ("meter=A", "A-FLATLINE A-SPIKE"),
        ("region=R01", "A-SPIKE C-VOLTAGE"),
        ("meter=A&region=R02", ""),
    ],
)
def test_open_ones_come_first_then_those_detected_last_and_each_once_over_pages(
    query: str, expected: str
) -> None:
    assert found(ask(query)) == expected.split()
    assert ask(query).data["found"] == len(expected.split())
    seen, after = [], ""
    while True:
        reply = ask(f"{query}&limit=1&after={after}")
        seen += found(reply)
        if reply.data["next"] is None:
            break
        after = reply.data["next"]
    assert seen == expected.split()


def test_every_cursor_is_read_as_it_was_written() -> None:
    long = anomaly("é:@/" * 255)
    for one in (*ALL, long, anomaly("a:b", detected_at="1969-12-31T10:00:00Z")):
        row = row_of(one)
        assert read_cursor("after", cursor_of(row)) == row.rank


@pytest.mark.parametrize(
    "query",
    [
        *("after=open", "after=ajar:1:x", "after=open:x:y", f"after=open:1:{'x' * 1025}@"),
        *("state=OPEN", "kind=spike", "severity=worst", "confidence=medium", "limit=0", "sort=kind"),
    ],
)
def test_what_is_no_question_is_refused(query: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(query)
    assert problem.value.status == 400


def test_the_page_shows_each_anomaly_with_its_numbers_and_its_meter() -> None:
    shown = html(ask())
    assert '<a href="/meters/C/"><bdi>C</bdi></a>' in shown
    assert '<a href="/regions/R02/"><bdi>R02</bdi></a>' in shown
    assert "262.5 V" in shown
    assert "+200 %" in shown.replace("\u202f", " ")
    assert 'CLOSED</span> <span class="quiet">returned</span>' in shown
    assert "<title>3 open · Anomalies · gridwatch</title>" in shown
    assert "4 are like that, of 5 known" in shown.replace('<span id="found">4</span>', "4")
    assert "Retracted ones are shown if asked for" in shown
    assert "RETRACTED" not in shown
    assert "RETRACTED" in html(ask("state=retracted"))


def test_what_is_not_known_is_a_dash() -> None:
    unknown = anomaly(kind="LOW_POWER_FACTOR", unit=None, value=0.62, baseline=None, deviation_percent=None)
    shown = html(ask("", log_of(unknown)))
    assert 'data-label="Value">0.62</td>' in shown
    assert shown.count('data-label="Baseline">–</td>') == shown.count('data-label="Deviation">–</td>') == 1


def test_an_older_revision_that_repeats_changes_nothing() -> None:
    reply = ask("", log_of(OVER, closed(OVER), OVER))
    assert [one["state"] for one in reply.data["anomalies"]] == ["CLOSED"]


def test_another_flow_has_a_topic_of_its_own() -> None:
    log = log_of(SPIKE, topic="daily_anomalies")
    assert found(ask("", log, flow="daily")) == ["A-SPIKE"]
    assert found(ask("", log)) == []


def test_of_too_many_the_open_ones_and_those_detected_last_stay() -> None:
    known = KnownAnomalies(most=3)
    older, newer = closed(anomaly("E", 1)), closed(anomaly("F", 20))
    for offset, one in enumerate([older, SPIKE, newer, DROP]):
        known.take(record(one, offset))
    known.settle()
    assert {one.anomaly.meter_id for one in known.all()} == {"A", "B", "F"}
    missing_before = known.complete_from
    assert missing_before is not None
    assert row_of(older).detected < missing_before <= row_of(newer).detected
    known.forget()
    assert (known.all(), known.complete_from) == ([], None)


def test_anomalies_before_the_first_record_that_is_read_may_be_missing() -> None:
    known = KnownAnomalies()
    known.begin_at(record(SPIKE))
    assert known.complete_from is None
    known.begin_at(record(closed(OVER), 7, partition=1))
    known.begin_at(record(SPIKE, 9, partition=2))
    assert known.complete_from == row_of(OVER).detected + 2 * 15 * 60_000_000


def test_the_page_says_what_may_be_missing() -> None:
    assert "may be missing here" not in html(ask())
    records = [record(SPIKE, 70, partition_of("A", 4)), record(FLAT, 71, partition_of("A", 4))]
    reply = ask("", Log(anomalies={partition_of("A", 4): records}))
    assert reply.data["complete_from"] == "2024-01-01T10:15:00Z"
    assert "may be missing here, open ones too" in html(reply)


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", *(msgspec.json.encode(anomaly(**{name: "soon"})) for name in ("detected_at", "ended_at"))],
)
def test_what_is_no_anomaly_is_left_out(value: bytes) -> None:
    known = KnownAnomalies()
    known.take(Record(0, 0, 0, b"", value))
    known.begin_at(Record(0, 5, 0, b"", value))
    assert (known.all(), known.complete_from) == ([], None)
    assert found(ask("", log_of(value, SPIKE))) == ["A-SPIKE"]


def test_anomalies_are_counted_by_the_hour_that_they_were_detected_in() -> None:
    reply = ask()
    hours = {one["hour"]: one["counts"] for one in reply.data["hours"] if one["counts"]}
    # The windows end at 10:15, 11:00, 11:30 and 12:30.
    assert hours == {
        "2024-01-01T10:00:00Z": {"DROP": 1, "SPIKE": 1},
        "2024-01-01T11:00:00Z": {"VOLTAGE": 1},
        "2024-01-01T12:00:00Z": {"FLATLINE": 1},
    }
    assert len(reply.data["hours"]) == 48
    svg = reply.shown["plots"]["wide"]
    assert [
        svg.count(f'class="bar {tone}"') for tone in ("spike", "drop", "run", "supply", "level-shift")
    ] == [*(1, 1, 1, 1, 0)]


def test_an_anomaly_older_than_the_hours_is_in_the_list_and_not_in_the_plot() -> None:
    reply = ask("", log_of(anomaly("A", 0), anomaly("B", 48 * 4 + 1)))
    assert found(reply) == ["B-SPIKE", "A-SPIKE"]
    assert sum(sum(one["counts"].values()) for one in reply.data["hours"]) == 1


def test_an_empty_list_says_why() -> None:
    shown = html(ask("", log_of()))
    assert "windows enough" in shown
    assert "<svg" not in shown
    assert "None is like that" in html(ask("region=Z"))
    assert "GRIDWATCH_ANOMALY_ON" in html(ask("", log_of(), anomaly_on="none"))
    assert "No more" in html(ask("after=ended:1:x"))


def test_without_brokers_the_page_is_503() -> None:
    class Away:
        async def read(self, *asked: Any, **more: Any) -> None:
            raise Problem(503, "anomalies cannot be read: away")

    with pytest.raises(Problem) as problem:
        ask("", cast(Any, Away()))
    assert problem.value.status == 503


def test_names_that_are_html_stay_text() -> None:
    evil = "\"><script>alert(1)</script>'&/../é"
    shown = html(ask(f"meter={evil}".replace("&", "%26"), log_of(anomaly(evil, region=evil))))
    assert shown.count("<script") == 1
    shown = html(ask("", log_of(anomaly(evil, region=evil))))
    assert shown.count("<script") == shown.count('<script src="/live.js" defer></script>') == 1
