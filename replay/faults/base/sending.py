"""One reading on its way from the file to the topic, as faults see and change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from replay.faults.base.members import with_energy
from replay.files.rows import Row


class Fate(IntEnum):
    """What becomes of a reading."""

    SENT = 0
    WITHHELD = 1
    #: Sent as bytes that are no reading: the last element of its row, a character a byte.
    GARBAGE = 2


@dataclass(slots=True)
class Sending:
    """`time` (µs) and `meter` are those of the file, which decisions are drawn from; `row` is what is sent.

    It is sent `delay` µs after `time`. `faults` names what was done to it, in order; `sizes` says of some of
    them how much.
    """

    time: int
    meter: str
    row: Row
    delay: int = 0
    fate: Fate = Fate.SENT
    faults: tuple[str, ...] = ()
    sizes: tuple[tuple[str, float], ...] = ()

    def struck(self, kind: str, size: float | None = None) -> None:
        """A fault did something to it, of this size."""
        self.faults = (*self.faults, kind)
        if size is not None:
            self.sizes = (*self.sizes, (kind, size))

    def withhold(self, kind: str) -> None:
        """It is never sent."""
        self.fate = Fate.WITHHELD
        self.struck(kind)

    def put_off(self, delay: int, kind: str) -> None:
        """It is sent `delay` µs later still."""
        self.delay += delay
        self.struck(kind)

    def set_value(self, kwh: float, kind: str, size: float | None = None) -> None:
        """It says another consumption."""
        time, meter, _, given, more = self.row
        self.row = (time, meter, kwh, given, more)
        self.struck(kind, size)

    def use(self, kwh: float, kind: str, size: float) -> None:
        """Its meter used another energy, so that its power is another one, too."""
        self.row = with_energy(self.row, kwh)
        self.struck(kind, size)

    def copy(self, kind: str) -> Sending:
        """Another one like it, which `kind` makes."""
        return replace(self, faults=(*self.faults, kind))
