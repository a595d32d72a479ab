"""Marked time ranges: each in a row of its own above the data, and in a few rows at most."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from gridwatch.plots.axes import HOUR
from gridwatch.plots.canvas import Mark
from gridwatch.plots.charts import bars
from gridwatch.plots.spans import MOST_ROWS, Span
from tests.unit.plots.test_charts import START, SVG, frame, parsed

END = START + 6 * HOUR


def span(start: float, end: float | None = None, label: str = "SPIKE") -> Span:
    until = None if end is None else START + int(end * HOUR)
    return Span(START + int(start * HOUR), until, label, f"{label} <of> {start}", "spike")


def drawn(*spans: Span, **changes: object) -> ET.Element:
    return parsed(bars(frame(spans=spans, **changes), [(START, 1.0)], HOUR))


def groups(plot: ET.Element) -> list[ET.Element]:
    return [one for one in plot.iter(f"{SVG}g") if one.attrib["class"] == "span spike"]


def row_of(group: ET.Element) -> float:
    [line] = [one for one in group.iter(f"{SVG}line") if one.attrib["class"] == "range"]
    assert line.attrib["y1"] == line.attrib["y2"]
    return float(line.attrib["y1"])


def reach(group: ET.Element) -> tuple[float, float]:
    [line] = [one for one in group.iter(f"{SVG}line") if one.attrib["class"] == "range"]
    return float(line.attrib["x1"]), float(line.attrib["x2"])


def test_a_range_reaches_from_its_beginning_to_its_end_and_says_what_it_is() -> None:
    [group] = groups(drawn(span(0, 3)))
    assert reach(group) == (52.0, 52.0 + (760 - 52 - 12) / 2)
    assert group.findtext(f"{SVG}title") == "SPIKE <of> 0"
    assert [text.text for text in group.iter(f"{SVG}text")] == ["SPIKE"]
    assert len(list(group.iter(f"{SVG}path"))) == 1


def test_one_that_is_not_over_reaches_to_the_end_and_one_begun_before_has_no_beginning() -> None:
    [group] = groups(drawn(span(-5)))
    assert reach(group) == (52.0, 748.0)
    assert list(group.iter(f"{SVG}path")) == []


def test_what_is_not_in_the_plot_is_not_drawn() -> None:
    assert groups(drawn(span(-5, -1), span(6, 7), span(9))) == []


def test_those_that_overlap_are_in_rows_below_each_other_and_the_data_below_all() -> None:
    plot = drawn(span(0, 2), span(1, 3), span(4, 5), marks=[Mark(START + HOUR, "watermark")])
    first, second, third = (row_of(one) for one in groups(plot))
    assert first == third < second
    [bar] = [one for one in plot.iter(f"{SVG}rect") if "bar" in one.attrib["class"].split()]
    assert second < float(bar.attrib["y"])
    assert float(plot.attrib["viewBox"].split()[3]) == 220 + 3 * 13


def test_the_label_of_one_at_the_end_is_before_it() -> None:
    [group] = groups(drawn(span(5.9, label="LOW_POWER_FACTOR")))
    [text] = group.iter(f"{SVG}text")
    assert text.attrib["text-anchor"] == "end"


@given(starts=st.lists(st.floats(-1, 7), max_size=40), lasting=st.floats(0, 5))
def test_very_many_have_a_few_rows_and_none_is_left_out(starts: list[float], lasting: float) -> None:
    plot = drawn(*(span(start, start + lasting) for start in starts))
    shown = groups(plot)
    inside = [
        one
        for one in starts
        if START + int(one * HOUR) < END and START + int((one + lasting) * HOUR) >= START
    ]
    assert len(shown) == len(inside)
    assert len({row_of(one) for one in shown}) <= MOST_ROWS
    labelled = [one for one in shown if list(one.iter(f"{SVG}text"))]
    for one in labelled:
        for other in labelled:
            if one is not other and row_of(one) == row_of(other):
                assert reach(one)[1] <= reach(other)[0] or reach(other)[1] <= reach(one)[0]


def test_a_label_that_is_html_stays_text() -> None:
    svg = bars(frame(spans=[span(0, 1, "<script>")]), [], HOUR)
    assert not re.search("<script", svg)
