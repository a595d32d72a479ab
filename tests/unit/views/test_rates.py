"""Rates: the windows of all partitions added up, and what was worked minute by minute."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import Window
from gridwatch.http.reply import Problem, Reply
from gridwatch.views import rates
from gridwatch.views.overview import Overview
from gridwatch.views.rates import Throughput, last_hour, late_share, merged, merged_minutes, windows_of
from gridwatch.views.rendering import render
from tests.unit.views.anomalies import kinds as anomalies
from tests.unit.views.anomalies.kinds import anomaly, anomaly_log
from tests.unit.views.fakes import OTHER, SETTINGS, Watch, partition, pipeline, request
from tests.unit.views.regional.kinds import closed, incident, log_of, regional, row
from tests.unit.views.test_state import MINUTE, TEN

FIVE = 5 * MINUTE


def window(**counts: int) -> Window:
    made = Window()
    for name, count in counts.items():
        setattr(made, name, count)
    return made


def state(number: int, **windows: Window) -> PartitionState:
    made = PartitionState(number)
    made.windows = {TEN + int(slot[1:]) * FIVE: one for slot, one in windows.items()}
    return made


def test_the_windows_of_partitions_are_added_up() -> None:
    first = state(0, w0=window(on_time=7, late=2, too_late=1), w1=window(on_time=1))
    second = state(1, w1=window(on_time=3, invalid=2, missing=5))
    one, two = windows_of([first, second], FIVE)
    assert (one["window_start"], one["window_end"]) == ("2024-01-01T10:00:00Z", "2024-01-01T10:05:00Z")
    assert (one["readings_received"], one["readings_validated"], one["readings_late"]) == (10, 9, 2)
    assert (two["readings_received"], two["readings_invalid"], two["missing_intervals"]) == (6, 2, 5)
    assert merged([windows_of([first], FIVE), windows_of([second], FIVE)]) == [one, two]
    assert late_share([one, two]) == 3 / 16


def test_without_readings_there_is_no_late_share() -> None:
    assert late_share([]) is None


def test_the_last_hour_ends_with_the_highest_watermark() -> None:
    windows = windows_of([state(0, **{f"w{slot}": window(on_time=1) for slot in range(20)})], FIVE)
    hour = last_hour(windows, TEN + 17 * FIVE + 1)
    assert [hour[0]["window_start"], hour[-1]["window_start"]] == [
        format_instant(TEN + 6 * FIVE),
        format_instant(TEN + 17 * FIVE),
    ]
    assert last_hour(windows, None) == []


def test_what_is_worked_is_counted_by_the_minute_and_a_new_partition_does_not_count_as_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr(rates, "now_micros", lambda: TEN + int((clock[0] - 1000) * 1_000_000))
    throughput = Throughput()
    for passed, reached in (
        (0, {0: 50}),
        (5, {0: 150, 1: 7_000}),
        (65, {0: 150, 1: 7_300}),
        (70, {1: 7_300}),
    ):
        clock[0] = 1000.0 + passed
        throughput.observe(reached)
    minutes = throughput.minutes()
    assert [(one["records"], one["seconds"]) for one in minutes] == [(100, 5.0), (300, 65.0)]
    both = merged_minutes([minutes, minutes])
    assert both == [(TEN, 40.0), (TEN + MINUTE, 2 * 300 / 65)]


class Counted:
    """What the survey of registered meters has found here."""

    async def own(self) -> dict[str, Any]:
        return {
            "registered": 7,
            "complete": True,
            "by_status": {"active": 7},
            "by_region": {},
            "by_hearing": {"never": 2},
        }


def test_the_overview_adds_up_what_all_workers_say() -> None:
    mine = windows_of([state(0, w0=window(on_time=6, late=2))], FIVE)
    theirs = {
        "windows": windows_of([state(2, w0=window(on_time=2, too_late=1, active=3))], FIVE),
        "minutes": [],
        "partitions": [partition(2, owner=OTHER)],
        "registry": {
            "registered": 4,
            "complete": False,
            "by_status": {"planned": 4},
            "by_region": {},
            "by_hearing": {"never": 1},
        },
    }
    watch = Watch({"/rates/": theirs})
    watch.partitions = [partition(0, watermark="2024-01-01T10:01:00Z")]
    page = Overview(
        SETTINGS, pipeline({}), cast(Any, watch), cast(Any, Counted()), regional(), anomalies=anomaly_log()
    )
    cast(Any, page)._own_windows = lambda: mine
    reply = asyncio.run(page.page(request()))
    assert (reply.data["readings_received"], reply.data["late_share"]) == (11, 3 / 11)
    assert (reply.data["active_meters"], reply.data["meters"]) == (3, 4)
    assert [one["lag"] for one in reply.data["watermarks"]] == [0, 0]
    assert (reply.data["registered"], reply.data["never_heard"]) == (11, 3)
    assert not reply.data["registry_counted"]
    html = render(reply.template, **reply.data, **reply.shown, here="/", own_url="http://me:1")
    assert html.count("<svg") == 4
    assert "27.3 %" in html


def test_before_the_first_reading_the_overview_is_there_all_the_same() -> None:
    watch = Watch({"/rates/": {"windows": [], "minutes": [], "partitions": []}})
    page = Overview(
        SETTINGS, pipeline({}), cast(Any, watch), cast(Any, Counted()), regional(), anomalies=anomaly_log()
    )
    cast(Any, page)._own_windows = list
    reply = asyncio.run(page.page(request()))
    assert (reply.data["late_share"], reply.data["windows"]) == (None, [])
    assert render(reply.template, **reply.data, **reply.shown, here="/", own_url="w").count("<svg") == 4


def overview(log: Any) -> Reply:
    watch = Watch({"/rates/": {"windows": [], "minutes": [], "partitions": []}})
    page = Overview(
        *(SETTINGS, pipeline({}), cast(Any, watch), cast(Any, Counted()), regional(log)),
        anomalies=anomaly_log(log),
    )
    cast(Any, page)._own_windows = list
    return asyncio.run(page.page(request()))


def test_the_overview_has_the_highest_load_and_the_open_incidents() -> None:
    incidents = [incident("F1"), incident("F2"), closed(incident("F3"))]
    reply = overview(log_of([row("A", 0, 99.0), row("A", 1, 70.0), row("B", 1, 85.0)], incidents))
    assert (reply.data["regions"], reply.data["incidents_open"]) == (2, 2)
    assert reply.data["highest_load"] == {
        "region": "B",
        "load_percentage": 85.0,
        "window_start": "2024-01-01T10:15:00Z",
    }
    html = render(reply.template, **reply.data, **reply.shown, here="/", own_url="w")
    assert '<dd id="highest_load">85.0 %</dd>' in html
    assert '<a href="/regions/B/">' in html


def test_the_overview_counts_open_anomalies_and_those_that_are_severe() -> None:
    some = [anomaly("A"), anomaly("B", severity="critical"), anomaly("C"), anomalies.closed(anomaly("C"))]
    reply = overview(anomalies.log_of(*some))
    assert (reply.data["anomalies_open"], reply.data["anomalies_severe"]) == (2, 1)
    html = render(reply.template, **reply.data, **reply.shown, here="/", own_url="w")
    assert '<a href="/anomalies/?state=open">Open anomalies</a></dt><dd id="anomalies_open">2</dd>' in html
    assert "1 high or critical</dd>" in html


def test_the_overview_is_there_when_regions_cannot_be_read() -> None:
    class Away:
        async def read(self, *asked: Any, **how: Any) -> None:
            raise Problem(503, "regional_aggregates cannot be read: away")

    class Slow:
        async def read(self, *asked: Any, **how: Any) -> None:
            await asyncio.sleep(60)

    for log, problem in ((Away(), "regional_aggregates cannot be read: away"), (Slow(), "")):
        reply = overview(log)
        shown = (reply.data["incidents_open"], reply.data["highest_load"], reply.data["regional_problem"])
        assert shown == (None, None, problem)
        html = render(reply.template, **reply.data, **reply.shown, here="/", own_url="w")
        assert '<dd id="incidents_open">–</dd>' in html
        assert (reply.data["anomalies_open"], reply.data["anomalies_problem"]) == (None, problem)
        assert '<dd id="anomalies_open">–</dd>' in html
        assert problem in html
