"""Renders pages as HTML: Jinja2 templates with everything escaped.

Escaping is always on, and an undefined name is an error. A server keeps its own pages in the `templates/` of
its package; `base.html`, `problem.html` and `health.html` are those of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from gridwatch.http import formats

#: How often an open page refreshes itself, seconds.
REFRESH_SECONDS = 5


def environment(package: str, service: str, navigation: Sequence[tuple[str, str]]) -> Environment:
    """The templates of a package, on top of the shared ones.

    Args:
        service: what the server calls itself in the footer, such as `Worker`.
        navigation: (path, name) of the pages in the header.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("gridwatch.http")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        time_range=formats.time_range, refresh=REFRESH_SECONDS, service=service, navigation=navigation
    )
    made.filters.update(
        readable=formats.readable,
        readable_after=formats.readable_after,
        duration=formats.duration,
        number=formats.number,
        percent=formats.percent,
        quantity=formats.quantity,
        span=formats.span,
        query=urlencode,
    )
    return made
