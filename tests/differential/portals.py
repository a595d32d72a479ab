"""What files of named profiles share: rows of all slots, and a case whose profile may be found out."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from tests.differential.case import Case, Expect, case_of
from tests.differential.judgement import Verdict
from tests.differential.lines import Entry, Lines, in_order, with_repeats
from tests.differential.paper import Paper
from tests.differential.truth import Truth
from tests.differential.values import Values

KWH = Values("kWh", ".", Decimal(1), False)
ORDERED = ("time", "meter", "meter, backwards", "time, backwards")


def of_lines(truth: Truth, rng: Random, order: str = "", *, corrections: bool = True) -> Lines:
    """A row for each slot of each meter, in some order, some of them twice."""
    entries = [Entry(m, "", slot, truth.of(m, slot)) for m in truth.meters for slot in truth.slots]
    return with_repeats(rng, in_order(rng, entries, order), corrections=corrections)


def named(
    rng: Random,
    truth: Truth,
    profile: str,
    rows: list[list[str]],
    header: list[str],
    paper: Paper,
    *,
    verdict: Verdict | None = None,
    name: str = "portal",
    timezone: str = "UTC",
    layout: str = "",
) -> Case:
    """A case of a named profile, which at times is to be found out."""
    verdict = verdict or Verdict("energy", "")
    text = paper.text(header, rows)
    auto = rng.random() < 0.2
    expect: Expect = "either" if auto and verdict.expect == "energy" else verdict.expect
    return case_of(
        truth, f"{profile}{', auto' if auto else ''}, {layout}", text, paper.data(text, name),
        profile="auto" if auto else profile, timezone=timezone, expect=expect, placed=verdict.placed,
        why=verdict.why or ("the profile is to be found out" if auto else ""),
    )  # fmt: skip
