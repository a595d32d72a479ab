"""What can be known of a long file, from its text alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.differential.case import Expect
from tests.differential.lines import Lines
from tests.differential.paper import Paper
from tests.differential.stamps import Stamps
from tests.differential.values import Values


class Verdict(NamedTuple):
    """What is right, why, and whether the place of each interval within its day is."""

    expect: Expect
    why: str
    placed: bool = True


def judged(lines: Lines, stamps: Stamps, *, steps: bool = False, chained: bool = False) -> Verdict:
    """What is right for rows of which each has a stamp.

    `steps`: a value covers the time to the next stamp; `chained`: it depends on the value before, as those of
    registers do. Such rows need an order, and one value a time.
    """
    twice = [entry for entry in lines.entries if stamps.may_be(entry.slot)]
    if twice and lines.order == "shuffled":
        return Verdict("refused", "rows in no order, in the repeated hour, without offset", False)
    if twice and stamps.by_label:
        return Verdict("either", "ends named by the label of the start: some look like corrections", False)
    if any(stamps.may_be(entry.slot) for entry in lines.again):
        return Verdict("either", "a repeated or corrected row in the repeated hour, without offset", False)
    if (steps or chained) and (lines.order == "shuffled" or lines.corrected or not lines.adjacent):
        return Verdict("either", "values that depend on the one before, out of order or corrected")
    return Verdict("energy", "")


def unsaid(keys: dict[str, Any], paper: Paper, values: Values) -> bool:
    """Whether commas may be delimiters or decimal marks, and nothing says which they are."""
    return paper.headerless and "delimiter" not in keys and values.mark == ","
