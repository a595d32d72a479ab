"""A meter's windows of consumption: the newest revision of each, a plot that hides nothing, or why none."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import DAY, SECOND
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.aggregate import Aggregate
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, SMARTMETER, flow
from gridwatch.views.log_tail import Record
from gridwatch.views.meter.page import MeterPage
from gridwatch.views.meter.windows import SHOWN, MeterWindows, window_plots
from gridwatch.views.rendering import render
from tests.unit.views.fakes import SETTINGS, Log, Watch, pipeline, request
from tests.unit.views.test_state import TEN, meter

METER = next(name for name in map(str, range(100)) if partition_of(name, 4) == 1)


def window(number: int, length: int = 60, **changes: Any) -> Aggregate:
    """The window so many lengths after ten o'clock."""
    start = TEN + number * length * SECOND
    usual = Aggregate(
        id=f"{METER}@{format_instant(start)}/{length // 60}m",
        meter_id=METER,
        window_start=format_instant(start),
        window_end=format_instant(start + length * SECOND),
        revision=1,
        region="R01",
        reading_count=5,
        expected_readings=6,
        completeness=0.8333,
        energy_kwh_sum=0.02,
        power_kw_avg=1.25,
        power_kw_min=0.5,
        power_kw_max=2.5,
        voltage_avg=230.125,
        current_avg=5.4,
        power_factor_avg=0.98,
        partition=1,
        received_at=format_instant(start),
    )
    return msgspec.structs.replace(usual, **changes)


def records(*windows: Aggregate | bytes, key: str = METER) -> list[Record]:
    return [
        Record(1, offset, 0, key.encode(), one if isinstance(one, bytes) else msgspec.json.encode(one))
        for offset, one in enumerate(windows)
    ]


def log_of(*minutes: Aggregate | bytes, quarters: tuple[Aggregate, ...] = ()) -> Log:
    return Log(**{AGGREGATES_1M.name: {1: records(*minutes)}, AGGREGATES_15M.name: {1: records(*quarters)}})


def page(log: Log, one: MeterState) -> Reply:
    made = MeterPage(SETTINGS, pipeline({1: {METER: one}}), cast(Any, Watch({})), cast(Any, log))
    return cast(Reply, asyncio.run(made.page(request(), METER)))


def html(reply: Reply) -> str:
    return render(reply.template, **reply.data, **reply.shown, here="/meters/", own_url="http://me:1")


def ten_seconds() -> MeterState:
    return meter(interval=10 * SECOND)


def test_the_newest_revision_of_each_window_stands_the_newest_window_first() -> None:
    revised = window(0, revision=2, energy_kwh_sum=0.03)
    reply = page(log_of(window(0), revised, window(1), window(0), b"{}", b""), ten_seconds())
    minutes, quarters = reply.data["windows"]
    assert [(one["window_start"][11:16], one["revision"]) for one in minutes["windows"]] == [
        ("10:01", 1),
        ("10:00", 2),
    ]
    assert minutes["windows"][1]["energy_kwh_sum"] == 0.03
    assert (minutes["length_seconds"], minutes["none_because"]) == (60, "")
    assert (quarters["length_seconds"], quarters["windows"]) == (900, [])
    assert "none has ended yet" in quarters["none_because"]


def test_the_page_shows_the_newest_window_and_all_of_them_as_a_table() -> None:
    shown = html(page(log_of(window(0), window(1), quarters=(window(0, 900),)), ten_seconds()))
    assert "5 readings of 6 expected" in shown
    assert "230.1 V" in shown
    assert "83.3 %" in shown
    assert "The 2 windows of 1 min as a table" in shown
    assert "The 1 window of 15 min as a table" in shown


def test_windows_of_another_meter_of_the_partition_are_not_shown() -> None:
    log = Log(**{AGGREGATES_1M.name: {1: records(window(0), key="other")}})
    assert page(log, ten_seconds()).data["windows"][0]["windows"] == []


def test_no_more_windows_are_shown_than_an_hour_and_a_day_have() -> None:
    minutes = [window(number) for number in range(200)]
    quarters = tuple(window(number, 900) for number in range(200))
    data = page(log_of(*minutes, quarters=quarters), ten_seconds()).data["windows"]
    assert [len(one["windows"]) for one in data] == [SHOWN[60], SHOWN[900]]
    assert data[0]["windows"][0]["window_start"] == minutes[-1].window_start


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (meter(interval=1800 * SECOND), ["its interval, 30 min, is longer"] * 2),
        (meter(interval=300 * SECOND), ["its interval, 5 min, is longer", "none has ended yet"]),
        (MeterState(TEN, DAY, True, Calendar("1d", "UTC")), ["local days or months"] * 2),
        (ten_seconds(), ["none has ended yet"] * 2),
    ],
)
def test_a_meter_without_windows_says_why(one: MeterState, why: list[str]) -> None:
    reply = page(Log(), one)
    assert all(part in said["none_because"] for part, said in zip(why, reply.data["windows"], strict=True))
    assert all(part in html(reply) for part in why)


def test_lengths_that_are_not_made_are_not_read() -> None:
    log = log_of(window(0), quarters=(window(0, 900),))
    windows = MeterWindows(cast(Any, log), SMARTMETER, [900])
    read = asyncio.run(windows.of(METER, 1))
    minutes, quarters = windows.describe(ten_seconds(), read)
    assert "GRIDWATCH_WINDOWS" in minutes["none_because"]
    assert (len(quarters["windows"]), log.looks) == (1, 1)


def test_another_flow_has_topics_of_its_own() -> None:
    log = Log(daily_aggregates_1m={1: records(window(0))})
    read = asyncio.run(MeterWindows(cast(Any, log), flow("daily"), [60]).of(METER, 1))
    assert len(read.by_length[60]) == 1


def test_without_brokers_the_page_is_there_and_says_so() -> None:
    class Away:
        async def read(self, *asked: Any) -> None:
            raise Problem(503, "aggregates_1m cannot be read: away")

    reply = page(cast(Any, Away()), ten_seconds())
    assert [one["none_because"] for one in reply.data["windows"]] == [
        "aggregates_1m cannot be read: away"
    ] * 2
    html(reply)


def test_the_plot_breaks_where_a_window_is_missing_and_has_the_range_as_a_band() -> None:
    windows = [window(number) for number in (0, 1, 5)] + [window(6, power_kw_avg=None, power_kw_min=None)]
    read = asyncio.run(MeterWindows(cast(Any, log_of(*windows)), SMARTMETER, [60]).of(METER, 1))
    svg = window_plots("M<1>", read)[60]["wide"]
    assert svg.count('class="band"') == svg.count("<polyline") == 2
    assert svg.count('class="hover"') == 3
    assert "2024-01-01 10:05: 1.25 kW (0.5 to 2.5)" in svg
    assert "M&lt;1&gt;" in svg


def test_windows_without_any_power_have_no_plot() -> None:
    nothing = window(0, power_kw_avg=None, power_kw_min=None, power_kw_max=None)
    read = asyncio.run(MeterWindows(cast(Any, log_of(nothing)), SMARTMETER, [60]).of(METER, 1))
    assert window_plots("M", read) == {}
    assert "– kW" in html(page(log_of(nothing), ten_seconds()))
