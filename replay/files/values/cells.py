"""Texts of cells to values: meters, numbers, quality codes."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from fractions import Fraction
from math import isfinite

from gridwatch.domain.reading import STREAM_FLAGS
from gridwatch.domain.validation.rules import MAX_CODE, MAX_CODES
from replay.files.job import BadCell, Job
from replay.files.layout import unwrapped
from replay.files.rows import Row

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CACHED_TEXTS = 200_000
#: Decimals of a kWh that a converted value keeps.
DECIMALS = 12
#: A number as spreadsheets (5.41E+17) and programs (5.41e+17) write it when it has too many digits.
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d+")
_AS_TEXT = "a number that a spreadsheet rounded: format the column of ids as text, and export it again"
_OTHER_BYTES = 'correct the row, or name the encoding in a profile of your own, such as encoding = "cp1252"'
#: What to do where marks are taken for each other.
MARKS = (
    'say which mark is which in a profile of your own, such as decimal = "," and thousands = ".", or write '
    "the file without thousands marks"
)
#: A number with thousands in one way or another.
_PARTED = re.compile(r"[+-]?\d{1,3}(?:[.,'’ ]\d{3})+(?:[.,]\d+)?|[+-]?\d+[.,]\d+")
#: Blanks that no line breaks at.
_BLANKS = re.compile("[\xa0\u2009\u202f]")
_WORD = re.compile(r"[^A-Z0-9]+")


class Meters(dict[str, "str | None"]):
    """Text of a meter id → the id, or None where it is not wanted."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self._pattern = pattern

    def __missing__(self, text: str) -> str | None:
        meter = unwrapped(text.strip())
        if not meter:
            raise BadCell("meter_id", text, "empty")
        if CONTROL.search(meter):
            raise BadCell(
                "meter_id", text, "has control characters or bytes that are not UTF-8", _OTHER_BYTES
            )
        if _ROUNDED.fullmatch(meter):
            raise BadCell("meter_id", text, _AS_TEXT)
        chosen = meter if fnmatchcase(meter, self._pattern) else None
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = chosen
        return chosen


def named_after_file(job: Job) -> str:
    """The meter of a file that has no column for it; two files of one name are noted."""
    meter, file = job.source.stem, job.layout.file
    other = job.tally.named_after.setdefault(meter, file)
    if other != file:
        job.tally.notes[f"{other} and {file} have the same name: taken as one meter"] += 1
    return meter


class Numbers:
    """Numbers of a file with one decimal mark: the first one met is the file's."""

    def __init__(self, marks: tuple[str, ...], delimiter: str, thousands: str = "") -> None:
        """`thousands` is what parts them, where the profile says so."""
        # In a file delimited by commas a comma cannot also be the decimal mark of a bare number, unless the
        # profile says so: then numbers stand in quotes.
        self._may_be_comma = "," in marks and (delimiter != "," or marks == (",",))
        self._thousands = thousands
        point = "[.,]".replace(thousands, "")
        self._parted = re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+(?:{point}\d+)?")
        self._mark = "" if self._may_be_comma and "." in marks else ("," if self._may_be_comma else ".")

    @property
    def pointed(self) -> bool:
        """Whether the mark is known to be a point: then numbers are what `float` reads."""
        return self._mark == "."

    def read(self, name: str, text: str) -> float:
        """The number in a cell; BadCell names the field."""
        if self._thousands:
            text = self._joined(name, text)
        try:
            number = float(text)
            if self._mark != "." and "." in text:
                if self._mark:
                    raise BadCell(name, text, "a decimal point in a file of decimal commas", MARKS)
                self._mark = "."
        except BadCell:
            raise
        except ValueError:
            bare = unwrapped(text.strip())
            if bare != text.strip():
                return self.read(name, bare)
            number = self._with_comma(name, text)
        if not isfinite(number) or "_" in text:
            bare = text.strip()
            raise BadCell(name, text, "not a number" if bare else "empty", _remedy(bare))
        return number

    def _joined(self, name: str, text: str) -> str:
        """The number without what parts its thousands."""
        bare = unwrapped(text.strip())
        if self._thousands == " ":
            bare = _BLANKS.sub(" ", bare)
        if self._thousands not in bare:
            return bare
        if not self._parted.fullmatch(bare):
            raise BadCell(
                name, text, f"not a number: {self._thousands!r} parts thousands, and these are none"
            )
        return bare.replace(self._thousands, "")

    def _with_comma(self, name: str, text: str) -> float:
        try:
            number = float(text.replace(",", ".")) if text.count(",") == 1 else float("nan")
        except ValueError:
            number = float("nan")
        if isfinite(number):
            if self._mark == ".":
                raise BadCell(name, text, "not a number: a decimal comma in a file of decimal points", MARKS)
            self._mark = ","
        return number


