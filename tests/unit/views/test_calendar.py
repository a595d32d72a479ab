"""Meters of local days and months on the pages: what is said of them is right on days of 23 and 25 hours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.meter.gaps import CLOSED, Gap
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import DAY, MINUTE
from gridwatch.tables.meter_rows import METER
from gridwatch.views import state
from gridwatch.views.lists.rankings import GapOrder, MeterOrder
from gridwatch.views.meter.anomalies import Found
from gridwatch.views.meter.history import History
from gridwatch.views.meter.plot import meter_plot, picture
from gridwatch.views.rendering import interval, render

BERLIN = Calendar("1d", "Europe/Berlin")
GRACE = 15 * MINUTE


def at(text: str) -> int:
    return parse_instant(f"{text}Z")[0]


def meter(seen: str, calendar: Calendar = BERLIN, *gaps: Gap) -> MeterState:
    made = MeterState(at(seen), 30 * DAY if calendar.unit == "1mo" else DAY, True, calendar)
    made.gaps, made.gap_count = gaps, len(gaps)
    return made


def gap(first: str, last: str) -> Gap:
    return Gap(at(first), at(last), DAY, at(last) + GRACE, state=CLOSED, calendar=BERLIN)


#: Two days without a reading, one of them of 25 hours.
LONG = gap("2023-10-27T22:00", "2023-10-28T22:00")
#: Two days of 47 hours together.
SHORT = gap("2024-03-29T23:00", "2024-03-30T23:00")


def test_the_next_reading_is_expected_at_the_next_local_midnight() -> None:
    shown = state.describe_meter("M", 0, meter("2023-10-28T22:00"))
    assert (shown["expected_next"], shown["calendar"]) == ("2023-10-29T23:00:00Z", "1d Europe/Berlin")
    assert interval(shown) == "1 day (Europe/Berlin)"
    months = state.describe_meter("M", 0, meter("2024-01-31T23:00", Calendar("1mo", "Europe/Berlin")))
    assert (months["expected_next"], interval(months)) == ("2024-02-29T23:00:00Z", "1 month (Europe/Berlin)")


def test_missing_time_is_as_long_as_the_days_were() -> None:
    shown = [state.describe_gap("M", 0, one, GRACE) for one in (LONG, SHORT)]
    assert [one["gap_minutes"] for one in shown] == [49 * 60, 47 * 60]
    assert [one["missing_intervals"] for one in shown] == [2, 2]


def test_lists_are_in_the_order_of_what_they_show() -> None:
    seen = [datetime(2023, 10, 20, 22, tzinfo=UTC) + timedelta(days=n) for n in range(8)]
    meters: dict[str, MeterState] = {f"M{n}": meter(f"{time:%FT%T}") for n, time in enumerate(seen)}
    meters["F"] = MeterState(at("2023-10-28T00:00"), DAY)
    for sort in ("expected_next", "interval_minutes"):
        order = MeterOrder(sort, "asc")
        lines = [
            (rank, order.rank(order.record(made)))
            for name, one in meters.items()
            for rank, made in order.lines(0, name.encode(), METER.encode(one))
        ]
        assert [rank for rank, _ in lines] == [rank for _, rank in lines]
    order = GapOrder(("open", "ended"), GRACE)
    ranked = list(order.lines(0, b"M", METER.encode(meter("2024-05-01T22:00", BERLIN, LONG, SHORT))))
    assert [rank for rank, _ in ranked] == [order.rank(order.record(made)) for _, made in ranked]
    assert sorted(rank for rank, _ in ranked)[0][1] == -49 * 3600


def test_the_plot_has_a_bar_as_wide_as_its_day_and_counts_the_days_that_are_missing() -> None:
    made = meter("2023-10-30T23:00", BERLIN, LONG)
    stamps = ["2023-10-26T22:00", "2023-10-29T23:00", "2023-10-30T23:00"]
    readings: list[Any] = [
        {"timestamp": format_instant(at(one)), "consumption_kwh": 1.0, "status": "OK", "flags": []}
        for one in stamps
    ]
    shown = picture(made, History(readings, 0), GRACE, at("2023-10-31T08:00"))
    assert shown.start <= at("2023-10-26T22:00")
    assert shown.end >= at("2023-11-01T23:00")
    svg = meter_plot("M", made, shown, grace=GRACE, watermark=None)
    assert "CLOSED gap: 2 readings missing from" in svg
    autumn = meter("2023-10-29T23:00")
    there = [
        one | {"timestamp": stamp}
        for one, stamp in zip(
            readings, ("2023-10-27T22:00:00Z", "2023-10-28T22:00:00Z", "2023-10-29T23:00:00Z"), strict=True
        )
    ]
    svg = meter_plot(
        "M", autumn, picture(autumn, History(there, 0), GRACE, None), grace=GRACE, watermark=None
    )
    widths = [float(width) + 1 for width in re.findall(r'class="bar reading"[^>]*? width="([0-9.]+)"', svg)]
    assert len(widths) == 3
    assert abs(widths[1] / widths[0] - 25 / 24) < 0.01
    assert abs(widths[2] / widths[0] - 1) < 0.01


def test_the_meter_page_says_the_calendar() -> None:
    one = meter("2023-10-30T23:00", BERLIN, LONG)
    data = state.describe_meter_fully("M", 0, one, GRACE, None) | {
        "readings": [],
        "readings_whole_from": None,
        "registry": None,
        "outages": [],
        "windows": [],
        "anomalies": Found().describe(judges=True),
        "usual": None,
    }
    html = cast(
        str,
        render(
            "meter.html",
            meter=data,
            plots={},
            window_plots={},
            judged_slots=False,
            history_problem="",
            scanned_records=1,
            here="/meters/",
            own_url="w",
        ),
    )
    assert '<span id="interval">1 day (Europe/Berlin)</span>' in html
    assert "2 d 1 h" in html
