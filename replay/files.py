"""Opening meter files: plain or gzip, which delimiter, which column is which, found out from the header."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from gridwatch.errors import GridwatchError
from replay.profiles import OPTIONAL_FIELDS, REQUIRED_FIELDS, Profile

_SNIFFED_BYTES = 65_536


@dataclass(frozen=True)
class Layout:
    """How one file turned out to be written."""

    file: str
    delimiter: str
    compressed: bool
    headers: tuple[str, ...]
    columns: dict[str, int]
    accepted: str

    @property
    def ignored(self) -> list[str]:
        """Headers that mean nothing to the profile."""
        used = set(self.columns.values())
        return [header for index, header in enumerate(self.headers) if index not in used]


def inspect(path: Path, profile: Profile) -> Layout:
    """Read the header of a file. GridwatchError when it is missing, empty, no text, or lacks a column."""
    compressed, start = _sniff(path)
    line = re.split("[\r\n]", start, maxsplit=1)[0]
    wanted = {name: _accepted(profile, name) for name in (*REQUIRED_FIELDS, *OPTIONAL_FIELDS)}
    accepted = ", ".join("|".join(profile.accepted(name)) for name in REQUIRED_FIELDS)
    best: tuple[int, int, str, tuple[str, ...], dict[str, int]] | None = None
    for delimiter in profile.delimiters:
        headers = tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), []))
        columns = _match(headers, wanted)
        score = (sum(name in columns for name in REQUIRED_FIELDS), len(headers), delimiter, headers, columns)
        if best is None or score[:2] > best[:2]:
            best = score
    if best is None:
        raise GridwatchError(f"profile {profile.name} names no delimiter")
    _, _, delimiter, headers, columns = best
    missing = [name for name in REQUIRED_FIELDS if name not in columns]
    if missing:
        raise GridwatchError(
            f"{path}, line 1: no column {' and no column '.join(missing)}; "
            f"headers found: {', '.join(headers)[:300] or 'none'}; accepted: {accepted}",
            "rename the headers, or choose another --profile",
        )
    return Layout(str(path), delimiter, compressed, headers, columns, accepted)


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


def _sniff(path: Path) -> tuple[bool, str]:
    """Whether the file is gzip (by its magic bytes), and the text it begins with."""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with open_text(path, compressed) as text:
            start = text.read(_SNIFFED_BYTES)
    except FileNotFoundError as problem:
        raise GridwatchError(f"no such file: {path}", "check the path") from problem
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise GridwatchError(f"{path}: the gzip data is damaged ({problem})", "fetch it again") from problem
    except OSError as problem:
        raise GridwatchError(
            f"{path}: cannot be read: {problem.strerror}", "name a readable file"
        ) from problem
    if not start.strip():
        raise GridwatchError(f"{path}: the file is empty", "give a CSV file with a header and rows")
    if "\x00" in start or sum("\udc80" <= character <= "\udcff" for character in start) > len(start) // 10:
        raise GridwatchError(
            f"{path}: not text but binary data, or text that is not UTF-8",
            "give a CSV file in UTF-8, plain or gzip",
        )
    return compressed, start


def open_text(path: Path, compressed: bool) -> io.TextIOWrapper:
    """The text of a file. Bytes that are not UTF-8 become lone surrogates: they spoil their own row only."""
    raw = gzip.open(path, "rb") if compressed else path.open("rb")  # noqa: SIM115 - closed with the text
    return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
