"""What the first lines of a file show: the line of its header, whatever stands above it."""

from __future__ import annotations

from collections.abc import Iterable

from replay.files.layout import Start

_WITHIN = 40


def header(start: Start, names: Iterable[str], delimiters: Iterable[str] = (",", ";", "\t")) -> list[str]:
    """The cells, in lower case, of the first line that has all of these names; else none."""
    wanted = set(names)
    for line in range(min(_WITHIN, len(start.lines))):
        for delimiter in delimiters:
            cells = [" ".join(cell.split()) for cell in start.cells(line, delimiter)]
            if wanted <= set(cells):
                return cells
    return []
