"""Opening meter files: how they are packed and in which encoding, found out from their start."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from gridwatch.errors import GridwatchError
from replay.files.layout import Layout, Start
from replay.files.profile import Profile
from replay.files.reading.headers import by_header, plain
from replay.files.reading.spreadsheets import XLSX, SheetLines, as_sheet, is_spreadsheet
from replay.files.sources import DAMAGE, Source

__all__ = ["by_header", "inspect", "opened", "opened_text", "plain", "sniff"]

_SNIFFED_BYTES = 262_144
#: A line longer than this, in bytes, is no line of meter data: it would only fill the memory.
LONGEST_LINE = 1 << 24
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_8_MARK = b"\xef\xbb\xbf"
#: A first line by which spreadsheets know the delimiter.
_SEPARATOR = re.compile(r'"?sep=(.)"?[;, ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)


def inspect(path: Path | Source, profile: Profile) -> Layout:
    """How a file is written. GridwatchError when it is missing, empty, no text, or not of the profile."""
    start = sniff(path if isinstance(path, Source) else Source(path), profile.encoding)
    if start.packed == XLSX:
        profile = as_sheet(profile)
    return (profile.inspect or by_header)(start, profile)


def sniff(source: Source, encoding: str = "") -> Start:
    """The beginning of a file. GridwatchError when it cannot be read, is empty, or is no text.

    `encoding` is what the profile says; a mark of UTF-8 or UTF-16 at the start of the file is believed more.
    """
    try:
        with opened(source) as (raw, packed):
            start = raw.read(_SNIFFED_BYTES)
    except DAMAGE as problem:
        raise source.damaged(problem) from problem
    except OSError as problem:
        raise GridwatchError(
            f"{source}: cannot be read: {problem.strerror}", "name a readable file"
        ) from problem
    encoding = _encoding(start, encoding)
    text = _decoded(source, start, encoding)
    if not text.strip():
        raise GridwatchError(f"{source}: the file is empty", "give a CSV file with a header and rows")
    if "\x00" in text or sum("\udc80" <= character <= "\udcff" for character in text) > len(text) // 10:
        raise GridwatchError(
            f"{source}: not text but binary data, or text that is neither UTF-8 nor marked as UTF-16",
            "give a CSV file in UTF-8, plain, gzip or zip, or name its encoding in a profile of your own",
        )
    if len(start) == _SNIFFED_BYTES and "\n" not in text and "\r" not in text and "<" not in text:
        raise GridwatchError(
            f"{source}, line 1: no line end in the first {_SNIFFED_BYTES:,} bytes", "give a file of lines"
        )
    rest = text.lstrip("\r\n\ufeff")
    separator = _SEPARATOR.match(rest)
    if separator:
        rest = rest[separator.end() :].lstrip("\r\n")
    before = text[: len(text) - len(rest)].replace("\r\n", "\n")
    blank = before.count("\n") + before.count("\r")
    return Start(source, packed, encoding, rest, blank, separator[1] if separator else "")


def _encoding(start: bytes, named: str) -> str:
    if start[:2] in _UTF_16:
        return "utf-16"
    if start[:3] == _UTF_8_MARK or not named or codecs.lookup(named).name == "utf-8":
        return "utf-8-sig"
    return named


def _decoded(source: Source, start: bytes, encoding: str) -> str:
    if encoding == "utf-8-sig":
        return start.decode(encoding, "surrogateescape")
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(start)
    except UnicodeDecodeError as problem:
        line = start[: problem.start].count(b"\n") + 1
        raise GridwatchError(
            f"{source}, line {line}: not {encoding}: byte 0x{start[problem.start]:02X}: {problem.reason}",
            "name another encoding in the profile",
        ) from problem


@contextmanager
def opened(
    source: Source, on_bytes: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[BinaryIO, str]]:
    """The bytes of a file, as `Source.opened`; of a spreadsheet those of its first sheet as CSV."""
    if is_spreadsheet(source):
        yield cast(BinaryIO, SheetLines(source, on_bytes)), XLSX
        return
    with source.opened(on_bytes) as found:
        yield found


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
                    "correct the file",
                )
        return found


@contextmanager
def opened_text(
    source: Source, encoding: str, on_bytes: Callable[[int], None] = lambda _: None
) -> Iterator[io.TextIOWrapper]:
    """The text of a file. Bytes that are not UTF-8 become lone surrogates: they spoil their own row only."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    with opened(source, on_bytes) as (raw, _):
        text = io.TextIOWrapper(
            cast(BinaryIO, _Lines(raw, source)), encoding=encoding, errors=errors, newline=""
        )
        try:
            yield text
        finally:
            text.detach()
