"""Opening meter files: encoding, delimiter, which column is which, found out from the start of the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from gridwatch.errors import GridwatchError
from replay.layout import Layout, Start
from replay.profile import OPTIONAL_FIELDS, REQUIRED_FIELDS, Profile
from replay.sources import DAMAGE, Source

_SNIFFED_BYTES = 262_144
#: A line longer than this, in bytes, is no line of meter data: it would only fill the memory.
LONGEST_LINE = 1 << 24
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def inspect(path: Path | Source, profile: Profile) -> Layout:
    """How a file is written. GridwatchError when it is missing, empty, no text, or not of the profile."""
    start = sniff(path if isinstance(path, Source) else Source(path))
    return (profile.inspect or by_header)(start, profile)


def by_header(start: Start, profile: Profile, line: int | None = None) -> Layout:
    """Delimiter and columns from the header, which is line `line` (from 0; as the profile says if left out).

    Where the profile has the headers, that line is the first row.
    """
    line = profile.skip_lines if line is None else line
    required = tuple(name for name in (*REQUIRED_FIELDS, "series") if profile.columns.get(name))
    wanted = {name: _accepted(profile, name) for name in (*required, *OPTIONAL_FIELDS)}
    if profile.quality:
        wanted["quality"] = (profile.quality[0].strip().lower(),)
    accepted = ", ".join("|".join(profile.accepted(name)) for name in required)
    text = start.lines[line] if line < len(start.lines) else ""
    pattern = re.compile(profile.cells, re.IGNORECASE) if profile.cells else None
    found: list[tuple[int, int, Layout]] = []
    for delimiter in profile.delimiters:
        headers = tuple(cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), []))
        if profile.headers and len(headers) == len(profile.headers):
            headers = profile.headers
        columns = _match(headers, wanted)
        taken = columns.values()
        cells = tuple(
            at for at, name in enumerate(headers) if pattern and at not in taken and pattern.fullmatch(name)
        )
        layout = Layout(
            str(start.source), delimiter, start.packed == "gzip", headers, columns, accepted,
            start.encoding, start.blank + line + (0 if profile.headers else 1), not profile.headers,
            _notes(start), cells,
        )  # fmt: skip
        found.append((sum(name in columns for name in required), len(headers), layout))
    layout = max(found, key=lambda one: one[:2])[2]
    missing = [name for name in required if name not in layout.columns]
    if missing or (pattern and not layout.cells):
        no = " and ".join(f"no column {name}" for name in missing) or f"no columns named like {profile.cells}"
        raise GridwatchError(
            f"{start.source}, line {start.blank + line + 1}: {no}; "
            f"headers found: {', '.join(layout.headers)[:300] or 'none'}; accepted: {accepted}",
            "rename the headers, or choose another --profile (--profile auto finds out)",
        )
    return layout


def plain(start: Start, delimiter: str, headers: tuple[str, ...]) -> Layout:
    """A layout without a header line; `headers` name the columns for people."""
    columns = {name: at for at, name in enumerate(headers)}
    return Layout(
        str(start.source), delimiter, start.packed == "gzip", headers, columns, ", ".join(headers),
        start.encoding, start.blank, named=False, notes=_notes(start),
    )  # fmt: skip


def sniff(source: Source) -> Start:
    """The beginning of a file. GridwatchError when it cannot be read, is empty, or is no text."""
    try:
        with source.opened() as (raw, packed):
            start = raw.read(_SNIFFED_BYTES)
    except DAMAGE as problem:
        raise source.damaged(problem) from problem
    except OSError as problem:
        raise GridwatchError(
            f"{source}: cannot be read: {problem.strerror}", "name a readable file"
        ) from problem
    encoding = "utf-16" if start[:2] in _UTF_16 else "utf-8-sig"
    text = start.decode(encoding, "ignore" if encoding == "utf-16" else "surrogateescape")
    if not text.strip():
        raise GridwatchError(f"{source}: the file is empty", "give a CSV file with a header and rows")
    if "\x00" in text or sum("\udc80" <= character <= "\udcff" for character in text) > len(text) // 10:
        raise GridwatchError(
            f"{source}: not text but binary data, or text that is neither UTF-8 nor marked as UTF-16",
            "give a CSV file in UTF-8, plain, gzip or zip",
        )
    if len(start) == _SNIFFED_BYTES and "\n" not in text and "\r" not in text and "<" not in text:
        raise GridwatchError(
            f"{source}, line 1: no line end in the first {_SNIFFED_BYTES:,} bytes", "give a file of lines"
        )
    rest = text.lstrip("\r\n")
    before = text[: len(text) - len(rest)].replace("\r\n", "\n")
    return Start(source, packed, encoding, rest, len(before))


class _Lines(io.BufferedIOBase):
    """The bytes of another stream, as long as lines end now and then."""

    def __init__(self, raw: BinaryIO, source: Source) -> None:
        self._raw = cast(io.BufferedReader, raw)
        self._source = source
        self._line = 1
        self._since_end = 0

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        """The next bytes. GridwatchError when a line does not end."""
        found = self._raw.read1(size)
        ends = found.count(b"\n") or found.count(b"\r")
        if ends:
            self._line += ends
            self._since_end = len(found) - 1 - max(found.rfind(b"\n"), found.rfind(b"\r"))
        else:
            self._since_end += len(found)
            if self._since_end > LONGEST_LINE:
                raise GridwatchError(
                    f"{self._source}, line {self._line}: no line end in {LONGEST_LINE >> 20} MB",
                    "mend the file",
                )
        return found


@contextmanager
def opened_text(
    source: Source, encoding: str, on_bytes: Callable[[int], None] = lambda _: None
) -> Iterator[io.TextIOWrapper]:
    """The text of a file. Bytes that are not UTF-8 become lone surrogates: they spoil their own row only."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    with source.opened(on_bytes) as (raw, _):
        text = io.TextIOWrapper(
            cast(BinaryIO, _Lines(raw, source)), encoding=encoding, errors=errors, newline=""
        )
        try:
            yield text
        finally:
            text.detach()


def _notes(start: Start) -> tuple[str, ...]:
    packed = (start.packed,) if start.packed == "zip" else ()
    return (*packed, "UTF-16") if start.encoding == "utf-16" else packed


def _accepted(profile: Profile, name: str) -> tuple[str, ...]:
    return tuple(header.strip().lower() for header in profile.accepted(name))


def _match(headers: tuple[str, ...], wanted: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Field → column; of several aliases in one file the first accepted one counts."""
    found = [header.lower() for header in headers]
    return {
        name: found.index(next(alias for alias in aliases if alias in found))
        for name, aliases in wanted.items()
        if any(alias in found for alias in aliases)
    }
