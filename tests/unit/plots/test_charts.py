"""Plots: one svg, nothing of the data lost or let through as markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from gridwatch.plots.axes import DAY, HOUR, MINUTE, time_ticks, value_ticks
from gridwatch.plots.canvas import Frame, Mark, Region
from gridwatch.plots.charts import Layer, Series, bars, layered, lines

START = 1_704_103_200_000_000  # 2024-01-01T10:00:00Z
SVG = "{http://www.w3.org/2000/svg}"


def frame(**changes: object) -> Frame:
    given_ = {"title": "readings", "unit": "kWh", "start": START, "end": START + 6 * HOUR} | changes
    return Frame(**given_)  # type: ignore[arg-type]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def test_every_point_is_one_bar_at_its_time_and_height() -> None:
    drawn = parsed(bars(frame(), [(START, 1.0), (START + 3 * HOUR, 2.0)], 30 * MINUTE))
    rectangles = [one for one in drawn.iter(f"{SVG}rect") if "bar" in one.attrib.get("class", "").split()]
    assert len(rectangles) == 2
    first, second = rectangles
    assert float(first.attrib["x"]) == 52.0
    assert float(second.attrib["x"]) == 52.0 + (760 - 52 - 12) / 2
    assert abs(float(second.attrib["height"]) - 2 * float(first.attrib["height"])) < 0.2
    assert first.findtext(f"{SVG}title") == "2024-01-01 10:00: 1 kWh"


def test_a_reading_of_zero_is_still_seen() -> None:
    drawn = parsed(bars(frame(), [(START, 0.0), (START + HOUR, 5.0)], 30 * MINUTE))
    heights = [
        float(one.attrib["height"])
        for one in drawn.iter(f"{SVG}rect")
        if "bar" in one.attrib.get("class", "").split()
    ]
    assert heights[0] > 0


def test_bars_of_one_time_stand_on_each_other_when_stacked() -> None:
    layers = [Layer("on time", [(START, 3.0)]), Layer("late", [(START, 1.0), (START + HOUR, 0.0)], "late")]
    drawn = parsed(layered(frame(), layers, HOUR, stacked=True))
    below, above = (one for one in drawn.iter(f"{SVG}rect") if "bar" in one.attrib.get("class", ""))
    assert above.get("class") == "bar late"
    assert abs(float(above.attrib["y"]) + float(above.attrib["height"]) - float(below.attrib["y"])) < 0.2
    assert abs(float(below.attrib["height"]) - 3 * float(above.attrib["height"])) < 0.3


def test_late_bars_have_a_sign_so_that_they_are_told_apart_without_colours() -> None:
    layers = [Layer("on time", [(START, 3.0)]), Layer("late", [(START + HOUR, 1.0)], "late")]
    drawn = parsed(layered(frame(), layers, HOUR))
    assert [one.get("class") for one in drawn.iter(f"{SVG}path")] == ["sign late"]


def test_a_region_is_cut_to_the_plot_and_one_outside_is_left_out() -> None:
    inside = Region(START - HOUR, START + HOUR, "open", "open gap")
    outside = Region(START - 3 * HOUR, START - 2 * HOUR, "missing", "gone")
    drawn = parsed(bars(frame(regions=[inside, outside]), [], MINUTE))
    regions = [one for one in drawn.iter(f"{SVG}rect") if (one.get("class") or "").startswith("region")]
    assert [one.get("class") for one in regions] == ["region open"]
    assert float(regions[0].attrib["x"]) == 52.0
    assert abs(float(regions[0].attrib["width"]) - (760 - 52 - 12) / 6) < 0.1


def test_titles_labels_and_names_cannot_become_markup() -> None:
    evil = '<script>alert("1")</script>&\''
    marks = [Mark(START + HOUR, evil)]
    regions = [Region(START, START + HOUR, evil, evil)]
    svg = lines(
        frame(title=evil, unit=evil, marks=marks, regions=regions),
        [Series(evil, [(START, 1.0)]), Series("b", [(START, 2.0)])],
    )
    assert "<script" not in svg
    assert parsed(svg).findtext(f"{SVG}title") == evil


def test_a_long_series_is_thinned_but_keeps_its_peak_and_its_trough() -> None:
    points = [(START + number * 1_000_000, 10.0) for number in range(21_600)]
    points[7_777] = (points[7_777][0], 99.0)
    points[8_888] = (points[8_888][0], -5.0)
    drawn = parsed(lines(frame(), [Series("one", points)]))
    line = next(drawn.iter(f"{SVG}polyline"))
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(places) < 2_000
    heights = sorted({y for _, y in places})
    assert len(heights) == 3
    assert heights[0] < 14  # the peak, just below the top label of 100
    assert sum(y == heights[2] for _, y in places) == 1  # the trough


def test_an_empty_plot_still_has_its_axes() -> None:
    drawn = parsed(lines(frame(), [Series("nothing", [])]))
    labels = [one.text for one in drawn.iter(f"{SVG}text")]
    assert "Jan 1 10:00" in labels
    assert "12:00" in labels


def test_time_labels_lie_on_round_instants_and_name_the_day_at_midnight() -> None:
    ticks = time_ticks(START + 7, START + DAY, 8)
    assert all(at % (3 * HOUR) == 0 for at, _ in ticks)
    assert "Jan 2" in [label for _, label in ticks]


@given(st.integers(-(10**15), 4 * 10**15), st.integers(1, 10**15), st.integers(1, 12))
def test_time_labels_are_few_and_inside(start: int, length: int, most: int) -> None:
    ticks = time_ticks(start, start + length, most)
    assert len(ticks) <= most + 1
    assert all(start <= at <= start + length for at, _ in ticks)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_value_labels_enclose_the_values(low: float, height: float) -> None:
    ticks = value_ticks(low, low + height)
    slack = (abs(low) + height) * 1e-6
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + height - slack
    assert 2 <= len(ticks) <= 9
