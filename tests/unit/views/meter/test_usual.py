"""What a meter usually uses is plotted with the windows or slots that are judged, and its anomalies, too."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

import pytest

from gridwatch.domain.anomalies.habit import Buckets, Habit, no_buckets
from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.terms import Terms
from gridwatch.domain.meter.timeliness import recent_of
from gridwatch.domain.partition.registry import REGION
from gridwatch.domain.partition.sums.anomalies import BUCKETS
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND
from gridwatch.domain.registry.records import RegionRecord
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.anomaly import Anomaly
from gridwatch.settings import load_settings
from gridwatch.topics import AGGREGATES_15M, ANOMALIES
from gridwatch.views.meter.anomalies import MOST_SHOWN
from gridwatch.views.meter.page import MeterPage
from gridwatch.views.meter.usual import Usual, read_usual
from gridwatch.views.rendering import render
from tests.unit.views.anomalies.kinds import anomaly, closed, log_of, retracted
from tests.unit.views.fakes import SETTINGS, Log, Watch, pipeline, request
from tests.unit.views.meter.test_windows import METER, records, window
from tests.unit.views.test_state import TEN, meter, store

KW = 1_000_000
QUARTER = 15 * MINUTE
#: TEN is a Monday.
AT_TEN, AT_ELEVEN, SUNDAY_AT_TEN = 10, 11, 34


def habit(bucket: int = AT_TEN, count: int = 3, length: int = QUARTER, **changes: Any) -> Habit:
    """2 kW with a deviation of 0.1 kW in one bucket."""
    made = Habit()
    made.length, made.bucket, made.count = length, bucket, count
    made.mean, made.deviation = 2 * KW, KW // 10
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def beside(buckets: dict[int, tuple[int, int, int]]) -> dict[str, Buckets]:
    """The state that has the buckets of other hours."""
    known = no_buckets()
    for place, bucket in buckets.items():
        known[3 * place : 3 * place + 3] = bucket
    return {BUCKETS + METER: known}


def region(**changes: Any) -> dict[str, RegionRecord]:
    made = RegionRecord("R01", 1, 100.0, None, None, "Europe/Berlin", ("2024-01-01",), None, None)
    return {REGION + "R01": made._replace(**changes)}


def usual_of(one: MeterState, **states: Any) -> Usual | None:
    here, _ = store({1: {METER: one, **states}})
    return read_usual(here, 1, METER, one, SETTINGS.policy())


def known(one: MeterState, **states: Any) -> Usual:
    usual = usual_of(one, **states)
    assert usual is not None
    return usual


def page(one: MeterState, *anomalies: Anomaly, windows: int = 8, **states: Any) -> Reply:
    log = log_of(*anomalies)
    quarters = [window(number, 900) for number in range(windows)]
    log.topics[AGGREGATES_15M.name] = {1: records(*quarters)}
    here = pipeline({1: {METER: one, **states}})
    made = MeterPage(SETTINGS, here, cast(Any, Watch({})), cast(Any, log))
    return cast(Reply, asyncio.run(made.page(request(), METER)))


def html(reply: Reply) -> str:
    return render(reply.template, **reply.data, **reply.shown, here="/meters/", own_url="http://me:1")


def found(reply: Reply) -> list[str]:
    return [one["kind"] for one in reply.data["anomalies"]["anomalies"]]


# -- what is usual


def test_a_meter_of_which_nothing_was_judged_has_no_baseline() -> None:
    assert usual_of(meter()) is None
    reply = page(meter(interval=300 * SECOND))
    assert reply.data["usual"] is None
    assert 'class="usual"' not in html(reply)


def test_the_hour_of_the_last_window_is_in_the_state_of_the_meter_and_the_others_beside_it() -> None:
    stored = beside({AT_TEN: (9 * KW, 9, 3), AT_ELEVEN: (KW, KW // 5, 3)})
    usual = known(meter(habit=habit(level=KW // 2)), **stored)
    assert usual.power(TEN) == pytest.approx((2.5, 2.2, 2.8))
    assert usual.power(TEN + HOUR) == pytest.approx((1.5, 0.9, 2.1))
    assert usual.power(TEN + 2 * HOUR) is None


def test_an_hour_with_too_few_windows_has_no_baseline() -> None:
    stored = beside({AT_ELEVEN: (KW, 0, 2)})
    usual = known(meter(habit=habit(count=2)), **stored)
    assert (usual.power(TEN), usual.power(TEN + HOUR)) == (None, None)
    assert known(meter(habit=habit(count=0))).buckets == {}


def test_days_are_of_their_own_kind() -> None:
    usual = known(meter(habit=habit(SUNDAY_AT_TEN)))
    assert [usual.power(TEN + day * DAY) is None for day in range(-2, 1)] == [False, False, True]


@pytest.mark.parametrize(
    ("changes", "states", "zone"),
    [
        ({}, {}, "UTC"),
        ({"region": "R01"}, {}, "UTC"),
        ({"region": "R01"}, region(), "Europe/Berlin"),
        ({"region": "R01"}, region(timezone=None), "UTC"),
        ({"region": "R01", "terms": Terms(zone="Asia/Tokyo")}, region(), "Asia/Tokyo"),
        ({"region": "R01", "calendar": Calendar("1d", "Asia/Seoul")}, region(), "Asia/Seoul"),
        (
            {"calendar": Calendar("1d", "Asia/Seoul"), "terms": Terms(zone="Asia/Tokyo")},
            {},
            "Asia/Tokyo",
        ),
    ],
)
def test_the_zone_is_that_of_the_meter_else_of_its_region_else_of_the_settings(
    changes: dict[str, Any], states: dict[str, Any], zone: str
) -> None:
    usual = known(meter(habit=habit(), **changes), **states)
    assert usual.zone == zone
    assert usual.holidays == (("2024-01-01",) if states else ())


def test_a_holiday_of_the_region_is_no_working_day() -> None:
    one = meter(habit=habit(SUNDAY_AT_TEN), region="R01")
    assert known(one, **region(timezone=None)).power(TEN) is not None
    assert known(one, **region(timezone=None, holidays=())).power(TEN) is None


def test_long_windows_have_a_bucket_for_each_kind_of_day() -> None:
    usual = known(meter(interval=DAY, habit=habit(0, length=DAY)))
    assert usual.power(TEN) == usual.power(TEN + 9 * HOUR) == pytest.approx((2.0, 1.7, 2.3))
    assert usual.power(TEN - DAY) is None
    described = usual.describe()
    assert described["buckets_possible"] == 2
    assert described["buckets"] == [{"working_day": True, "hour": None, "mean_kw": 2.0, "deviation_kw": 0.1}]


def test_the_page_says_how_much_is_known() -> None:
    stored = beside({AT_ELEVEN: (KW, 0, 3), SUNDAY_AT_TEN: (KW, 0, 1)})
    reply = page(meter(interval=300 * SECOND, habit=habit(level=-KW // 4)), **stored)
    said = reply.data["usual"]
    assert (said["length_seconds"], said["level_kw"], said["buckets_possible"]) == (900, -0.25, 48)
    assert [(one["working_day"], one["hour"], one["mean_kw"]) for one in said["buckets"]] == [
        (True, 10, 1.75),
        (True, 11, 0.75),
    ]
    shown = html(reply)
    assert "known for 2 of 48 hours, of working days and of others (UTC), -0.25 kW since" in shown
    assert "Judged are its windows of 15 min." in shown


# -- in the plots


def test_judged_windows_are_plotted_with_what_is_usual_and_the_anomalies() -> None:
    one = meter(interval=300 * SECOND, habit=habit())
    reply = page(one, anomaly(METER, 2), closed(anomaly(METER, 3, "LEVEL_SHIFT")))
    svg = reply.shown["window_plots"][900]["wide"]
    assert svg.count('class="usual"') == 1
    assert svg.count('class="span spike"') == svg.count('class="span level-shift"') == 1
    assert "SPIKE, medium, OPEN: 3.6 kW, usually 1.2 kW" in svg
    assert reply.shown["plots"]["wide"].count("usual") == 0
    assert html(reply).count("usual now: mean ± 3 deviations") == 1


def test_windows_of_another_length_are_plotted_without() -> None:
    reply = page(meter(interval=10 * SECOND, habit=habit(length=MINUTE)), anomaly(METER, 2))
    assert "usual" not in reply.shown["window_plots"][900]["wide"]


def test_readings_of_a_meter_whose_windows_are_judged_are_plotted_without() -> None:
    reply = page(meter(interval=300 * SECOND, habit=habit()), anomaly(METER, 0), windows=0)
    assert "usual" not in reply.shown["plots"]["wide"]
    assert "Judged are its windows of 15 min." in html(reply)


@pytest.mark.parametrize(("anchor", "lag"), [("start", 0), ("end", 1)])
def test_of_a_meter_whose_slots_are_judged_the_readings_are_plotted_with_it(anchor: str, lag: int) -> None:
    half = 30 * MINUTE
    one = meter(
        interval=half,
        given=True,
        terms=Terms(anchor=anchor),
        recent=recent_of([(TEN, 1.0)]),
        habit=habit(length=half),
    )
    spike = anomaly(METER, -2 * lag)
    reply = page(one, spike, windows=0)
    svg = reply.shown["plots"]["wide"]
    assert svg.count('class="usual"') == 1
    assert svg.count('class="span spike"') == 1
    [bar], [sign] = (
        re.findall(r'class="bar reading" x="([0-9.]+)"', svg),
        re.findall(r"translate\(([0-9.]+)", svg),
    )
    assert bar == sign
    shown = html(reply)
    assert shown.count("usual now: mean ± 3 deviations") == 1
    assert "Judged are its readings of 30 min." in shown
    step = known(one).energy_step(TEN, half, TEN + lag * half)
    assert step == pytest.approx((TEN + lag * half, 1.0, 0.85, 1.15))


def test_local_days_are_plotted_with_what_is_usual_on_such_days() -> None:
    days = MeterState(TEN - 10 * HOUR, DAY, True, Calendar("1d", "UTC"))
    days.habit = habit(0, length=DAY)
    reply = page(days, windows=0)
    # Working days only: Friday, and Monday on.
    assert reply.shown["plots"]["wide"].count('class="usual"') == 2


# -- anomalies


def test_the_newest_revision_of_each_anomaly_is_there_the_newest_anomaly_first() -> None:
    drop, gone = anomaly(METER, 1, "DROP"), anomaly(METER, 6)
    reply = page(
        meter(), drop, anomaly(METER, 4, "ZERO_RUN"), closed(drop), gone, retracted(gone), anomaly("other")
    )
    assert found(reply) == ["ZERO_RUN", "DROP"]
    assert [one["state"] for one in reply.data["anomalies"]["anomalies"]] == ["OPEN", "CLOSED"]
    shown = html(reply)
    assert "1 more was retracted" in shown
    assert f'<a href="/anomalies/?meter={METER}&amp;state=all">' in shown


def test_of_many_the_newest_are_shown() -> None:
    reply = page(meter(), *(anomaly(METER, number) for number in range(MOST_SHOWN + 5)))
    assert len(found(reply)) == MOST_SHOWN
    assert reply.data["anomalies"]["anomalies"][0]["window_start"] == anomaly(METER, 54).window_start
    assert "The newest 50 of 55." in html(reply)


def test_a_meter_without_anomalies_says_so() -> None:
    reply = page(meter())
    assert reply.data["anomalies"]["none_because"] == "not in the last 20,000 records of its partition"
    assert '<p id="anomalies">None: not in the last' in html(reply)


def test_without_brokers_the_page_is_there_and_says_so() -> None:
    class Away:
        async def read(self, *asked: Any) -> None:
            raise Problem(503, f"{ANOMALIES.name} cannot be read: away")

    made = MeterPage(SETTINGS, pipeline({1: {METER: meter()}}), cast(Any, Watch({})), cast(Any, Away()))
    reply = cast(Reply, asyncio.run(made.page(request(), METER)))
    assert reply.data["anomalies"]["none_because"] == "anomalies cannot be read: away"
    html(reply)


def test_where_nothing_is_judged_the_page_says_why() -> None:
    settings = load_settings(partitions=4, anomaly_on="none")
    made = MeterPage(settings, pipeline({1: {METER: meter()}}), cast(Any, Watch({})), cast(Any, Log()))
    reply = cast(Reply, asyncio.run(made.page(request(), METER)))
    assert "GRIDWATCH_ANOMALY_ON" in html(reply)
