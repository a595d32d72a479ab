"""Long files: a reading a line, one direction or two, in columns, lines or by sign."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from tests.differential.case import Case, case_of
from tests.differential.judgement import Verdict, judged, unsaid
from tests.differential.lines import Entry, Lines, in_order, with_repeats
from tests.differential.paper import Paper, some_paper, toml
from tests.differential.stamps import Stamps, some_stamps
from tests.differential.truth import EXPORT, Slot, Truth, some_truth
from tests.differential.values import Values, some_values

_WAYS = ("import", "import", "import", "values", "series", "signed", "tariffs", "tariff lines")
_IN, _OUT = "Import", "Export"
_DAY, _NIGHT = "Day", "Night"


class _Table:
    """Header, rows and columns of one file."""

    def __init__(self, rng: Random, truth: Truth, way: str, stamps: Stamps, values: Values) -> None:
        self._rng, self._truth, self._way = rng, truth, way
        self._stamps, self._values = stamps, values
        self.by_unit = way == "import" and not values.power and rng.random() < 0.12
        self.with_interval = not truth.minutes and not stamps.ends and rng.random() < 0.5
        self.gone: set[tuple[str, Slot]] = set()
        #: Whether rows of which nothing is known are left out; else they have no value.
        self.absent = False
        self.extra = rng.random() < 0.25
        self.named_by_file = len(truth.meters) == 1 and rng.random() < 0.4

    def is_gone(self, entry: Entry) -> bool:
        """Whether nothing is known of a row."""
        return (entry.meter, entry.slot) in self.gone

    def entries(self) -> list[Entry]:
        """The rows, in no order that matters."""
        truth, rng = self._truth, self._rng
        found = []
        for meter in truth.meters:
            for slot in truth.slots:
                wh = truth.of(meter, slot)
                out = truth.of(meter + EXPORT, slot) if truth.both_ways else 0
                if self._way == "series":
                    found += [Entry(meter, _IN, slot, wh), Entry(meter, _OUT, slot, out)]
                elif self._way == "tariff lines":
                    part = rng.randrange(wh + 1)
                    found += [Entry(meter, _DAY, slot, part), Entry(meter, _NIGHT, slot, wh - part)]
                else:
                    found.append(Entry(meter, "", slot, wh))
        return found

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        names = [] if self.named_by_file else ["Meter"]
        names += self._stamps.headers
        names += {"values": [_IN, _OUT], "tariffs": ["T1", "T2"]}.get(self._way, ["Value"])
        names += ["Direction"] if self._way in ("series", "tariff lines") else []
        names += ["Unit"] if self.by_unit else []
        names += ["Minutes"] if self.with_interval else []
        return names + (["Remark"] if self.extra else [])

    def row(self, entry: Entry) -> list[str]:
        """The cells of a row."""
        meter, series, slot, wh = entry
        cells = [] if self.named_by_file else [meter]
        cells += self._stamps.cells(self._stamps.of(slot))
        unit = self._rng.choice(("kWh", "Wh")) if self.by_unit else ""
        written = self._values.write if not self.is_gone(entry) else lambda *_: "NA"
        if self._way == "values":
            cells += [written(wh, slot.minutes), written(self._out(meter, slot), slot.minutes)]
        elif self._way == "tariffs":
            part = wh // 3
            cells += [written(part, slot.minutes), written(wh - part, slot.minutes)]
        elif self._way == "signed":
            cells.append(written(wh - self._out(meter, slot), slot.minutes))
        else:
            cells.append(written(wh, slot.minutes, unit))
        cells += [series] if series else []
        cells += [unit] if self.by_unit else []
        cells += [str(slot.minutes)] if self.with_interval else []
        return cells + (["ok"] if self.extra else [])

    def _out(self, meter: str, slot: Slot) -> int:
        return self._truth.energy.get((meter + EXPORT, slot), 0)

    def keys(self) -> dict[str, Any]:
        """What the profile says of columns and interval."""
        truth, stamps, values = self._truth, self._stamps, self._values
        keys = stamps.keys() | values.keys(by_column=self.by_unit)
        if truth.minutes:
            if values.power or stamps.ends or self._rng.random() < 0.6:
                keys["interval"] = f"{truth.minutes}m"
        elif not self.with_interval and (values.power or stamps.ends or self._rng.random() < 0.5):
            keys["interval"] = "stamps"
        columns: dict[str, Any] = {"timestamp": stamps.columns}
        if self.named_by_file:
            keys["meter_from_file"] = True
        else:
            columns["meter_id"] = "Meter"
        if self._way == "values":
            keys["values"] = {_IN: "consumption", _OUT: "generation"}
        elif self._way == "tariffs":
            keys["values"] = {"T1": "consumption", "T2": "consumption"}
        else:
            columns["consumption_kwh"] = "Value"
        if self._way == "series":
            keys["series"] = {_IN: "consumption", _OUT: "generation"}
            columns["series"] = "Direction"
        if self._way == "tariff lines":
            keys["series"] = {_DAY: "consumption", _NIGHT: "consumption"}
            columns["series"] = "Direction"
        if self._way == "signed":
            keys["negative"] = "generation"
        if self.gone and not self.absent:
            keys = {"nulls": ["", "NA"], **keys}
        if self.by_unit:
            columns["unit"] = "Unit"
        if self.with_interval:
            columns["interval_minutes"] = "Minutes"
        return {**keys, "columns": columns}


def long_case(rng: Random) -> Case:
    """A long file."""
    way = rng.choice(_WAYS)
    both = way in ("values", "series", "signed")
    truth = some_truth(rng, both_ways=both, exclusive=way == "signed", changing=rng.random() < 0.15)
    stamps = some_stamps(rng, truth.zone)
    if truth.minutes and stamps.local and stamps.ends and not stamps.hour_24 and rng.random() < 0.15:
        stamps = replace(stamps, by_label=True)
    values, paper = _thousands(truth, some_values(rng)), some_paper(rng)
    table = _Table(rng, truth, way, stamps, values)
    if truth.minutes and not stamps.by_label:
        truth.cut(rng)
    entries = table.entries()
    gone = _gaps(rng, truth, entries) if truth.minutes and way != "tariff lines" else []
    table.gone = {(entry.meter, entry.slot) for entry in gone}
    table.absent = rng.random() < 0.5
    lines = in_order(rng, [one for one in entries if not (table.absent and table.is_gone(one))])
    if way in ("import", "series", "values", "signed", "tariffs"):
        # The other columns of a line are written from the truth: only `Value` can be corrected.
        corrections = way in ("import", "series")
        lines = with_repeats(rng, lines, corrections=corrections, kept=lambda one: not table.is_gone(one))
    case = _written(rng, truth, way, stamps, values, table, lines, paper)
    if case.expect == "energy" and any(stamps.may_be(entry.slot) for entry in gone):
        case.expect, case.why, case.placed = "either", "a gap in the repeated hour, without offset", False
    if case.expect == "energy" and values.power and len(gone) > 2:
        case.expect, case.why = "either", "power, and gaps that may look like a longer interval"
    return case


def _thousands(truth: Truth, values: Values) -> Values:
    """Now and then whole numbers, with a mark between their thousands."""
    if values.unit not in ("Wh", "W") or sum(truth.energy.values()) % 12:
        return values
    return replace(values, factor=Decimal(1), thousands="." if values.mark == "," else ",")


def _gaps(rng: Random, truth: Truth, entries: list[Entry]) -> list[Entry]:
    """A few rows of which nothing is known; the truth forgets them."""
    if rng.random() < 0.7:
        return []
    gone = rng.sample(entries, min(len(entries) // 4, rng.randrange(1, 5)))
    for entry in gone:
        truth.without(entry.meter, entry.slot)
    return gone


def _written(
    rng: Random,
    truth: Truth,
    way: str,
    stamps: Stamps,
    values: Values,
    table: _Table,
    lines: Lines,
    paper: Paper,
) -> Case:
    header = table.header
    keys = {**paper.keys(header), **table.keys()}
    if values.mark == "," and paper.delimiter == ",":
        keys = {"decimal": ",", **keys}
    elif rng.random() < 0.4:
        keys = {"decimal": values.mark, **keys}
    text = paper.text(header, [table.row(entry) for entry in lines.entries])
    verdict = judged(lines, stamps, steps=keys.get("interval") == "stamps")
    if verdict.expect == "energy" and way == "tariff lines" and not _side_by_side(lines):
        verdict = Verdict("either", "the tariffs of one time far from each other")
    if verdict.expect == "energy" and values.thousands:
        verdict = Verdict("either", "thousands are parted, and no profile can say so")
    if verdict.expect == "energy" and unsaid(keys, paper, values):
        verdict = Verdict("either", "no header, no delimiter, and commas in numbers")
    name = truth.meters[0] if table.named_by_file else f"file{rng.randrange(1000)}"
    layout = f"long, {way}, {stamps.says}, {'end' if stamps.ends else 'start'}, {lines.order}, {values.unit}"
    return case_of(
        truth, layout, text, paper.data(text, name), described=toml(keys), expect=verdict.expect,
        timezone=truth.zone if stamps.local and not stamps.zone_in_profile else "Asia/Tokyo",
        why=verdict.why, placed=verdict.placed,
    )  # fmt: skip


def _side_by_side(lines: Lines) -> bool:
    """Whether both tariffs of a meter and time stand in neighbouring rows."""
    at: dict[tuple[str, int], list[int]] = {}
    for number, entry in enumerate(lines.entries):
        at.setdefault((entry.meter, entry.slot.start), []).append(number)
    return all(max(numbers) - min(numbers) == 1 for numbers in at.values())
