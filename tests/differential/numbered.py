"""Long files with numbered intervals of a day: 1 to 24, 48 or 96, in order or by the clock."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any, NamedTuple

from tests.differential.case import Case, Expect, case_of
from tests.differential.clocks import DAY, ZONES, length, midnight, shown
from tests.differential.judgement import unsaid
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import some_paper, toml
from tests.differential.truth import Slot, Truth, some_truth
from tests.differential.values import some_values

_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


class _Number(NamedTuple):
    """A slot's day and its number in it, from 0 on; `twice` if another slot of the day has it too."""

    day: date
    number: int
    twice: bool


def numbers(truth: Truth, *, by_clock: bool) -> dict[Slot, _Number]:
    """The number of each slot."""
    found = {}
    for day in truth.dates:
        slots = truth.day_slots(day)
        said = []
        for slot in slots:
            clock = shown(slot.start, truth.zone)
            at = (slot.start - midnight(day, truth.zone)) // truth.minutes
            said.append((clock.hour * 60 + clock.minute) // truth.minutes if by_clock else at)
        for slot, number in zip(slots, said, strict=True):
            found[slot] = _Number(day, number, said.count(number) > 1)
    return found


def numbered_case(rng: Random) -> Case:
    """A file of numbered intervals."""
    zone = rng.choice([zone for zone in ZONES if zone != "Australia/Lord_Howe"] + ["Australia/Lord_Howe"])
    truth = some_truth(rng, zone=zone)
    whole = not truth.cut(rng)
    by_clock, times, first = rng.random() < 0.5, rng.random() < 0.35, rng.choice((1, 1, 0))
    ends, form = rng.random() < 0.5, rng.choice(_DATES)
    values, paper = some_values(rng), some_paper(rng)
    place = numbers(truth, by_clock=by_clock or times)
    entries = [Entry(m, "", slot, truth.of(m, slot)) for m in truth.meters for slot in truth.slots]
    lines = with_repeats(rng, in_order(rng, entries))
    header = ["Meter", "Day", "Hour", "Value"]
    rows = []
    for meter, _, slot, wh in lines.entries:
        at = place[slot]
        number = str(at.number + first)
        if times:
            minute = (at.number + (1 if ends else 0)) * truth.minutes
            number = f"{minute // 60:02d}:{minute % 60:02d}"
        rows.append([meter, at.day.strftime(form), number, values.write(wh, truth.minutes)])
    keys: dict[str, Any] = {**paper.keys(header), **values.keys(), "decimal": values.mark}
    keys |= {"interval": f"{truth.minutes}m", "stamps": [form], "anchor": "end" if ends else "start"}
    in_profile = rng.random() < 0.6
    if in_profile:
        keys["zone"] = zone
    if not times and first == 0:
        keys["first_slot"] = 0
    keys["columns"] = {"meter_id": "Meter", "timestamp": "Day", "slot": "Hour", "consumption_kwh": "Value"}
    expect: Expect = "energy"
    why = ""
    twice = any(place[entry.slot].twice for entry in entries)
    if twice and lines.order == "shuffled":
        expect, why = "refused", "numbers that come twice on a day, in no order"
    elif any(place[entry.slot].twice for entry in lines.again):
        expect, why = "either", "a repeated row with a number that comes twice"
    elif not whole and any(length(day, zone) != DAY for day in truth.dates):
        expect, why = "either", "a part of a day of 23 or 25 hours: how it is numbered does not show"
    if any(length(day, zone) not in (DAY - 60, DAY, DAY + 60) for day in truth.dates):
        expect, why = "either", "clocks that change by half an hour"
    if not why and unsaid(keys, paper, values):
        expect, why = "either", "no header, no delimiter, and commas in numbers"
    kind = "clock times" if times else "by clock" if by_clock else "in order"
    layout = f"numbered, {kind}, from {first}, {'end' if ends else 'start'}, {lines.order}, {values.unit}"
    text = paper.text(header, rows)
    return case_of(
        truth, layout, text, paper.data(text, "numbered"), described=toml(keys), expect=expect, why=why,
        timezone="UTC" if in_profile else zone, placed=not why,
    )  # fmt: skip
