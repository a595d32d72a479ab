"""Which column of a file is which, from its header."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from gridwatch.errors import GridwatchError
from replay.files.layout import Layout, Start, unwrapped
from replay.files.profile import OPTIONAL_FIELDS, REQUIRED_FIELDS, Profile
from replay.files.reading.spreadsheets import XLSX

#: Lines in which a header is searched for.
_HEADER_WITHIN = 100
#: Fields of files with one reading a line that say when, which way, in which unit, by which device; needed
#: where they are named.
_FURTHER_FIELDS = ("series", "slot", "until", "unit", "device")
_PARTED = ("timestamp", "until")


def by_header(start: Start, profile: Profile, line: int | None = None) -> Layout:
    """Delimiter and columns from the header, which is line `line` (from 0; as the profile says if left out).

    Where the profile has the headers, that line is the first row. GridwatchError where columns are missing,
    or two stand for one field.
    """
    first = profile.skip_lines if line is None else line
    search = _HeaderSearch(start, profile)
    layout = search.at(first)
    if layout is None and profile.find_header and line is None:
        found = (search.at(at) for at in range(min(_HEADER_WITHIN, len(start.lines))))
        layout = next((one for one in found if one is not None), None)
    if layout is None:
        raise search.problem(first)
    return layout


def plain(start: Start, delimiter: str, headers: tuple[str, ...]) -> Layout:
    """A layout without a header line; `headers` name the columns for people."""
    columns = {name: at for at, name in enumerate(headers)}
    return Layout(
        str(start.source), delimiter, start.packed == "gzip", headers, columns, ", ".join(headers),
        start.encoding, start.blank, named=False, notes=notes(start),
    )  # fmt: skip


def notes(start: Start) -> tuple[str, ...]:
    """What is worth saying of how a file is packed and written."""
    packed = (start.packed,) if start.packed in ("zip", XLSX) else ()
    return (*packed, start.encoding.upper()) if start.encoding != "utf-8-sig" else packed


@dataclass(frozen=True)
class _Found:
    """What one delimiter makes of a line."""

    layout: Layout
    missing: tuple[str, ...]
    #: How many cells the line has.
    cells: int


class _HeaderSearch:
    """Looks for the columns of a profile in lines of a file."""

    def __init__(self, start: Start, profile: Profile) -> None:
        self._start = start
        self._profile = profile
        names = (*REQUIRED_FIELDS, *_FURTHER_FIELDS)
        self._required = tuple(
            name for name in names if profile.columns.get(name) and name not in profile.optional
        )
        self._wanted = {
            name: tuple(_folded(header) for header in profile.accepted(name))
            for name in (*names, *OPTIONAL_FIELDS)
            if profile.columns.get(name) or name in OPTIONAL_FIELDS
        }
        if profile.quality:
            self._wanted["quality"] = (_folded(profile.quality[0]),)
        self._cells = re.compile(profile.cells, re.IGNORECASE) if profile.cells else None
        self._values = [re.compile(header, re.IGNORECASE) for header, _ in profile.values]
        self._delimiters = profile.delimiters
        if start.separator and len(profile.delimiters) > 1:
            self._delimiters = (start.separator,)

    def at(self, line: int) -> Layout | None:
        """The layout of a file whose header this line is; None where it is not."""
        found = self._best(line)
        return None if found.missing else found.layout

    def problem(self, line: int) -> GridwatchError:
        """The error for a line that is no header."""
        start, layout, missing = self._start, self._best(line).layout, self._best(line).missing
        below = (at for at in range(min(_HEADER_WITHIN, len(start.lines))) if self.at(at) is not None)
        instead = next(below, None)
        remedy = "rename the headers, or choose another --profile (--profile auto finds out)"
        if instead is not None:
            remedy = f"line {start.blank + instead + 1} looks like the header: skip_lines = {instead}"
        spoilt = next((name for name in layout.headers if any("\udc80" <= c <= "\udcff" for c in name)), None)
        no = " and ".join(missing)
        if spoilt is not None:
            shown = spoilt.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
            no += f"; the file is not UTF-8, which {shown!r} shows"
            remedy = (
                'name its encoding in a profile of your own, such as encoding = "cp1252", or save as UTF-8'
            )
        headers = ", ".join(layout.headers)[:300].encode("utf-8", "backslashreplace").decode()
        return GridwatchError(
            f"{start.source}, line {start.blank + line + 1}: {no}; headers found: {headers or 'none'}; "
            f"accepted: {layout.accepted}",
            remedy,
        )

    def _best(self, line: int) -> _Found:
        lines = self._start.lines
        text = lines[line] if line < len(lines) else ""
        found = [self._with(text, line, delimiter) for delimiter in self._delimiters]
        return max(found, key=lambda one: (-len(one.missing), one.cells))

    def _with(self, text: str, line: int, delimiter: str) -> _Found:
        start, profile = self._start, self._profile
        cells = next(csv.reader([text], delimiter=delimiter), [])
        headers = tuple(unwrapped(cell.strip().lstrip("\ufeff")) for cell in cells)
        while headers and not headers[-1] and len(headers) > 1:
            headers = headers[:-1]
        if profile.headers and self._first_row(headers):
            headers = profile.headers
        columns, parts = self._columns(headers)
        taken = {*columns.values(), *(at for places in parts.values() for at in places)}
        free = [(at, name) for at, name in enumerate(headers) if at not in taken]
        wide = tuple(at for at, name in free if self._cells and self._cells.fullmatch(name))
        values = tuple(
            (at, number)
            for at, name in free
            for number, pattern in enumerate(self._values)
            if pattern.fullmatch(name)
        )
        layout = Layout(
            str(start.source), delimiter, start.packed == "gzip", headers, columns, self._accepted(),
            start.encoding, start.blank + line + (0 if profile.headers else 1), not profile.headers,
            notes(start), wide, parts, values,
        )  # fmt: skip
        return _Found(layout, self._missing(layout), len(cells))

    def _first_row(self, cells: tuple[str, ...]) -> bool:
        """Whether a line has the columns of a file without a header; the last ones may be left away."""
        headers = self._profile.headers
        columns, parts = self._columns(headers)
        needed = {columns[name] for name in self._required if name in columns}
        needed.update(at for places in parts.values() for at in places)
        return len(cells) == len(headers) or max(needed, default=0) < len(cells) < len(headers)

    def _missing(self, layout: Layout) -> tuple[str, ...]:
        profile = self._profile
        missing = [f"no column {name}" for name in self._required if name not in layout.columns]
        if self._cells and not layout.cells:
            missing.append(f"no columns named like {profile.cells}")
        if self._values and not layout.values:
            named = ", ".join(header.replace("\\", "") for header, _ in profile.values)
            missing.append(f"no column of values, {named}")
        if missing:
            return tuple(missing)
        folded = [_folded(header) for header in layout.headers]
        for name, aliases in self._wanted.items():
            if name not in layout.columns:
                continue
            several = [alias for alias in aliases if alias in folded]
            twice = [alias for alias in several[:1] if folded.count(alias) > 1]
            joined = name in _PARTED and profile.join_stamps
            if twice or (profile.strict_headers and len(several) > 1 and not joined):
                both = " and ".join(twice * 2 or several)
                missing.append(f"two columns for {name}, {both}: name one")
        return tuple(missing)

    def _columns(self, headers: tuple[str, ...]) -> tuple[dict[str, int], dict[str, tuple[int, ...]]]:
        """Field → column, of several aliases the first accepted one; and all columns of stamps in parts."""
        found = [_folded(header) for header in headers]
        columns: dict[str, int] = {}
        parts: dict[str, tuple[int, ...]] = {}
        for name, aliases in self._wanted.items():
            places = tuple(found.index(alias) for alias in aliases if alias in found)
            if places:
                columns[name] = places[0]
                if name in _PARTED and self._profile.join_stamps:
                    parts[name] = places
        return columns, parts

    def _accepted(self) -> str:
        profile = self._profile
        names = ["|".join(profile.accepted(name)) for name in self._required]
        return ", ".join([*names, *(header.replace("\\", "") for header, _ in profile.values)])


def _folded(header: str) -> str:
    return " ".join(header.split()).lower()
