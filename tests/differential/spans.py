"""Long files whose lines say both ends of their interval: `from - to` in a cell, or columns of their own."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.differential.case import Case, Expect, case_of
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import some_paper, toml
from tests.differential.stamps import Stamps, some_stamps
from tests.differential.truth import Slot, some_truth
from tests.differential.values import some_values

_BETWEEN = (" - ", " to ", " – ")


def _alike(stamps: Stamps, slot: Slot) -> bool:
    """Whether another interval of the day is written with the same two ends."""
    if not stamps.local:
        return False
    near = (Slot(slot.start + way * by, slot.minutes) for way in (-1, 1) for by in (30, 60))
    both = stamps.write(slot.start), stamps.write(slot.end)
    return any((stamps.write(other.start), stamps.write(other.end)) == both for other in near)


def _shortest(stamps: Stamps, slot: Slot) -> bool:
    """Whether no other end that is written alike is nearer."""
    text = stamps.write(slot.end)
    return not stamps.local or all(
        stamps.write(slot.end - by) != text for by in (30, 60) if slot.end - by > slot.start
    )


def span_case(rng: Random) -> Case:
    """A file of such lines."""
    truth = some_truth(rng, changing=rng.random() < 0.3)
    truth.cut(rng)
    stamps = some_stamps(rng, truth.zone, ends=False)
    values, paper = some_values(rng), some_paper(rng, headerless=False)
    in_a_cell = not stamps.parted and rng.random() < 0.5
    between = rng.choice(_BETWEEN[: 2 if paper.encoding == "cp1252" else 3])
    until = ["To date", "To time"] if stamps.parted else ["To"]
    header = ["Meter", *stamps.headers, *([] if in_a_cell else until), "Value"]
    entries = [Entry(m, "", slot, truth.of(m, slot)) for m in truth.meters for slot in truth.slots]
    lines = with_repeats(rng, in_order(rng, entries))
    rows = []
    for meter, _, slot, wh in lines.entries:
        start, end = stamps.write(slot.start), stamps.write(slot.end)
        when = [start + between + end] if in_a_cell else [*stamps.cells(start), *stamps.cells(end)]
        rows.append([meter, *when, values.write(wh, slot.minutes)])
    columns: dict[str, Any] = {"meter_id": "Meter", "timestamp": stamps.columns, "consumption_kwh": "Value"}
    keys: dict[str, Any] = {**paper.keys(header), **stamps.keys(), **values.keys(), "decimal": values.mark}
    if in_a_cell:
        keys["span"] = between
    else:
        columns["until"] = until if stamps.parted else until[0]
    if truth.minutes and rng.random() < 0.4:
        keys["interval"] = f"{truth.minutes}m"
    text = paper.text(header, rows)
    alike = [entry for entry in lines.entries if _alike(stamps, entry.slot)]
    expect: Expect = "energy"
    why = ""
    if any(not _shortest(stamps, slot) for slot in truth.slots):
        expect, why = "either", "an interval that would be shorter if another of two instants were its end"
    if alike and lines.order == "shuffled":
        expect, why = "refused", "intervals of a repeated hour written alike, in no order"
    elif any(_alike(stamps, entry.slot) for entry in lines.again):
        expect, why = "either", "a repeated row among intervals of a repeated hour that are written alike"
    layout = f"span, {'cell' if in_a_cell else 'until'}, {stamps.says}, {lines.order}, {values.unit}"
    return case_of(
        truth, layout, text, paper.data(text, "spans"), described=toml({**keys, "columns": columns}),
        expect=expect, why=why, placed=not why,
        timezone=truth.zone if stamps.local and not stamps.zone_in_profile else "UTC",
    )  # fmt: skip
