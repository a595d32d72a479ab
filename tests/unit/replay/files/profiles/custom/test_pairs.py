"""Keys of a profile of one's own, every two of them together: a file is read right, or a profile refused.

A small generator picks files such that each pair of choices that go together occurs; the same ones each time.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.tally import Tally
from tests.unit.replay.public_sets import UTC

ZONE = "Europe/Berlin"
CLOCKS = ZoneInfo(ZONE)
STEP = timedelta(minutes=15)
#: Local days of 25 and of 23 hours: when they begin, and how many quarter-hours they have.
DAYS = {
    "autumn": (datetime(2024, 10, 26, 22, tzinfo=UTC), 100),
    "spring": (datetime(2024, 3, 30, 23, tzinfo=UTC), 92),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FACTORS: dict[str, tuple[str, ...]] = {
    "shape": ("long", "day", "meters"),
    "meter": ("column", "file", "across"),
    "series": ("none", "column", "tariffs", "values"),
    "time": ("one", "parts", "slot", "until", "span", "offset", "named offset", "day"),
    "unit": ("kWh", "W", "column"),
    "interval": ("15m", "stamps", "none"),
    "anchor": ("start", "end"),
    "decimal": (".", ","),
    "delimiter": (",", ";", "\t"),
    "encoding": ("utf-8", "cp1252", "utf-16"),
    "null": ("no", "yes"),
    "negative": ("send", "generation"),
    "difference": ("no", "yes"),
    "quality": ("no", "yes"),
    "above": ("nothing", "lines", "counted lines", "sep", "no header"),
    "last": ("as it is", "empty cell", "left away"),
    "dst": ("order", "split"),
    "multiply": ("1", "40"),
    "id": ("plain", "quoted"),
    "order": ("forwards", "backwards"),
}
Choice = dict[str, str]


def goes(c: Choice) -> bool:
    """Whether a profile of these choices says something that makes sense."""
    shape, time = c["shape"], c["time"]
    steps, difference, split = c["interval"] == "stamps", c["difference"] == "yes", c["dst"] == "split"
    spans = time in ("until", "span")
    return not any((
        (shape == "meters") != (c["meter"] == "across"),
        (shape == "day") != (time == "day"),
        shape == "day" and (c["series"] in ("tariffs", "values") or c["unit"] == "column"),
        shape == "day" and (steps or difference),
        shape == "day" and c["order"] == "backwards",
        shape == "meters" and (c["series"] != "none" or c["unit"] == "column"),
        shape == "meters" and split and time in ("parts", "offset", "named offset"),
        shape == "meters" and split and c["quality"] == "yes",
        shape == "meters" and split and c["negative"] == "generation",
        c["id"] == "quoted" and c["meter"] != "column",
        difference and (c["unit"] == "W" or c["negative"] == "generation" or spans or split),
        difference and (c["null"] == "yes" or c["unit"] == "column"),
        steps and (time == "slot" or spans or split or c["null"] == "yes"),
        split and (time in ("slot", "until", "span", "offset", "named offset") or c["null"] == "yes"),
        c["interval"] == "none" and shape != "day" and not spans and not difference and (
            c["unit"] != "kWh" or c["anchor"] == "end" or shape == "meters"
        ),
        c["interval"] == "none" and time == "slot",
        spans and c["anchor"] == "end",
        c["negative"] == "generation" and c["series"] != "none",
        c["decimal"] == "," and c["delimiter"] == "," and c["above"] == "sep",
        c["above"] == "no header" and shape != "long",
        c["above"] == "no header" and c["encoding"] == "utf-16",
        c["last"] == "left away" and shape != "long",
        difference and c["series"] == "tariffs" and c["order"] == "backwards",
    ))  # fmt: skip


def covering(tries: int = 800) -> list[Choice]:
    """Choices that go together, such that every pair of them that occurs among many is there."""
    chance = random.Random(11)
    pool: list[Choice] = []
    while len(pool) < tries:
        one = {name: chance.choice(levels) for name, levels in FACTORS.items()}
        if goes(one):
            pool.append(one)
    open_pairs = {pair for one in pool for pair in pairs(one)}
    chosen = []
    while open_pairs:
        best = max(pool, key=lambda one: len(open_pairs & pairs(one)))
        chosen.append(best)
        open_pairs -= pairs(best)
    return chosen


def pairs(choice: Choice) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    return set(combinations(choice.items(), 2))


def kwh(meter: int, slot: int) -> float:
    """The energy of a meter and slot: some of it below zero for nobody but the first one."""
    return round((slot * 37 % 91 + 1) / 1000 + meter, 3)


class Written:
    """A file and its profile made of choices, and the energy that is in it."""

    def __init__(self, choice: Choice, season: str = "autumn") -> None:
        self.c = choice
        self.start, self.count = DAYS[season]
        self.longest = max(count for _, count in DAYS.values())
        self.truth: dict[tuple[str, datetime], float] = {}
        self.keys: list[str] = []
        self.columns: dict[str, str] = {}
        self.tables: list[str] = []
        shape = choice["shape"]
        self.lines = {"long": self.long, "day": self.day, "meters": self.meters}[shape]()

    # What a slot holds

    def slots(self) -> list[int]:
        return list(range(self.count))[:: -1 if self.c["order"] == "backwards" else 1]

    def value(self, meter: int, slot: int) -> float | None:
        if self.c["null"] == "yes" and slot % 10 == 7:
            return None
        if self.c["negative"] == "generation" and slot % 5 == 2:
            return -kwh(meter, slot)
        return kwh(meter, slot)

    def hold(self, name: str, slot: int, value: float | None) -> None:
        """What must be sent for a slot."""
        if value is None:
            return
        time = self.start + STEP * slot
        if self.c["negative"] != "generation":
            self.truth[name, time] = value
            return
        self.truth[name, time] = max(value, 0.0)
        before = range(slot + 1, self.count) if self.runs_backwards() else range(slot)
        fed_in = value < 0 or any(other % 5 == 2 and self.value(0, other) is not None for other in before)
        if fed_in:
            self.truth[name + "-export", time] = max(-value, 0.0)

    def runs_backwards(self) -> bool:
        """Whether values come to the last stage from the last one to the first."""
        c = self.c
        return c["order"] == "backwards" and c["shape"] != "day" and c["interval"] != "stamps"

    def number(self, value: float | None) -> str:
        if value is None:
            return "NA"
        power = self.c["unit"] == "W"
        shown = value / int(self.c["multiply"]) * (4000 if power else 1)
        text = f"{shown:.9f}".rstrip("0").rstrip(".")
        text = text.replace(".", self.c["decimal"])
        return f'"{text}"' if self.c["decimal"] == "," == self.c["delimiter"] else text

    # When it was

    def label(self, time: datetime, *, date: str = "%d.%m.%Y", sep: str = " ") -> str:
        return time.astimezone(CLOCKS).strftime(f"{date}{sep}%H:%M")

    def times(self, slot: int) -> list[str]:
        """The cells that say when a slot was."""
        start = self.start + STEP * slot
        at = start + (STEP if self.c["anchor"] == "end" and self.c["difference"] == "no" else timedelta())
        shown = at.astimezone(CLOCKS)
        if self.c["dst"] == "split":
            naive = start.astimezone(CLOCKS).replace(tzinfo=None) + (at - start)
            text = f"{naive:%d.%m.%Y %H:%M}"
            return text.split(" ") if self.c["time"] == "parts" else [text]
        kind = self.c["time"]
        if kind == "parts":
            return [f"{shown:%d.%m.%Y}", f"{shown:%H:%M}"]
        if kind == "slot":
            return [f"{start.astimezone(CLOCKS):%d.%m.%Y}", str(self.slot_number(slot))]
        if kind == "until":
            return [self.label(start), self.label(start + STEP)]
        if kind == "span":
            return [f"{self.label(start)} - {self.label(start + STEP)}"]
        if kind == "offset":
            return [f"{shown:%d.%m.%Y %H:%M %z}"]
        if kind == "named offset":
            return [f"{shown:%d.%m.%Y %H:%M} {shown.tzname()}"]
        return [f"{shown:%d.%m.%Y %H:%M}"]

    def slot_number(self, slot: int) -> int:
        return slot + 1 if slot < self.count else 1

    def time_columns(self) -> list[str]:
        kind = self.c["time"]
        stamp = "%d.%m.%Y %H:%M"
        names = {"parts": ["Tag", "Zeit"], "slot": ["Tag", "Nr"], "until": ["von", "bis"]}.get(kind, ["Zeit"])
        self.columns["timestamp"] = '["Tag", "Zeit"]' if kind == "parts" else f'"{names[0]}"'
        if kind in ("slot", "until"):
            self.columns[kind] = f'"{names[1]}"'
        if kind == "slot":
            stamp = "%d.%m.%Y"
        if kind == "span":
            self.keys.append('span = " - "')
        stamp += {"offset": " %z", "named offset": " %Z"}.get(kind, "")
        self.keys.append(f'stamps = ["{stamp}"]')
        return names

    # The shapes

    def common(self) -> None:
        c = self.c
        self.keys += [
            f'shape = "{c["shape"]}"', f'decimal = "{c["decimal"]}"', f'zone = "{ZONE}"', 'nulls = ["NA"]',
            f'multiply = {c["multiply"]}', f'dst = "{c["dst"]}"', f'negative = "{c["negative"]}"',
            f'anchor = "{c["anchor"]}"',
        ]  # fmt: skip
        if c["above"] != "sep":
            self.keys.append(f'delimiter = "{c["delimiter"]}"'.replace("\t", "\\t"))
        if c["encoding"] == "cp1252":
            self.keys.append('encoding = "cp1252"')
        if c["interval"] != "none":
            self.keys.append(f'interval = "{c["interval"]}"')
        if c["unit"] == "W":
            self.keys.append('unit = "W"')
        if c["difference"] == "yes":
            self.keys.append("difference = true")
        if c["meter"] == "file":
            self.keys.append("meter_from_file = true")
        if c["quality"] == "yes":
            self.keys.append('quality = "Güte"')
        if c["above"] == "counted lines":
            self.keys.append("skip_lines = 3")

    def long(self) -> list[list[str]]:
        self.common()
        c = self.c
        header = self.time_columns()
        meters = ["A 1", "B 2"] if c["meter"] == "column" else ["zähler"]
        if c["meter"] == "column":
            header = ["Zähler", *header]
            self.columns["meter_id"] = '"Zähler"'
        if c["series"] == "values":
            header += ["Bezug", "Lieferung HT", "Lieferung NT"]
            self.tables.append(
                '[values]\n"Bezug" = "consumption"\n"Lieferung HT" = "generation"\n'
                '"Lieferung NT" = "generation"'
            )
        else:
            header.append("Wert")
            self.columns["consumption_kwh"] = '"Wert"'
        texts = {"column": ["Bezug", "Lieferung"], "tariffs": ["Bezug HT", "Bezug NT"]}.get(c["series"], [""])
        if c["series"] in ("column", "tariffs"):
            header.append("Richtung")
            self.columns["series"] = '"Richtung"'
            ways = ["consumption", "generation" if c["series"] == "column" else "consumption"]
            named = "\n".join(f'"{text}" = "{way}"' for text, way in zip(texts, ways, strict=True))
            self.tables.append(f"[series]\n{named}")
        if c["unit"] == "column":
            header.append("Einheit")
            self.columns["unit"] = '"Einheit"'
        lines = []
        slots = self.slots()
        if c["difference"] == "yes":
            slots = sorted({*slots, self.count}, reverse=c["order"] == "backwards")
        base: dict[tuple[str, int], list[float]] = {}
        for name in meters:
            for which in range(3):
                sums = [500.0]
                for slot in range(self.count):
                    sums.append(round(sums[-1] + kwh(which, slot), 6))
                base[name, which] = sums
        for slot in slots:
            for name in meters:
                cells = [[f'="{name}"' if c["id"] == "quoted" else name]] if c["meter"] == "column" else [[]]
                cells.append(self.times(slot))
                rows: list[list[str]] = []
                if c["series"] == "values":
                    rows.append([self.cell(name, which, slot, base) for which in range(3)])
                else:
                    rows += [
                        [self.cell(name, which, slot, base), *([text] if text else [])]
                        for which, text in enumerate(texts)
                    ]
                lines += [
                    [one for part in cells for one in part] + row + (["kWh"] if c["unit"] == "column" else [])
                    for row in rows
                ]
        for slot in range(self.count):
            for name in meters:
                self.hold_line(name, slot)
        return self.finished(header, lines)

    def cell(self, name: str, which: int, slot: int, base: dict[tuple[str, int], list[float]]) -> str:
        if self.c["difference"] == "yes":
            return self.number(base[name, which][slot])
        return self.number(self.value(which, slot))

    def hold_line(self, name: str, slot: int) -> None:
        kind = self.c["series"]
        one, two, three = (self.value(which, slot) for which in range(3))
        name = "zähler" if self.c["meter"] == "file" else name
        if kind == "values":
            self.hold(name, slot, one)
            self.hold(name + "-export", slot, None if two is None or three is None else two + three)
        elif kind == "column":
            self.hold(name, slot, one)
            self.hold(name + "-export", slot, two)
        elif kind == "tariffs":
            self.hold(name, slot, None if one is None or two is None else one + two)
        else:
            self.hold(name, slot, one)

    def day(self) -> list[list[str]]:
        self.common()
        self.keys += ['cells = "v\\\\d+"', 'stamps = ["%d.%m.%Y"]']
        self.columns["timestamp"] = '"Tag"'
        header, name = ["Tag"], "zähler"
        if self.c["meter"] == "column":
            header.append("Zähler")
            self.columns["meter_id"] = '"Zähler"'
            name = "A 1"
        if self.c["series"] == "column":
            header.append("Richtung")
            self.columns["series"] = '"Richtung"'
            self.tables.append('[series]\n"Bezug" = "consumption"\n"Lieferung" = "generation"')
        shown = range(self.count)
        columns = 96 if self.c["dst"] == "split" else self.longest
        header += [f"v{n}" for n in range(columns)]
        lines = []
        for which, text in enumerate(["Bezug", "Lieferung"] if self.c["series"] == "column" else [""]):
            values = [self.value(which, slot) for slot in shown]
            line = [f"{self.start.astimezone(CLOCKS):%d.%m.%Y}"]
            if self.c["meter"] == "column":
                line.append(f'="{name}"' if self.c["id"] == "quoted" else name)
            if text:
                line.append(text)
            if columns == 96 and self.count == 92:
                values = [*values[:8], 0.0, 0.0, 0.0, 0.0, *values[8:]]
            elif columns == 96:
                both = zip(values[8:12], values[12:16], strict=True)
                summed = [None if one is None or two is None else one + two for one, two in both]
                values = values[:8] + summed + values[16:]
            values += [None] * (columns - len(values))
            lines.append(line + [self.number(value) for value in values])
            for slot in shown:
                self.hold(name + ("-export" if which else ""), slot, self.value(which, slot))
        return self.finished(header, lines)

    def meters(self) -> list[list[str]]:
        self.common()
        self.keys.append('cells = "M.*"')
        header = [*self.time_columns(), "M1", "Mü 2"]
        slots = self.slots()
        if self.c["difference"] == "yes":
            slots = sorted({*slots, self.count}, reverse=self.c["order"] == "backwards")
        sums = {which: [500.0] for which in range(2)}
        for which, one in sums.items():
            for slot in range(self.count):
                one.append(round(one[-1] + kwh(which, slot), 6))
        base = {("", which): one for which, one in sums.items()}
        lines = [
            [*self.times(slot), *(self.cell("", which, slot, base) for which in range(2))] for slot in slots
        ]
        for slot in range(self.count):
            for which, name in enumerate(header[-2:]):
                self.hold(name, slot, self.value(which, slot))
        return self.finished(header, lines)

    # Around the lines

    def finished(self, header: list[str], lines: list[list[str]]) -> list[list[str]]:
        if self.c["dst"] == "split" and self.c["shape"] != "day" and self.count == 100:
            lines = self.summed(header, lines)
        if self.c["dst"] == "split":
            self.halve()
        if self.c["quality"] == "yes":
            header = [*header, "Güte"]
            lines = [[*line, "W"] for line in lines]
        if self.c["last"] == "left away":
            header = [*header, "Bemerkung"]
        elif self.c["last"] == "empty cell":
            lines = [[*line, ""] for line in lines]
        if self.c["above"] == "no header":
            quoted = ", ".join(f'"{name}"' for name in header)
            self.keys.append(f"headers = [{quoted}]")
            return lines
        return [header, *lines]

    def summed(self, header: list[str], lines: list[list[str]]) -> list[list[str]]:
        """The lines with one for each stamp of the repeated hour, the sum of both."""
        first = 1 if self.c["shape"] == "long" and self.c["meter"] == "column" else 0
        times = 2 if self.c["time"] == "parts" else 1
        at = range(first + times, len(header) - (1 if self.c["unit"] == "column" else 0))
        skipped = 1 if self.c["series"] in ("column", "tariffs") else 0
        values = [n for n in at if n < len(header) - skipped - (1 if self.c["unit"] == "column" else 0)]
        found: dict[tuple[str, ...], list[str]] = {}
        for line in lines:
            key = tuple(cell for n, cell in enumerate(line) if n not in values)
            if key not in found:
                found[key] = list(line)
                continue
            for n in values:
                one, two = (float(cell.strip('"').replace(",", ".")) for cell in (found[key][n], line[n]))
                text = f"{one + two:.9f}".replace(".", self.c["decimal"])
                found[key][n] = f'"{text}"' if self.c["decimal"] == "," == self.c["delimiter"] else text
        return list(found.values())

    def halve(self) -> None:
        hour = self.start + 8 * STEP
        if self.count != 100:
            return
        signed: dict[tuple[str, datetime], float] = {}
        for (name, time), value in self.truth.items():
            bare = name.removesuffix("-export") if self.c["negative"] == "generation" else name
            sign = -1 if bare != name else 1
            signed[bare, time] = signed.get((bare, time), 0.0) + sign * value
        for (name, time), value in list(signed.items()):
            if hour <= time < hour + 4 * STEP:
                half = (value + signed[name, time + 4 * STEP]) / 2
                signed[name, time] = signed[name, time + 4 * STEP] = half
        if self.c["negative"] != "generation":
            self.truth = signed
            return
        self.truth = {}
        backwards = self.runs_backwards()
        fed: set[str] = set()
        for (name, time), value in sorted(signed.items(), key=lambda one: one[0][1], reverse=backwards):
            self.truth[name, time] = max(value, 0.0)
            if value < 0:
                fed.add(name)
            if name in fed:
                self.truth[name + "-export", time] = max(-value, 0.0)

    def write(self, folder: Path) -> tuple[Path, Path]:
        c = self.c
        file, toml = folder / "zähler.csv", folder / "profile.toml"
        text = "\r\n".join(c["delimiter"].join(line) for line in self.lines) + "\r\n"
        if c["above"] in ("lines", "counted lines"):
            text = 'Export "27.10.2024"\r\nKunde, Nr. 1; Straße\r\n\r\n' + text
        elif c["above"] == "sep":
            text = f"sep={c['delimiter']}\r\n{text}"
        file.write_bytes(text.encode(c["encoding"]))
        columns = "\n".join(f"{name} = {header}" for name, header in self.columns.items())
        body = "\n".join([*self.keys, "[columns]", columns, *self.tables]) + "\n"
        toml.write_text(body, encoding="utf-8")
        return file, toml


COVERING = covering()


@pytest.mark.parametrize("season", DAYS)
@pytest.mark.parametrize("number", range(len(COVERING)))
def test_every_pair_of_choices_is_read_right(number: int, season: str, tmp_path: Path) -> None:
    written = Written(COVERING[number], season)
    file, toml = written.write(tmp_path)
    found: dict[tuple[str, datetime], float] = {}
    tally = Tally()
    for block in read_rows(file, load_custom(toml), "UTC", Selection(), tally, skip_bad=False):
        for time, meter, value, _, _ in block:
            key = (meter, EPOCH + timedelta(microseconds=time))
            assert key not in found, (key, COVERING[number])
            found[key] = value
    wanted = {key: round(value, 6) for key, value in written.truth.items()}
    assert {key: round(value, 6) for key, value in found.items()} == wanted, COVERING[number]


def test_choices_that_do_not_go_together_are_refused_or_read_but_never_break(tmp_path: Path) -> None:
    chance = random.Random(3)
    refused = 0
    for _ in range(400):
        choice = {name: chance.choice(levels) for name, levels in FACTORS.items()}
        if goes(choice) or (choice["shape"] == "day") != (choice["time"] == "day"):
            continue
        try:
            written = Written(choice)
        except (LookupError, ValueError):
            continue  # no file can be written like that
        _, toml = written.write(tmp_path)
        try:
            load_custom(toml)
        except UsageProblem as problem:
            refused += 1
            assert "profile.toml: " in str(problem)
    assert refused > 100


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_in_a_file_what_is_said_names_the_file_and_a_remedy(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        file, toml = Written(chance.choice(COVERING)).write(tmp_path)
        data = bytearray(file.read_bytes())
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at : at + chance.randrange(40)]
            elif kind == 2:
                data[at:at] = chance.choice(
                    [b";", b'"', b"\n", b",,,", b"24:00", b"-", b"\x00", "ä".encode()]
                )
            else:
                data[at:at] = data[at : at + chance.randrange(200)]
        file.write_bytes(bytes(data))
        tally = Tally()
        for skip_bad in (False, True):
            try:
                for block in read_rows(file, load_custom(toml), "UTC", Selection(), tally, skip_bad=skip_bad):
                    assert all(isinstance(row[0], int) and isinstance(row[2], float) for row in block)
            except GridwatchError as problem:
                assert file.name in str(problem)
                assert problem.remedy
