"""Memory and file descriptors of processes over time: sampled, judged for growth, plotted.

Growth is determined after a warm-up: a least-squares line through the remaining samples may rise by no more
than a tenth of the median plus an allowance for noise. Only processes that ran all the time are included. The
warm-up must last until every RocksDB has filled its memtables once, 16 MiB per partition and twice that
during a flush: minutes, at the rate of a soak.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil
from markupsafe import Markup, escape

from gridwatch.plots.canvas import Frame, Region
from gridwatch.plots.charts import Series, lines
from gridwatch.plots.style import STYLE

MEBIBYTE = 1024 * 1024
#: The allowed rise of the line: a share of the median, and an allowance for noise.
_SHARE = 0.10
MEMORY_NOISE = 8.0
FILES_NOISE = 12.0

Points = list[tuple[int, float]]


@dataclass
class Samples:
    """Of a process and its children: (µs since the epoch, MiB resident), and the same of open files."""

    memory: Points = field(default_factory=list)
    files: Points = field(default_factory=list)

    def take(self, pid: int | None) -> None:
        """Add a sample; none while the process does not run."""
        if pid is None:
            return
        now = time.time_ns() // 1000
        try:
            root = psutil.Process(pid)
            tree = [root, *root.children(recursive=True)]
            memory = sum(one.memory_info().rss for one in tree) / MEBIBYTE
            files = sum(one.num_fds() for one in tree)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return
        self.memory.append((now, memory))
        self.files.append((now, float(files)))


@dataclass(frozen=True)
class Growth:
    """The line through the samples after the warm-up: from, to, and the allowed rise."""

    first: float
    last: float
    allowed: float

    @property
    def ok(self) -> bool:
        """Whether the rise is within the allowed one."""
        return self.last - self.first <= self.allowed


def growth(points: Sequence[tuple[int, float]], since: int, noise: float) -> Growth:
    """Judge samples from `since` (µs) on. ValueError with fewer than ten of them."""
    after = [(at, value) for at, value in points if at >= since]
    if len(after) < 10:
        raise ValueError(f"{len(after)} samples after the warm-up are too few: let it go on for longer")
    slope, intercept = statistics.linear_regression([at for at, _ in after], [value for _, value in after])
    first, last = (intercept + slope * at for at in (after[0][0], after[-1][0]))
    return Growth(first, last, _SHARE * statistics.median(value for _, value in after) + noise)


def page(title: str, summary: Sequence[str], samples: Mapping[str, Samples], since: int) -> str:
    """One HTML page with the summary and, for memory and files, a plot of up to four processes each.

    Up to `since` (µs) it was warming up: that part is shaded.
    """
    names = list(samples)
    groups = [names[start : start + 4] for start in range(0, len(names), 4)]
    pictures = [
        _picture(what, unit, {name: of(samples[name]) for name in group}, since)
        for what, unit, of in _KINDS
        for group in groups
    ]
    lines = "".join(f"<li>{escape(line)}</li>" for line in summary)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>body {{ font: 15px system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; }}"
        f"{STYLE}</style><h1>{escape(title)}</h1><ul>{lines}</ul>{''.join(pictures)}</html>"
    )


_KINDS: tuple[tuple[str, str, Callable[[Samples], Points]], ...] = (
    ("Memory", "MiB", lambda samples: samples.memory),
    ("Open files", "files", lambda samples: samples.files),
)


def _picture(what: str, unit: str, series: Mapping[str, Points], since: int) -> Markup:
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        return Markup("")
    start = min(points[0][0] for points in drawn.values())
    end = max(points[-1][0] for points in drawn.values())
    title = f"{what}: {', '.join(drawn)}"
    warm_up = Region(start, since, "unknown", "warm-up")
    frame = Frame(title, unit, start, end, [warm_up])
    drawing = lines(frame, [Series(name, points) for name, points in drawn.items()])
    return Markup("<h2>{}</h2>{}").format(title, drawing)
