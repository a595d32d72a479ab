"""Pages with tables that are made: what stands between a table's marks is made anew, all else is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Tables = Mapping[str, Callable[[], str]]
"""What makes the text of a table, by its name."""


def renewed(page: str, tables: Tables) -> str:
    """The page with its tables as they are now. KeyError for a table that there is not."""
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found[2]]()}{found[3]}", page)


def renew(pages: Iterable[Path], tables: Tables) -> None:
    """Write the pages anew."""
    for path in pages:
        path.write_text(renewed(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )
