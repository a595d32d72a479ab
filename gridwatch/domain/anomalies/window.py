"""What is judged: a window of consumption, or a slot of a meter with longer intervals."""

from __future__ import annotations

from typing import NamedTuple

from gridwatch.domain.policy import DAY


class Judged(NamedTuple):
    """[start, start + length) of one meter. Mean power mW, voltage mV, frequency mHz, power factor in
    millionths; None where nothing is known."""

    start: int
    length: int
    power: int | None
    voltage: int | None
    frequency: int | None
    factor: int | None
    stamp: int | None = None
    """Of the reading, if it is a slot."""

    @property
    def end(self) -> int:
        return self.start + self.length


def silence_of(length: int) -> int:
    """After how long without a judged window a meter with windows of this length is silent."""
    return max(DAY, 3 * length)
