"""What is wrong with a file: every problem counted, the first ones shown with line, field and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gridwatch.errors import GridwatchError

#: Problems that are shown; the others are counted.
SHOWN = 50


class Problem(NamedTuple):
    """One thing that is wrong in one line."""

    line: int
    field: str
    message: str
    remedy: str

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return self._asdict()


class Problems:
    """Collects problems; keeps those of the lowest lines."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Add one."""
        self.count += 1
        self._kept.append(problem)
        if len(self._kept) > 4 * SHOWN:
            self._kept = self.shown

    def add_counted(self, first: Iterable[Problem], count: int) -> None:
        """Add `count` problems, of which the first ones are given."""
        given = list(first)
        for problem in given:
            self.add(problem)
        self.count += count - len(given)

    @property
    def shown(self) -> list[Problem]:
        """The first ones, by line."""
        return sorted(self._kept)[:SHOWN]


class RefusedError(GridwatchError):
    """Rows that cannot be applied: nothing of them was."""

    def __init__(self, source: str, problems: Problems, *, by_line: bool = True) -> None:
        self.problems = problems
        plural = "" if problems.count == 1 else "s"
        lines = [f"{source}: nothing was changed: {problems.count:,} error{plural}"]
        for one in problems.shown:
            where = f"line {one.line}, {one.field}" if by_line else one.field
            lines.append(f"  {where}: {one.message}" + (f"; {one.remedy}" if one.remedy else ""))
        if problems.count > len(problems.shown):
            lines.append(f"  … and {problems.count - len(problems.shown):,} more")
        super().__init__("\n".join(lines), "correct them, then do it again: it is all or nothing")
