"""Progress of a long run on stderr: live in a terminal, else one line at the start and end of each stage."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column


class Stage:
    """One running stage."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self.last = ""

    def detail(self, text: str) -> None:
        """Show the progress in a few words; in a terminal this replaces the previous text."""
        self.last = text
        self._progress.update(self._task, detail=escape(text))

    def note(self, line: str) -> None:
        """Print a permanent line."""
        self._progress.console.print(line, highlight=False, markup=False, soft_wrap=True)


class Stages:
    """Shows the progress of stages; a context manager that releases the terminal at its end."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
        self._live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            # The column that is shortened where the terminal is narrow.
            TextColumn(
                "[dim]{task.fields[detail]}[/]",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            TimeElapsedColumn(),
            console=self.console,
            expand=True,
            redirect_stdout=False,  # results are for stdout, also in a terminal
            disable=not self._live,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def release_terminal(self) -> None:
        """Release the terminal for other output; later stages are printed as plain lines."""
        self._progress.stop()
        self._live = False

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Show `name` as running until the block ends."""
        began = time.monotonic()
        task = self._progress.add_task(escape(name), total=None, detail="")
        stage = Stage(self._progress, task)
        if not self._live:
            stage.note(f"{name} …")
        try:
            yield stage
        except BaseException:
            # Not finished: no spinner, no tick.
            self._progress.update(task, description=f"[red]{escape(name)}[/]")
            self._progress.stop_task(task)
            raise
        self._progress.update(task, total=1, completed=1)
        if not self._live:
            stage.note(f"  {stage.last + ', ' if stage.last else ''}{time.monotonic() - began:.1f} s")
