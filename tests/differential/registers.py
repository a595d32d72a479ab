"""Files of registers: the energy of an interval is the difference of two values."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from tests.differential.case import Case, case_of
from tests.differential.judgement import Verdict, judged, unsaid
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import some_paper, toml
from tests.differential.stamps import some_stamps
from tests.differential.truth import EXPORT, Slot, Truth, some_truth
from tests.differential.values import Values, some_values


def counted(rng: Random, truth: Truth, name: str, digits: int) -> list[tuple[Slot, int]]:
    """Boundaries of slots and what the register (Wh) shows there."""
    turn = 10**digits * 1000 if digits else 0
    value = rng.randrange(5_000_000, 9_000_000)
    if digits and rng.random() < 0.6:
        value = turn - rng.randrange(1, 20_000)
    found = [(Slot(truth.slots[0].start, truth.slots[0].minutes), value)]
    for slot in truth.slots:
        value += truth.of(name, slot)
        value = value % turn if turn else value
        found.append((Slot(slot.end, slot.minutes), value))
    return found


def register_case(rng: Random) -> Case:
    """A file of registers."""
    both = rng.random() < 0.35
    truth = some_truth(rng, both_ways=both, changing=rng.random() < 0.2)
    truth.cut(rng)
    stamps = some_stamps(rng, truth.zone, ends=False)
    digits = rng.choice((0, 5))
    values = some_values(rng, ("kWh", "kWh", "Wh"))
    values = Values(values.unit, values.mark, Decimal(1), values.padded)
    paper = some_paper(rng)
    wide = not both and rng.random() < 0.25
    names = [name for meter in truth.meters for name in ([meter, meter + EXPORT] if both else [meter])]
    shown_at = {name: dict(counted(rng, truth, name, digits)) for name in names}
    boundaries = list(shown_at[names[0]])
    keys: dict[str, Any] = {**paper.keys([]), **stamps.keys(), **values.keys(), "decimal": values.mark}
    keys.pop("anchor")
    keys["difference"] = True
    if digits:
        keys["digits"] = digits if values.unit == "kWh" else digits + 3
    if truth.minutes and rng.random() < 0.5:
        keys["interval"] = f"{truth.minutes}m"
    by_lines = both and sum(truth.energy.values()) % 3 == 0
    ways = ("In", "Out") if by_lines else ("",)
    of = [""] if wide else truth.meters
    entries = [Entry(m, way, at, 0) for m in of for way in ways for at in boundaries]
    lines = with_repeats(rng, in_order(rng, entries), corrections=False)
    rows = []
    for meter, way, at, _ in lines.entries:
        if by_lines:
            shown_value = shown_at[meter + (EXPORT if way == "Out" else "")][at]
            rows.append([meter, *stamps.cells(stamps.write(at.start)), way, values.write(shown_value, 60)])
            continue
        series = truth.meters if wide else [meter, meter + EXPORT] if both else [meter]
        cells = [values.write(shown_at[name][at], 60) for name in series]
        rows.append([*([] if wide else [meter]), *stamps.cells(stamps.write(at.start)), *cells])
    if wide:
        header = [*stamps.headers, *truth.meters]
        keys |= {"shape": "meters", "cells": ".*[0-9].*"}
        keys["columns"] = {"timestamp": stamps.columns}
    else:
        header = [
            "Meter",
            *stamps.headers,
            *(["Way", "Value"] if by_lines else ["In", "Out"] if both else ["Value"]),
        ]
        keys["columns"] = {"meter_id": "Meter", "timestamp": stamps.columns}
        if both and by_lines:
            keys["columns"] |= {"series": "Way", "consumption_kwh": "Value"}
            keys["series"] = {"In": "consumption", "Out": "generation"}
        elif both:
            keys["values"] = {"In": "consumption", "Out": "generation"}
        else:
            keys["columns"]["consumption_kwh"] = "Value"
    keys.update(paper.keys(header))
    text = paper.text(header, rows)
    verdict = judged(lines, stamps, chained=True)
    if verdict.expect == "energy" and unsaid(keys, paper, values):
        verdict = Verdict("either", "no header, no delimiter, and commas in numbers")
    kind = "wide" if wide else "lines" if by_lines else "long"
    layout = f"register, {kind}, {stamps.says}, {lines.order}, {values.unit}, {digits} digits"
    return case_of(
        truth, layout, text, paper.data(text, "registers"), described=toml(_ordered(keys)),
        expect=verdict.expect, why=verdict.why, placed=verdict.placed and bool(truth.minutes),
        timezone=truth.zone if stamps.local and not stamps.zone_in_profile else "UTC",
    )  # fmt: skip


def _ordered(keys: dict[str, Any]) -> dict[str, Any]:
    """Plain keys before tables."""
    return dict(sorted(keys.items(), key=lambda item: isinstance(item[1], dict)))
