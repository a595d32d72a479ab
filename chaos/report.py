"""The results of seeds, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.run import Result

_NAMED = 10
_LONGEST = 600
SORTS = ("lost", "in excess", "different")


def print_result(console: Console, result: Result) -> None:
    """Print the result of one seed."""

    def say(text: str, style: str = "") -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    for note in result.notes:
        say(f"note: {note}")
    for service, times in Counter(one.service for one in result.exits).items():
        say(f"{service} exited by itself: {times}", "yellow")
    for one in result.exits[:2]:
        say(one.log_excerpt, "dim")
    if result.error:
        say(f"{_name(result)}: {result.error}", "red")
    for difference in [*map(str, result.differences), *result.inconsistencies][:_NAMED]:
        say(difference[:_LONGEST], "red")
    verdict = "nothing lost, nothing in excess, nothing different" if result.same else "NOT THE SAME"
    say(
        f"{_name(result)}: {result.injected} faults, {result.seconds:.1f} s, "
        f"{result.compared:,} rows and records compared: {verdict}"
    )


def _name(result: Result) -> str:
    return f"{'replay' if result.of_replay else 'seed'} {result.seed}"


def print_summary(console: Console, results: Sequence[Result], seconds: float) -> None:
    """Print all results as a table."""
    table = Table(title=f"{len(results)} runs in {seconds:.0f} s", title_justify="left")
    for name in ("", "faults", *SORTS, "inconsistent", "exits by itself", "compared", "s"):
        table.add_column(name, justify="right", no_wrap=not name)
    for result in results:
        table.add_row(
            _name(result),
            str(result.injected),
            *(str(result.count(sort)) for sort in SORTS),
            str(len(result.inconsistencies)),
            str(len(result.exits)),
            f"{result.compared:,}" if not result.error else "not finished",
            f"{result.seconds:.0f}",
            style="" if result.same else "red",
        )
    table.add_section()
    table.add_row(
        "all",
        str(sum(result.injected for result in results)),
        *(str(sum(result.count(sort) for result in results)) for sort in SORTS),
        str(sum(len(result.inconsistencies) for result in results)),
        str(sum(len(result.exits) for result in results)),
        f"{sum(result.compared for result in results):,}",
        f"{sum(result.seconds for result in results):.0f}",
    )
    console.print(table)


def as_data(result: Result) -> dict[str, Any]:
    """One result as JSON data."""
    return {
        "seed": result.seed,
        "of_replay": result.of_replay,
        "schedule": result.schedule,
        "faults": result.injected,
        "same": result.same,
        **{sort.replace(" ", "_"): result.count(sort) for sort in SORTS},
        "differences": [str(one) for one in result.differences[:100]],
        "inconsistencies": result.inconsistencies[:100],
        "exits": [{"service": one.service, "log": one.log_excerpt} for one in result.exits],
        "notes": result.notes,
        "error": result.error,
        "compared": result.compared,
        "seconds": round(result.seconds, 1),
    }
