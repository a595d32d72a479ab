"""The worker's pages as HTML: what is shown is escaped, and links lead to where they say."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.views.lists.rankings import USUAL
from gridwatch.views.rendering import NAVIGATION, deviation, incident_path, meter_path, region_path, render

EVIL = "\"><script>alert(1)</script>'&/../é"


@pytest.mark.parametrize(
    ("room", "path_of"), [("meters", meter_path), ("regions", region_path), ("incidents", incident_path)]
)
@given(name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_link_is_one_segment_that_decodes_to_the_name(
    room: str, path_of: Callable[[str], str], name: str
) -> None:
    path = path_of(name)
    if name in (".", ".."):
        assert path == f"/{room}/?id={name}"
        return
    parts = urlsplit(path)
    assert (parts.query, parts.fragment) == ("", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", room, name, ""]


def test_a_meter_id_that_is_html_stays_text() -> None:
    meter = {
        "meter_id": EVIL,
        "partition": 1,
        "last_seen": "2024-01-01T10:00:00Z",
        "expected_next": "2024-01-01T10:30:00Z",
        "interval_minutes": 30,
        "interval_seconds": 1800,
        "gap_count": 0,
        "late_count": 0,
        "open_gaps": 0,
        "calendar": None,
    }
    data = {"meters": [meter], "prefix": EVIL, "after": EVIL, "limit": 50, "total": 1, "next": EVIL}
    more = {"sort": "meter_id", "order": "asc", "looked": 0, "complete": True, "usual": USUAL}
    page = render("meters.html", **data, **more, incomplete=[EVIL], here="/meters/", own_url=EVIL)
    assert page.count("<script") == page.count('<script src="/live.js" defer></script>') == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'value="&#34;&gt;&lt;script' in page


def test_every_page_links_to_the_others_and_marks_its_own() -> None:
    page = render(
        "problem.html", status=404, phrase="Not Found", reasons=[], here="/gaps/", own_url="http://me:1"
    )
    assert all(f'<a href="{path}"' in page for path, _ in NAVIGATION)
    assert page.count('aria-current="page"') == page.count('<a href="/gaps/" aria-current="page">') == 1
    assert "Worker http://me:1" in page


@pytest.mark.parametrize(
    ("percent", "shown"),
    [(120.5, "+120.5_%"), (-98.0, "−98_%"), (0.0, "+0_%"), (12345.6, "+12_346_%"), (-999.9, "−999.9_%")],
)
def test_a_deviation_has_a_sign(percent: float, shown: str) -> None:
    assert deviation(percent) == shown.replace("_", "\u202f")
