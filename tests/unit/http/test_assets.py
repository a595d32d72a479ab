"""What every page loads, and from where."""

from __future__ import annotations

import re

from gridwatch.http.assets import assets, stylesheet


def test_what_pages_load_asks_for_nothing_from_outside() -> None:
    for path, (_, text) in assets().items():
        assert path.startswith("/")
        assert "url(" not in text
        assert "@import" not in text
        assert "//" not in re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE).replace("http://www.w3.org/", "")
    assert ".plot .bar" in stylesheet()
