"""Wide files with a column a meter: a line is a slot of them all."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.differential.case import Case, Expect, case_of
from tests.differential.clocks import DAY, shown
from tests.differential.days import halved
from tests.differential.judgement import Verdict, judged, unsaid
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import some_paper, toml
from tests.differential.stamps import some_stamps
from tests.differential.truth import Truth, some_truth
from tests.differential.values import some_values


def meters_case(rng: Random) -> Case:
    """A file with a column a meter, whose clocks do what clocks do."""
    truth = some_truth(rng, names=[f"MT_{n + 1:03d}" for n in range(rng.choice((1, 2, 3)))])
    truth.cut(rng)
    stamps = some_stamps(rng, truth.zone)
    values, paper = some_values(rng), some_paper(rng)
    header = [*stamps.headers, *truth.meters]
    lines = in_order(rng, [Entry("", "", slot, 0) for slot in truth.slots])
    lines = with_repeats(rng, lines)
    rows = [
        [
            *stamps.cells(stamps.of(entry.slot)),
            *(values.write(truth.of(meter, entry.slot) + entry.wh, truth.minutes) for meter in truth.meters),
        ]
        for entry in lines.entries
    ]
    keys: dict[str, Any] = {"shape": "meters", **paper.keys(header), **stamps.keys(), **values.keys()}
    keys |= {"decimal": values.mark, "cells": "MT_.*", "interval": f"{truth.minutes}m"}
    keys["columns"] = {"timestamp": stamps.columns}
    text = paper.text(header, rows)
    verdict = judged(lines, stamps)
    if verdict.expect == "energy" and unsaid(keys, paper, values):
        verdict = Verdict("either", "no header, no delimiter, and commas in numbers")
    layout = f"meters, {stamps.says}, {'end' if stamps.ends else 'start'}, {lines.order}, {values.unit}"
    return case_of(
        truth, layout, text, paper.data(text, "meters"), described=toml(keys), expect=verdict.expect,
        why=verdict.why, placed=verdict.placed,
        timezone=truth.zone if stamps.local and not stamps.zone_in_profile else "America/Denver",
    )  # fmt: skip


def split_lines(truth: Truth, *, ends: bool) -> list[tuple[str, dict[str, int | None]]]:
    """Labels of 24 hours on every day: the repeated hour has the sum, the skipped one None."""
    found = []
    for day in truth.dates:
        slots = truth.day_slots(day)
        for at in range(0, DAY, truth.minutes):
            here = [s for s in slots if (c := shown(s.start, truth.zone)).hour * 60 + c.minute == at]
            whs = {name: sum(truth.of(name, s) for s in here) if here else None for name in truth.meters}
            minute = at + (truth.minutes if ends else 0)
            ordinal = day.toordinal() + minute // DAY
            label = f"{ordinal:07d} {minute % DAY // 60:02d}:{minute % 60:02d}"
            found.append((label, whs))
    return found


def split_case(rng: Random) -> Case:
    """A file with as many lines on every day: a repeated hour stands once, as a sum."""
    truth = some_truth(rng, names=[f"MT_{n + 1:03d}" for n in range(rng.choice((1, 2, 3)))])
    ends, skipped = rng.random() < 0.6, rng.choice(("zero", "empty", "absent"))
    values, paper = some_values(rng), some_paper(rng)
    form = rng.choice(("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"))
    rows = []
    for label, whs in split_lines(truth, ends=ends):
        gone = all(wh is None for wh in whs.values())
        if gone and skipped == "absent":
            continue
        cells = [
            values.write(wh, truth.minutes) if wh is not None
            else (values.write(0, truth.minutes) if skipped == "zero" else "")
            for wh in whs.values()
        ]  # fmt: skip
        rows.append([labelled(label, form), *cells])
    order = rng.choice(("time", "time, backwards", "shuffled"))
    if order == "shuffled":
        rng.shuffle(rows)
    elif order != "time":
        rows.reverse()
    keys: dict[str, Any] = {"shape": "meters", **paper.keys(["Stamp", *truth.meters]), **values.keys()}
    keys |= {"decimal": values.mark, "cells": "MT_.*", "interval": f"{truth.minutes}m", "dst": "split"}
    keys |= {"anchor": "end" if ends else "start", "stamps": [form], "zone": truth.zone}
    keys["columns"] = {"timestamp": "Stamp"}
    expect: Expect = "either" if unsaid(keys, paper, values) else "energy"
    text = paper.text(["Stamp", *truth.meters], rows)
    layout = f"meters, sum, {'end' if ends else 'start'}, {order}, {values.unit}, skipped {skipped}"
    case = case_of(truth, layout, text, paper.data(text, "split"), described=toml(keys), expect=expect)
    case.energy = halved(truth)
    return case


def labelled(label: str, form: str) -> str:
    """A label of `split_lines` in a form of stamps."""
    from datetime import date, datetime, time

    ordinal, clock = label.split()
    return datetime.combine(date.fromordinal(int(ordinal)), time.fromisoformat(clock)).strftime(form)
