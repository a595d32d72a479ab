"""Wide files with a day a line: 24, 48 or 96 columns, and what they do on days of 23 and 25 hours."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from tests.differential.case import Case, Expect, case_of
from tests.differential.clocks import DAY, ZONES, shown
from tests.differential.judgement import unsaid
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import some_paper, toml
from tests.differential.truth import EXPORT, Slot, Truth, some_truth
from tests.differential.values import Values, some_values

_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d")
#: Where the values of a changing day stand. `in order`: one after the other, further columns at the end.
#: `by clock`: the cells of a skipped hour are empty, those of a repeated one stand behind it. `sum`: 24 hours
#: on every day, the repeated hour holds both.
_PLACES = ("in order", "in order", "by clock", "sum")


def cells_of_day(
    truth: Truth, name: str, day: date, place: str, values: Values, columns: int, zero: bool, off: int = 0
) -> list[str]:
    """The cells of a line; `off`: Wh by which each of its values is wrong."""
    slots, nominal = truth.day_slots(day), DAY // truth.minutes
    texts = [values.write(truth.of(name, slot) + off, truth.minutes) for slot in slots]
    if place == "in order" or (place == "by clock" and len(slots) > nominal):
        return texts + [""] * (columns - len(texts))
    by_number: dict[int, list[Slot]] = {}
    for slot in slots:
        clock = shown(slot.start, truth.zone)
        by_number.setdefault((clock.hour * 60 + clock.minute) // truth.minutes, []).append(slot)
    empty = values.number(values.factor * 0) if zero else ""
    found = []
    for number in range(nominal):
        wh = sum(truth.of(name, slot) + off for slot in by_number.get(number, []))
        found.append(values.write(wh, truth.minutes) if number in by_number else empty)
    if columns > nominal:
        behind = _behind(truth)
        found[behind:behind] = [""] * (columns - nominal)
    return found


def _behind(truth: Truth) -> int:
    """The column behind the first pass of the repeated hour."""
    for day in truth.dates:
        clocks = [shown(slot.start, truth.zone) for slot in truth.day_slots(day)]
        second = [(time.hour * 60 + time.minute) // truth.minutes for time in clocks if time.fold]
        if second:
            return max(second) + 1
    return 0


def day_case(rng: Random) -> Case:
    """A file with a day a line."""
    both = rng.random() < 0.3
    truth = some_truth(rng, zone=rng.choice(ZONES), both_ways=both)
    nominal = DAY // truth.minutes
    counts = [len(truth.day_slots(day)) for day in truth.dates]
    place = rng.choice(_PLACES)
    longest = max(counts)
    columns = nominal if place == "sum" else max(nominal, longest)
    if place == "in order" and longest <= nominal and rng.random() < 0.25:
        columns = nominal + 60 // truth.minutes
    if len(counts) == 1 and place == "in order" and rng.random() < 0.3:
        columns = longest
    values, paper = some_values(rng), some_paper(rng)
    zero, form = place == "sum" and rng.random() < 0.6, rng.choice(_DATES)
    names = [f"V{n + 1}" for n in range(columns)] if rng.random() < 0.7 else [str(n) for n in range(columns)]
    header = ["Meter", "Day", *(["Way"] if both else []), *names]
    noon = {day: truth.day_slots(day)[0] for day in truth.dates}
    entries = [
        Entry(meter, series, noon[day], 0)
        for meter in truth.meters
        for series in (("In", "Out") if both else ("",))
        for day in truth.dates
    ]
    lines = with_repeats(rng, in_order(rng, entries))
    short_rows = rng.random() < 0.15 and not paper.trailing
    rows = []
    for meter, series, slot, off in lines.entries:
        day = shown(slot.start, truth.zone).date()
        name = meter + (EXPORT if series == "Out" else "")
        cells = cells_of_day(truth, name, day, place, values, columns, zero, off)
        while short_rows and not cells[-1]:
            cells.pop()
        rows.append([meter, day.strftime(form), *([series] if both else []), *cells])
    keys: dict[str, Any] = {"shape": "day", **paper.keys(header), **values.keys(), "decimal": values.mark}
    keys |= {"stamps": [form], "cells": r"V\d+" if names[0] == "V1" else r"\d+"}
    if rng.random() < 0.5:
        keys["interval"] = f"{truth.minutes}m"
    in_profile = rng.random() < 0.6
    if in_profile:
        keys["zone"] = truth.zone
    if place == "sum":
        keys["dst"] = "split"
    keys["columns"] = {"meter_id": "Meter", "timestamp": "Day"}
    if both:
        keys["columns"]["series"] = "Way"
        keys["series"] = {"In": "consumption", "Out": "generation"}
    expect: Expect = "energy"
    why = ""
    if any(count * truth.minutes not in (DAY - 60, DAY, DAY + 60) for count in counts):
        expect, why = "either", "clocks that change by half an hour"
    elif columns < nominal and "interval" not in keys:
        expect, why = "either", "as many columns as a short day has, and no interval said"
    if not why and unsaid(keys, paper, values):
        expect, why = "either", "no header, no delimiter, and commas in numbers"
    layout = f"day, {place}, {columns} of {nominal}, {lines.order}, {values.unit}"
    text = paper.text(header, rows)
    case = case_of(
        truth, layout, text, paper.data(text, "days"), described=toml(keys), expect=expect, why=why,
        timezone="UTC" if in_profile else truth.zone, placed=not why,
    )  # fmt: skip
    case.energy = halved(truth) if place == "sum" else case.energy
    return case


def halved(truth: Truth) -> dict[tuple[str, int], int]:
    """The energy of a truth, where a repeated hour is known by its sum alone: each pass has half of it."""
    by_clock: dict[tuple[str, str], list[Slot]] = {}
    for name, slot in truth.energy:
        by_clock.setdefault((name, f"{shown(slot.start, truth.zone):%Y%m%d%H%M}"), []).append(slot)
    found = {}
    for (name, _), slots in by_clock.items():
        total = sum(truth.energy[name, slot] for slot in slots) * 1000
        for slot in slots:
            if total:
                found[name, slot.start] = total // len(slots)
    return found
