"""The exceptions of gridwatch.

    GridwatchError          the work failed                            exit 1
    └── UsageProblem        wrong use or wrong settings                exit 2

Each has a message that names the subject (key, file, line, address) and a remedy: the command or change
that fixes it. The command line prints both; services log both and stop.
"""

from __future__ import annotations


class GridwatchError(Exception):
    """The work failed; `remedy` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  remedy: {self.remedy}" if self.remedy else self.message


class UsageProblem(GridwatchError):
    """Wrong use or wrong settings: names the key or option and what is allowed."""

    exit_code = 2
