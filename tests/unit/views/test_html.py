"""Pages as HTML: what is shown is escaped, and links lead to where they say."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.views.html import (
    assets,
    duration,
    meter_path,
    number,
    percent,
    readable,
    render,
    stretch,
    stylesheet,
)
from gridwatch.views.rankings import USUAL

EVIL = "\"><script>alert(1)</script>'&/../é"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_the_link_to_a_meter_is_one_segment_that_decodes_to_its_id(meter_id: str) -> None:
    path = meter_path(meter_id)
    if meter_id in (".", ".."):
        assert path == f"/meters/?id={meter_id}"
        return
    parts = urlsplit(path)
    assert (parts.query, parts.fragment) == ("", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "meters", meter_id, ""]


def test_a_meter_id_that_is_html_stays_text() -> None:
    meter = {
        "meter_id": EVIL,
        "partition": 1,
        "last_seen": "2024-01-01T10:00:00Z",
        "expected_next": "2024-01-01T10:30:00Z",
        "interval_minutes": 30,
        "gap_count": 0,
        "late_count": 0,
        "open_gaps": 0,
    }
    data = {"meters": [meter], "prefix": EVIL, "after": EVIL, "limit": 50, "total": 1, "next": EVIL}
    more = {"sort": "meter_id", "order": "asc", "looked": 0, "complete": True, "usual": USUAL}
    page = render("meters.html", **data, **more, incomplete=[EVIL], here="/meters/", worker=EVIL)
    assert page.count("<script") == page.count('<script src="/live.js" defer></script>') == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'value="&#34;&gt;&lt;script' in page


def test_a_problem_page_shows_its_reasons_as_text() -> None:
    page = render("problem.html", status=404, phrase="Not Found", reasons=[EVIL], here="", worker="x")
    assert "<script>" not in page
    assert "404 Not Found" in page


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2024-01-01T10:00:00Z", "2024-01-01 10:00"),
        ("2024-01-01T10:00:07Z", "2024-01-01 10:00:07"),
        ("2024-01-01T10:00:00.5Z", "2024-01-01 10:00:00.5"),
    ],
)
def test_instants_are_short_to_read_and_exact_for_machines(instant: str, shown: str) -> None:
    assert readable(instant) == f'<time datetime="{instant}">{shown}</time>'


def test_fractions_are_left_out_where_nobody_reads_them() -> None:
    assert readable("2024-01-01T10:00:07.25Z", to_seconds=True).endswith(">2024-01-01 10:00:07</time>")


def test_what_is_not_known_is_a_dash() -> None:
    assert readable(None) == number(None) == duration(None) == percent(None) == "–"


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0.0 %"), (0.0004, "< 0.1 %"), (0.072, "7.2 %"), (1.0, "100.0 %")]
)
def test_a_share_that_is_there_is_never_shown_as_nothing(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_a_stretch_within_a_day_names_the_day_once() -> None:
    within = stretch("2024-01-01T10:00:00Z", "2024-01-01T11:30:00Z")
    across = stretch("2024-01-01T23:30:00Z", "2024-01-02T00:30:00Z")
    assert within.endswith(">11:30</time>")
    assert across.endswith(">2024-01-02 00:30</time>")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 s"),
        (45.4, "45.4 s"),
        (720, "12 min"),
        (3 * 3600 + 1200, "3 h 20 min"),
        (2 * 86400, "2 d"),
        (-5, "−5 s"),
    ],
)
def test_durations_are_in_units_that_fit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_what_pages_load_asks_for_nothing_from_outside() -> None:
    for path, (_, text) in assets().items():
        assert path.startswith("/")
        assert "url(" not in text
        assert "@import" not in text
        assert "//" not in re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE).replace("http://www.w3.org/", "")
    assert ".plot .bar" in stylesheet()
