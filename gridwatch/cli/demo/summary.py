"""The summary as a table for a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from gridwatch.cli.demo.figures import GAP_STATES, Figures
from replay.scoring.score import Rates

_NAMED_DIFFERENCES = 20


def print_summary(console: Console, figures: Figures, report: Path) -> None:
    """Print the counts, the score, the first twenty differences, and the path of the report."""
    console.print(counts(figures))
    console.print(scores(figures))
    differences = [*map(str, figures.score.differences), *figures.sums.differences]
    for difference in differences[:_NAMED_DIFFERENCES]:
        console.print(difference, style="red", highlight=False, markup=False)
    if len(differences) > _NAMED_DIFFERENCES:
        console.print(f"… and {len(differences) - _NAMED_DIFFERENCES:,} more")
    console.print(f"report: {report}", highlight=False, markup=False, soft_wrap=True)


def rows_of(figures: Figures) -> list[tuple[str, str]]:
    """The counts as (name, value); the report shows the same rows."""
    gaps = ", ".join(
        f"{figures.gap_states[state]:,} {state}" for state in GAP_STATES if figures.gap_states.get(state)
    )
    loads = ", ".join(f"{region} {load:g}%" for region, load in figures.loads.items())
    return [
        ("readings sent", f"{figures.sent:,}"),
        ("… of them delayed", f"{figures.delayed:,}"),
        ("readings withheld", f"{figures.withheld:,}"),
        ("validated", f"{sum(figures.statuses.values()):,}"),
        ("… of them late", f"{figures.statuses.get('LATE', 0):,}"),
        ("too late", f"{figures.rows['late_events']:,}"),
        ("dead letters", f"{figures.rows['dead_letters']:,}"),
        ("gaps", gaps or "none"),
        *((name, str(part)) for name, part in figures.sums.parts.items() if part.judged),
        ("highest load", loads or "none"),
        *((f"rows in {table}", f"{count:,}") for table, count in figures.rows.items()),
        (
            "readings a second",
            f"{figures.sent_per_second:,.0f} sent, {figures.stored_per_second:,.0f} to the database",
        ),
    ]


def rates_of(figures: Figures) -> list[tuple[str, Rates]]:
    """What was injected against what was found."""
    return [
        ("gaps", figures.score.gaps),
        ("late readings", figures.late),
        ("too late readings", figures.score.late),
    ]


def counts(figures: Figures) -> Table:
    """The counts as a table."""
    table = Table(
        title=f"{figures.meters:,} meters, {figures.days:,} days", title_justify="left", show_header=False
    )
    table.add_column("what")
    table.add_column("count", justify="right")
    for name, value in rows_of(figures):
        table.add_row(name, value)
    return table


def scores(figures: Figures) -> Table:
    """Injected against found."""
    table = Table(title="injected against found", title_justify="left")
    table.add_column("")
    for name in ("injected", "found", "matched", "precision", "recall"):
        table.add_column(name, justify="right")
    for name, rates in rates_of(figures):
        style = "" if rates.precision == rates.recall == 1 else "red"
        numbers = (f"{count:,}" for count in (rates.expected, rates.found, rates.matched))
        table.add_row(name, *numbers, f"{rates.precision:.3f}", f"{rates.recall:.3f}", style=style)
    return table
