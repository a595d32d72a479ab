"""Steps with a range around them: each as wide as its window, and nothing drawn where nothing is."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from gridwatch.plots.axes import HOUR, MINUTE
from gridwatch.plots.bands import Level, Step, stepped
from gridwatch.plots.charts import Layer, layered
from tests.unit.plots.test_charts import START, SVG, frame, parsed

SPAN = 30 * MINUTE


def shapes(drawn: ET.Element, kind: str, name: str) -> list[ET.Element]:
    return [one for one in drawn.iter(f"{SVG}{kind}") if name in one.attrib.get("class", "").split()]


def points(shape: ET.Element) -> list[tuple[float, ...]]:
    return [tuple(map(float, pair.split(","))) for pair in shape.attrib["points"].split()]


def test_a_step_is_as_wide_as_its_window_and_the_band_is_around_it() -> None:
    drawn = parsed(stepped(frame(), [Step(START, 2.0, 1.0, 4.0), Step(START + SPAN, 3.0, 2.0, 3.5)], SPAN))
    [line], [band] = shapes(drawn, "polyline", "line"), shapes(drawn, "polygon", "band")
    places = [x for x, _ in points(line)]
    assert places[0] == 52.0
    assert places[1] == places[2]
    assert abs((places[3] - places[2]) - (places[1] - places[0])) < 0.2
    high, low = points(band)[:4], points(band)[4:][::-1]
    for (x, y), (_, above), (_, below) in zip(points(line), high, low, strict=True):
        assert above <= y <= below, x


def test_the_line_is_broken_where_a_window_is_missing() -> None:
    drawn = parsed(stepped(frame(), [Step(START + at * SPAN, 1.0, 1.0, 1.0) for at in (0, 1, 3)], SPAN))
    assert [len(points(one)) for one in shapes(drawn, "polyline", "line")] == [4, 2]
    assert shapes(drawn, "polygon", "band") == []


def test_every_window_says_what_it_is_of() -> None:
    drawn = parsed(stepped(frame(unit="kW"), [Step(START, 2.0, 1.0, 4.0), Step(START + HOUR, 3, 3, 3)], SPAN))
    assert [one.findtext(f"{SVG}title") for one in shapes(drawn, "rect", "hover")] == [
        "2024-01-01 10:00: 2 kW (1 to 4)",
        "2024-01-01 11:00: 3 kW",
    ]


def test_a_level_is_marked_where_its_value_is() -> None:
    levels = [Level(80.0, "80 <%>", "warn")]
    drawn = parsed(stepped(frame(least=100.0), [Step(START, 80.0, 80.0, 80.0)], SPAN, levels))
    [level], [line] = shapes(drawn, "line", "level"), shapes(drawn, "polyline", "line")
    assert float(level.attrib["y1"]) == float(level.attrib["y2"]) == points(line)[0][1]
    assert "80 <%>" in [text.text for text in drawn.iter(f"{SVG}text")]


def test_without_steps_there_is_an_empty_plot() -> None:
    assert shapes(parsed(stepped(frame(), [], SPAN)), "polyline", "line") == []


def test_what_is_usual_is_behind_the_steps_and_inside_the_plot() -> None:
    usual = [Step(START + at * SPAN, 5.0, 4.0, 6.0) for at in (0, 1, 3)]
    drawn = parsed(stepped(frame(), [Step(START, 2.0, 1.0, 3.0)], SPAN, usual=usual))
    bands = shapes(drawn, "polygon", "usual")
    assert [len(points(one)) for one in bands] == [8, 4]
    assert len(shapes(drawn, "polyline", "usual-mean")) == 2
    heights = [y for band in bands for _, y in points(band)]
    assert 12 <= min(heights) < min(y for _, y in points(shapes(drawn, "polyline", "line")[0]))
    kinds = [one.attrib.get("class") for one in drawn.iter() if one.attrib.get("class") in ("usual", "band")]
    assert kinds == ["usual", "usual", "band"]


def test_what_is_usual_is_behind_bars_too_as_wide_as_their_slots() -> None:
    widths = {START: HOUR, START + HOUR: 2 * HOUR}
    usual = [Step(at, 5.0, 4.0, 6.0) for at in widths]
    drawn = parsed(layered(frame(), [Layer("", [(START, 1.0)])], widths.__getitem__, usual=usual))
    [band] = shapes(drawn, "polygon", "usual")
    places = [x for x, _ in points(band)[:4]]
    assert places[1] == places[2]
    assert abs((places[3] - places[2]) - 2 * (places[1] - places[0])) < 0.2
