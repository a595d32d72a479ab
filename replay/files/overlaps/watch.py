"""The walks of all series while their rows are read: almost nothing a row, as long as readings are regular.

A series is a meter with the interval that its rows state and the device that they name, where these differ.
Many rows are compared at once with what each of their series is expected to have next; only the series that
have something else are gone through one by one. Kept of a series are some numbers, however long it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress, count, pairwise, repeat
from operator import itemgetter, ne

from replay.files.overlaps.walk import Walk
from replay.files.rows import Row
from replay.files.versions import Marked

_interval = itemgetter(3)
#: Where no step is known yet: no time of a reading.
_NONE = -(1 << 62)
_BETWEEN = "\0"
#: Rows of a meter in a row, on average, from which on they are taken meter by meter.
_IN_A_ROW = 8


class _Expected(dict[str, "Iterator[int]"]):
    """Name of a series → the times that it is expected to have next."""

    def __missing__(self, name: str) -> Iterator[int]:
        self[name] = never = repeat(_NONE)
        return never


class StepWatch:
    """Takes the rows of all files, block by block."""

    def __init__(self) -> None:
        self._walks: dict[str, Walk] = {}
        self._expected = _Expected()
        #: The interval that rows state (minutes), as long as all state the same one.
        self._interval: int | None = None

    def see(self, block: list[Row], times: list[int], names: list[str], turns: list[int] | None) -> None:
        """Take the next rows, at least one, with their times and meters; `turns` are where a meter's rows
        begin after another one's, None if meters are known not to lie together."""
        if self._interval is None:
            self._interval = block[0][3]
        if isinstance(block[0][4], Marked) or list(map(_interval, block)).count(self._interval) < len(block):
            names, turns = list(map(self._name, block)), None
        if turns is not None and len(turns) * _IN_A_ROW < len(names):
            for start, end in pairwise([0, *turns, len(names)]):
                name = names[start]
                self._walk(name, next(self._expected[name]), times[start:end])
        else:
            self._see_many(times, names)

    def _name(self, row: Row) -> str:
        """The name of the series that a row is of: that of its meter, as long as nothing else is stated."""
        _, meter, _, interval, members = row
        device = members.device if isinstance(members, Marked) else ""
        if interval == self._interval and not device:
            return meter
        return f"{meter}{_BETWEEN}{interval}{_BETWEEN}{device}"

    def finish(self) -> Iterator[tuple[str, int, str, Walk]]:
        """Meter, stated interval (minutes, 0 unknown), device and walk of each series; the watch is over."""
        walks, self._walks = self._walks, {}
        for name, expected in self._expected.items():
            walk = walks.pop(name)
            _bring(walk, next(expected))
            if _BETWEEN in name:
                meter, stated, device = name.split(_BETWEEN)
                yield meter, int(stated), device, walk
            else:
                yield name, self._interval or 0, "", walk
        self._expected.clear()

    def _see_many(self, times: list[int], names: list[str]) -> None:
        expected = list(map(next, map(self._expected.__getitem__, names)))
        if expected == times:
            return
        # What was expected of these series after their first surprise means nothing: they are walked by row.
        theirs: dict[str, list[int]] = {name: [] for name in compress(names, map(ne, expected, times))}
        before: dict[str, int] = {}
        for name, time, awaited in zip(names, times, expected, strict=True):
            if name in theirs:
                before.setdefault(name, awaited)
                theirs[name].append(time)
        for name, of_series in theirs.items():
            self._walk(name, before[name], of_series)

    def _walk(self, name: str, expected: int, times: list[int]) -> None:
        walk = self._walks.get(name)
        if walk is None:
            walk = self._walks[name] = Walk()
        _bring(walk, expected)
        walk.take(times)
        step, last = walk.step, walk.last
        self._expected[name] = count(last + step, step) if step and last is not None else repeat(_NONE)


def _bring(walk: Walk, expected: int) -> None:
    """Bring a walk to where its series is, which is expected to have `expected` next."""
    if expected != _NONE:
        walk.last = expected - walk.step
