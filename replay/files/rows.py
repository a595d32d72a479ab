"""What turns the lines of a file into rows, as the reader of lines sees it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

#: time (µs), meter_id, kWh, interval given with the reading (minutes, 0 = none), further JSON members
#: (`,"region":"N"` or nothing). Rows order as tuples: by time, then meter, whatever file they came from.
Row = tuple[int, str, float, int, str]


class Waiting(Protocol):
    """Rows of a block whose time is not certain yet: the block is kept until it is."""

    waiting: int

    def settle(self, block: list[Row]) -> None:
        """Decide by what is known."""


class NothingWaits:
    """No row ever waits."""

    waiting = 0

    def settle(self, block: list[Row]) -> None:
        """Nothing waits."""


@runtime_checkable
class Numbered(Protocol):
    """A parser that wants to know the line it is given."""

    line: int


class LineParser(Protocol):
    """Turns lines into rows, which it appends to the block; BadCell where a line cannot be read."""

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        """Take the cells of the next line."""

    def finish(self, block: list[Row]) -> None:
        """The file has ended: hand out what is still held; called again after a BadCell."""


@runtime_checkable
class LotParser(LineParser, Protocol):
    """A parser that can take many lines at once, where nothing about them is out of the ordinary."""

    def together(self, lot: list[list[str]]) -> list[Row] | None:
        """The rows of some lines; None, and nothing counted, where they must be taken one by one."""
