"""The files that every page loads: one style sheet, one script, one icon.

They lie in `static/` and are served as files of their own, because the content security policy
(`responses.py`) allows nothing inline.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gridwatch.plots.style import STYLE

_STATIC = Path(__file__).parent / "static"


@cache
def stylesheet() -> str:
    """The style sheet, with the rules for plots."""
    return _read("style.css") + STYLE


@cache
def assets() -> dict[str, tuple[str, str]]:
    """Path → (content type, text) of every asset."""
    return {
        "/style.css": ("text/css", stylesheet()),
        "/live.js": ("text/javascript", _read("live.js")),
        "/icon.svg": ("image/svg+xml", _read("icon.svg")),
    }


def _read(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
