"""Progress on stderr: a bar with rate and time left in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Protocol

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

_LINE_SECONDS = 10.0


class Progress(Protocol):
    """Reports how far a stage is; `total` None where that is not known."""

    def stage(self, name: str, total: int | None) -> None:
        """A stage begins."""

    def at(self, done: int) -> None:
        """So many rows of the stage are done."""


class Quiet:
    """No progress: for callers that have their own."""

    def stage(self, name: str, total: int | None) -> None:
        """Say nothing."""

    def at(self, done: int) -> None:
        """Say nothing."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} rows/s")


class Terminal:
    """A bar on a terminal, lines elsewhere; a context manager."""

    def __init__(self) -> None:
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR"))),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._name = ""
        self._total: int | None = None
        self._began = self._reported = time.monotonic()
        self._task = self._bar.add_task("")

    def __enter__(self) -> Terminal:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, name: str, total: int | None) -> None:
        """A stage begins."""
        self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total)
        self._name, self._total = name, total
        self._began = self._reported = time.monotonic()

    def at(self, done: int) -> None:
        """So many rows of the stage are done."""
        self._bar.update(self._task, completed=done)
        now = time.monotonic()
        if self._bar.disable and now - self._reported >= _LINE_SECONDS:
            self._reported = now
            rate = done / (now - self._began)
            rest = (
                f" of {self._total:,}, {(self._total - done) / rate:,.0f} s left"
                if self._total and rate
                else ""
            )
            click.echo(f"{self._name}: {done:,} rows{rest}, {rate:,.0f} rows/s", err=True)

    def warn(self, text: str) -> None:
        """A line that stays, above the bar."""
        self._bar.console.print(
            f"warning: {text}", style="yellow", highlight=False, soft_wrap=True, markup=False
        )
