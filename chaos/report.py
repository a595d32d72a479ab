"""How seeds went, for a person and for a machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.run import Outcome

_NAMED = 10
_LONGEST = 600
SORTS = ("lost", "in excess", "different")


def print_outcome(console: Console, outcome: Outcome) -> None:
    """What one seed found, in words."""

    def say(text: str, style: str = "") -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    for note in outcome.notes:
        say(f"note: {note}")
    for service, times in Counter(one.service for one in outcome.exits).items():
        say(f"{service} exited by itself: {times}", "yellow")
    for one in outcome.exits[:2]:
        say(one.said, "dim")
    if outcome.error:
        say(f"{_name(outcome)}: {outcome.error}", "red")
    for difference in [*map(str, outcome.differences), *outcome.contradictions][:_NAMED]:
        say(difference[:_LONGEST], "red")
    verdict = "nothing lost, nothing double, nothing different" if outcome.same else "NOT THE SAME"
    say(
        f"{_name(outcome)}: {outcome.carried_out} faults, {outcome.seconds:.1f} s, "
        f"{outcome.things:,} things compared: {verdict}"
    )


def _name(outcome: Outcome) -> str:
    return f"{'replay' if outcome.of_replay else 'seed'} {outcome.seed}"


def print_summary(console: Console, outcomes: Sequence[Outcome], seconds: float) -> None:
    """All seeds as a table."""
    table = Table(title=f"{len(outcomes)} runs in {seconds:.0f} s", title_justify="left")
    for name in ("", "faults", *SORTS, "said in two ways", "exits by itself", "compared", "s"):
        table.add_column(name, justify="right", no_wrap=not name)
    for outcome in outcomes:
        table.add_row(
            _name(outcome),
            str(outcome.carried_out),
            *(str(outcome.count(sort)) for sort in SORTS),
            str(len(outcome.contradictions)),
            str(len(outcome.exits)),
            f"{outcome.things:,}" if not outcome.error else "not finished",
            f"{outcome.seconds:.0f}",
            style="" if outcome.same else "red",
        )
    table.add_section()
    table.add_row(
        "all",
        str(sum(outcome.carried_out for outcome in outcomes)),
        *(str(sum(outcome.count(sort) for outcome in outcomes)) for sort in SORTS),
        str(sum(len(outcome.contradictions) for outcome in outcomes)),
        str(sum(len(outcome.exits) for outcome in outcomes)),
        f"{sum(outcome.things for outcome in outcomes):,}",
        f"{sum(outcome.seconds for outcome in outcomes):.0f}",
    )
    console.print(table)


def as_data(outcome: Outcome) -> dict[str, Any]:
    """One seed for a machine."""
    return {
        "seed": outcome.seed,
        "of_replay": outcome.of_replay,
        "schedule": outcome.schedule,
        "faults": outcome.carried_out,
        "same": outcome.same,
        **{sort.replace(" ", "_"): outcome.count(sort) for sort in SORTS},
        "differences": [str(one) for one in outcome.differences[:100]],
        "contradictions": outcome.contradictions[:100],
        "exits": [{"service": one.service, "said": one.said} for one in outcome.exits],
        "notes": outcome.notes,
        "error": outcome.error,
        "things": outcome.things,
        "seconds": round(outcome.seconds, 1),
    }
