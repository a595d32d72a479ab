"""Sorted runs of rows on disk, merged block by block.

All rows before the least of the runs' last loaded rows are final, and one sort of that little is faster than
a heap of rows: it finds the runs again and merges them in C. Runs follow each other as their rows do in the
source, so rows with the same time and meter come out run by run, also where they go on in a run's next block.
"""

from __future__ import annotations

import marshal
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gridwatch.errors import GridwatchError
from replay.files.job import BLOCK_ROWS
from replay.files.rows import Row
from replay.order.row_order import place_of, place_of_marked, put_in_order
from replay.order.run_folder import RunFolder

#: Runs merged at once; each holds a file open and one block in memory.
FAN_IN = 96

#: Stands before each block: read piece by piece from a file, they would take ten times as long.
_LENGTH = struct.Struct("<I")

Blocks = Iterator[list[Row]]


class SortedRuns:
    """Runs in a folder of the replay of some name; `close` must be called.

    `block_rows` is how many rows of each run a merge holds. `on_first` gets the size of the first run
    (bytes), and where it lies.
    """

    def __init__(self, replay: str, block_rows: int, on_first: Callable[[int, Path], None]) -> None:
        self._replay = replay
        self._block_rows = block_rows
        self._on_first = on_first
        self._folder: RunFolder | None = None
        self._sealed = False
        #: Whether rows are marked (see `replay.files.versions`); set before the first of them is added.
        self.marked = False
        self._runs: list[Path] = []
        self._written = 0
        #: The most bytes that lay on disk at once.
        self.peak_bytes = 0

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, rows: list[Row]) -> None:
        """Sort these rows, which are changed, and put them on disk. GridwatchError when they do not fit.

        They come after those of the runs before in the source.
        """
        if not rows:
            return
        put_in_order(rows, marked=self.marked)
        self._write(sliced(rows, self._block_rows))
        if len(self._runs) >= FAN_IN:
            runs, self._runs = self._runs, []
            self._write(self._merge(runs), beside=runs)
            for run in runs:
                run.unlink()

    def merged(self) -> Blocks:
        """All rows in order, some thousand at a time."""
        return self._merge(self._runs)

    def seal(self, memory: Any) -> None:
        """There will be no more rows; `memory` is what `take_over` gives to the replay that goes on."""
        if self._folder is not None:
            self._folder.seal((memory, [run.name for run in self._runs], self.peak_bytes, self.marked))
            self._sealed = True

    def take_over(self) -> Any:
        """Have the sealed runs that a replay of this name left; what it sealed them with, None without."""
        if (left := RunFolder.left(self._replay)) is None:
            return None
        folder, (memory, names, peak_bytes, self.marked) = left
        runs = [folder.path / name for name in names]
        if not all(run.exists() for run in runs):
            folder.remove()
            return None
        self._folder, self._runs, self.peak_bytes = folder, runs, peak_bytes
        self._sealed = True
        return memory

    def close(self, *, interrupted: bool = False) -> None:
        """Remove everything from disk, or, if that is of use to a replay that goes on, leave it."""
        if self._folder is not None:
            if interrupted and self._sealed:
                self._folder.leave()
            else:
                self._folder.remove()
            self._folder = None

    def _merge(self, runs: list[Path]) -> Blocks:
        return _merged([_load(run) for run in runs], marked=self.marked)

    def _write(self, blocks: Blocks, beside: list[Path] | None = None) -> None:
        if self._folder is None:
            self._folder = RunFolder.made(self._replay)
        run = self._folder.path / f"run-{self._written}"
        self._written += 1
        try:
            with run.open("wb") as file:
                for block in blocks:
                    for piece in sliced(block, self._block_rows):
                        packed = marshal.dumps(piece)
                        file.write(_LENGTH.pack(len(packed)) + packed)
        except OSError as problem:
            raise GridwatchError(
                f"sorted rows cannot be written to {run.parent}: {problem.strerror}",
                "make room there, or set TMPDIR to a folder with more",
            ) from problem
        self._runs.append(run)
        lying = sum(one.stat().st_size for one in (*self._runs, *(beside or ())))
        self.peak_bytes = max(self.peak_bytes, lying)
        if self._written == 1:
            self._on_first(lying, run.parent)


def sliced(rows: list[Row], size: int = BLOCK_ROWS) -> Blocks:
    """Rows in blocks of `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _load(run: Path) -> Blocks:
    with run.open("rb") as file:
        while length := file.read(_LENGTH.size):
            packed = file.read(*_LENGTH.unpack(length))
            block: list[Row] = marshal.loads(packed)  # noqa: S302 - our own temporary file
            yield block


def _merged(runs: list[Blocks], *, marked: bool) -> Blocks:
    place: Callable[[Row], Any] = place_of_marked if marked else place_of
    heads = [(block, run) for run in runs if (block := next(run, []))]
    while heads:
        limit = min(place(block[-1]) for block, _ in heads)
        final: list[Row] = []
        cuts = [bisect_left(block, limit, key=place) for block, _ in heads]
        for (block, _), cut in zip(heads, cuts, strict=True):
            final += block[:cut]
        put_in_order(final, marked=marked)
        left: list[tuple[list[Row], Blocks]] = []
        for (block, run), cut in zip(heads, cuts, strict=True):
            rest = block[cut:]
            while rest and place(rest[0]) == limit:
                # Those at the limit, run by run: a run may have more of them than one block holds.
                end = bisect_right(rest, limit, key=place)
                final += rest[:end]
                rest = rest[end:] or next(run, [])
                if len(final) >= BLOCK_ROWS:
                    yield final
                    final = []
            rest = rest or next(run, [])
            if rest:
                left.append((rest, run))
        if final:
            yield final
        heads = left
