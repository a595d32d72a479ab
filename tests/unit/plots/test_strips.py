"""A day in a line of a table: each cell at its place, by its level, and said in words, too."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest

from gridwatch.plots.strips import LEVELS, Cell, level_of, small_line, strip
from gridwatch.plots.style import STYLE

SVG = "{http://www.w3.org/2000/svg}"


def test_each_cell_is_at_its_place_in_its_level_with_a_title() -> None:
    cells = [Cell(0, 10.0, False, "low"), Cell(3, 95.0, False, "high <1>"), Cell(5, None, False, "?")]
    drawn = ET.fromstring(strip('a "day"', cells, 6))
    assert [
        (one.get("class"), one.get("x"), one.findtext(f"{SVG}title")) for one in drawn.iter(f"{SVG}rect")
    ] == [
        ("level-0", "0", "low"),
        ("level-4", "30", "high <1>"),
        ("unsure", "50", "?"),
    ]
    assert (drawn.get("aria-label"), drawn.get("viewBox")) == ('a "day"', "0 0 60 24")


def test_what_is_not_known_and_what_lacks_a_part_have_a_shape_of_their_own() -> None:
    drawn = ET.fromstring(strip("", [Cell(1, None, False, ""), Cell(2, 50.0, True, "")], 3))
    assert [(one.get("class"), one.get("d")) for one in drawn.iter(f"{SVG}path")] == [
        ("hatch", "M10,24l10,-24"),
        ("partial", "M20,21h10"),
    ]
    assert "<path" not in strip("", [Cell(1, 50.0, False, "")], 3)


@pytest.mark.parametrize(
    ("value", "level"),
    [(-5.0, 0), (39.9, 0), (40.0, 1), (60.0, 2), (80.0, 3), (90.0, 4), (100.0, 5), (400.0, 5)],
)
def test_a_level_begins_at_the_end_of_the_one_before(value: float, level: int) -> None:
    assert level_of(value) == level


def _lightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_levels_are_told_apart_by_their_lightness_alone(dark: bool) -> None:
    sheet = STYLE.partition("@media")[2 if dark else 0]
    colours = [sheet.partition(f"--level-{level}: ")[2][:7] for level in range(len(LEVELS) + 1)]
    lightness = [_lightness(colour) for colour in colours]
    assert lightness == sorted(lightness, reverse=not dark)
    ratios = [(max(pair) + 0.05) / (min(pair) + 0.05) for pair in itertools.pairwise(lightness)]
    assert min(ratios) > 1.15


def test_a_small_line_is_broken_where_nothing_is_known() -> None:
    drawn = ET.fromstring(small_line("load", [(0, 1.0), (1, 2.0), (4, 4.0)], 5, 4.0))
    assert [one.get("points") for one in drawn.iter(f"{SVG}polyline")] == [
        "0,20.5 10,20.5 10,14.0 20,14.0",
        "40,1.0 50,1.0",
    ]


def test_a_small_line_of_nothing_and_of_zeros_is_there() -> None:
    assert "polyline" not in small_line("load", [], 5, 1.0)
    assert 'points="0,27.0 10,27.0"' in small_line("load", [(0, 0.0)], 5, 0.0)