def fitted(cells: list[str], width: int, needed: int, delimiter: str) -> list[str]:
    """The cells of a line as many as the header has. BadCell where that is not for empty cells alone.

    Empty cells after the last column are dropped, and last columns that were left away are empty, as long
    as the line reaches to the column `needed`.
    """
    if len(cells) > width and not "".join(cells[width:]).strip():
        return cells[:width]
    if needed < len(cells) < width:
        return cells + [""] * (width - len(cells))
    reason = f"{len(cells)} columns, the header has {width}"
    if delimiter == "," and len(cells) == width + 1:
        reason += " (is it a decimal comma?)"
    raise BadCell("(row)", delimiter.join(cells)[:200], reason)


def _remedy(text: str) -> str:
    """What to do about a text that is no number."""
    if not text or text.isalpha() or set(text) <= set("-–.?*#/"):
        shown = text.replace('"', "")
        return f'name it as a value that stands for no reading in a profile of your own: nulls = ["{shown}"]'
    return MARKS if _PARTED.fullmatch(_BLANKS.sub(" ", text)) else ""


class Scale:
    """Values of a file to kWh. Converted ones lose only the noise of floating point, so sums stay exact."""

    def __init__(self, factor: Fraction) -> None:
        self._up, self._down = factor.numerator, factor.denominator
        self.is_one = factor == 1

    def __call__(self, value: float) -> float:
        return value if self.is_one else round(value * self._up / self._down, DECIMALS)


def flagged(codes: list[str]) -> str:
    """Quality codes as a member of the raw record: `,"flags":["NEM12_E"]`, or nothing."""
    return f',"flags":{json.dumps(codes[:MAX_CODES])}' if codes else ""


def code(prefix: str, text: str) -> str:
    """A quality code as one upper-case word after the name of its list."""
    return f"{prefix}_{_WORD.sub('_', text.strip().upper()).strip('_')}"[:MAX_CODE]


def codes(prefix: str, text: str) -> list[str]:
    """The quality codes of a cell: one of a list with a name, or several between blanks, as exported.

    gridwatch's own flags are left out: the worker sets them itself.
    """
    if prefix:
        return [code(prefix, text)]
    words = (_WORD.sub("_", word.upper()).strip("_")[:MAX_CODE] for word in text.split())
    return [word for word in words if word and word not in STREAM_FLAGS]


def given(interval: int) -> str:
    """An interval (minutes) as a member of the raw record, or nothing."""
    return f',"interval_minutes":{interval}' if interval else ""


def tail(interval: int, codes: list[str] | None = None, members: str = "") -> tuple[int, str]:
    """The last two parts of a row: the interval that is given with it, and all its further members."""
    return interval, given(interval) + members + flagged(codes or [])


class Intake:
    """Readings of any shape of file → rows that are wanted, counted."""

    def __init__(self, job: Job) -> None:
        selection = job.selection
        self.tally = job.tally
        self._meters = Meters(selection.meters)
        self._start = selection.start if selection.start is not None else -(1 << 63)
        self._end = selection.end if selection.end is not None else 1 << 63

    def wants(self, meter: str, time: int) -> bool:
        """Whether a reading is among those that are selected. Nothing is counted."""
        return self._start <= time < self._end and self._meters[meter] is not None

    def take(self, rows: list[Row], meter: str, time: int, kwh: float, tail: tuple[int, str]) -> None:
        """Append a reading to `rows`; `tail` is its interval and its further JSON members."""
        chosen = self._meters[meter]
        self.tally.rows += 1
        if chosen is None or not self._start <= time < self._end:
            self.tally.left_out += 1
            return
        rows.append((time, chosen, kwh, *tail))
