"""Green Button files (ESPI, Atom XML) as a stream of events: bounded memory, nothing outside is resolved.

A file is read twice: what blocks of readings belong to (usage points, meter readings, reading types) may
stand after them. `defusedxml` refuses document types and entities before anything is expanded. The one
Green Button library on the package index builds a tree of the whole file with the plain XML parser, which
does neither, and has had no release since 2024. What no meter data holds (elements without end, texts or a
depth beyond all measure) stops the reading before it fills the memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from gridwatch.domain.instants import parse_instant
from gridwatch.errors import GridwatchError
from replay.files.sources import DAMAGE, Source

_CHUNK = 1 << 16
_LONGEST_TEXT = 10_000
_LONGEST_TAG = 1 << 22
_DEEPEST = 64
_MOST_PARTS = 1_000
_MOST_ENTRIES = 500_000


class _NoMeterDataError(Exception):
    """XML that no meter data is like."""


@dataclass
class Entry:
    """An Atom entry: what it holds, its own address, its parent's, and those of what it refers to."""

    kind: str = ""
    #: Which entry of the file it is, from 0.
    number: int = -1
    #: When it was updated, as it stands; that of the whole file where the entry does not say.
    updated: str = ""
    own: str = ""
    up: str = ""
    related: list[str] = field(default_factory=list)
    #: Texts of the elements of the content, by name.
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class IntervalReading:
    """One reading as it stands, texts unread; `line` in the file.

    `block_start` is the text of when its block begins, empty if that is not given; `before` counts the
    readings of the block that stand before it.
    """

    line: int
    values: dict[str, str]
    qualities: list[str]
    block_start: str
    before: int


@dataclass
class Contents:
    """What a file holds apart from its readings."""

    #: Usage points, meter readings and reading types.
    entries: list[Entry] = field(default_factory=list)
    #: The entries that have blocks of readings, one for each address above them.
    blocks: dict[str, Entry] = field(default_factory=dict)
    #: When each entry was updated, seconds since 1970; 0 where that is not given.
    updates: array[int] = field(default_factory=lambda: array("q"))

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of a kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    def updated(self, entry: Entry) -> int:
        """When an entry was updated."""
        return self.updates[entry.number] if 0 <= entry.number < len(self.updates) else 0


class _Handler(ContentHandler):
    """Gathers entries and readings; hands each out when it ends."""

    def __init__(
        self, on_entry: Callable[[Entry], None], on_reading: Callable[[Entry, IntervalReading], None]
    ) -> None:
        super().__init__()
        self._on_entry, self._on_reading = on_entry, on_reading
        self._entry = Entry()
        self._entries = 0
        self._file_updated = ""
        self._reading: IntervalReading | None = None
        self._text: list[str] = []
        self._size = self._depth = self._before = 0
        self._block_start = ""
        self._locator: Any = None
        #: Set by everything that was met; whoever feeds the parser takes it back.
        self.met = False

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 - named by the parser
        self._locator = locator

    def startElement(self, name: str, attributes: Any) -> None:  # noqa: N802 - named by the parser
        name = name.rsplit(":", 1)[-1]
        self._text, self._size, self.met = [], 0, True
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NoMeterDataError(f"elements within elements, more than {_DEEPEST} deep")
        if name == "entry":
            if not self._entries:
                self._file_updated = self._entry.updated
            self._entry = Entry(number=self._entries, updated=self._file_updated)
            self._entries += 1
        elif name == "link":
            href = attributes.get("href", "").rstrip("/")
            if attributes.get("rel") == "self":
                self._entry.own = href
            elif attributes.get("rel") == "up":
                self._entry.up = href
            elif len(self._entry.related) < _MOST_PARTS:
                self._entry.related.append(href)
        elif name in ("UsagePoint", "MeterReading", "ReadingType", "IntervalBlock", "LocalTimeParameters"):
            self._entry.kind = self._entry.kind or name
            self._block_start, self._before = "", 0
        elif name == "IntervalReading":
            line = self._locator.getLineNumber()
            self._reading = IntervalReading(line, {}, [], self._block_start, self._before)
            self._before += 1

    def characters(self, content: str) -> None:
        self.met = True
        if self._size < _LONGEST_TEXT:
            self._text.append(content[:_LONGEST_TEXT])
            self._size += len(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - named by the parser
        name = name.rsplit(":", 1)[-1]
        text = "".join(self._text).strip()
        self._text, self._size, self.met = [], 0, True
        self._depth -= 1
        reading = self._reading
        if name == "IntervalReading" and reading is not None:
            self._on_reading(self._entry, reading)
            self._reading = None
        elif reading is not None:
            if len(reading.values) + len(reading.qualities) > _MOST_PARTS:
                raise _NoMeterDataError(f"a reading of more than {_MOST_PARTS} parts")
            if name == "quality":
                reading.qualities.append(text)
            else:
                reading.values[name] = text
        elif name == "entry":
            self._on_entry(self._entry)
        elif name == "updated":
            self._entry.updated = text
        elif self._entry.kind == "IntervalBlock":
            if name == "start":
                self._block_start = text
        elif self._entry.kind and len(self._entry.values) < _MOST_PARTS:
            self._entry.values[name] = text


def contents(source: Source) -> Contents:
    """Everything but the readings: usage points, meter readings, reading types, and where blocks belong."""
    found = Contents()
    for _ in _parsed(source, lambda entry: _keep(found, entry), lambda _entry, _reading: None):
        pass
    return found


def readings(
    source: Source, on_bytes: Callable[[int], None]
) -> Iterator[list[tuple[Entry, IntervalReading]]]:
    """The readings with the block they stand in, some at a time."""
    found: list[tuple[Entry, IntervalReading]] = []
    for _ in _parsed(
        source, lambda _entry: None, lambda entry, reading: found.append((entry, reading)), on_bytes
    ):
        if found:
            yield found
            found.clear()


def _keep(found: Contents, entry: Entry) -> None:
    if len(found.updates) < _MOST_ENTRIES:
        found.updates.append(_seconds(entry.updated))
    if entry.kind == "IntervalBlock":
        if len(found.blocks) < _MOST_ENTRIES:
            found.blocks.setdefault(entry.up or entry.own, entry)
    elif entry.kind in ("UsagePoint", "MeterReading", "ReadingType", "LocalTimeParameters"):
        if len(found.entries) >= _MOST_ENTRIES:
            raise _NoMeterDataError(f"more than {_MOST_ENTRIES:,} entries")
        found.entries.append(entry)


def _seconds(updated: str) -> int:
    try:
        return max(0, parse_instant(updated, "UTC")[0] // 1_000_000)
    except (ValueError, OverflowError):
        return 0


def _parsed(
    source: Source,
    on_entry: Callable[[Entry], None],
    on_reading: Callable[[Entry, IntervalReading], None],
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Iterator[None]:
    """Feed the file to the parser, a chunk at a time; ends after the last one."""
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.expatreader import create_parser
    except ImportError as problem:
        raise GridwatchError(
            f"Green Button files are read with defusedxml, which is missing ({problem})",
            "pip install 'gridwatch[datasets]'",
        ) from problem
    parser = create_parser(forbid_dtd=True)
    handler = _Handler(on_entry, on_reading)
    handler.setDocumentLocator(parser)
    parser.setContentHandler(handler)
    try:
        with source.opened(on_bytes) as (raw, _):
            unmet = 0
            while chunk := raw.read(_CHUNK):
                handler.met = False
                parser.feed(chunk)
                unmet = 0 if handler.met else unmet + len(chunk)
                if unmet > _LONGEST_TAG:
                    raise _NoMeterDataError(f"an element without end in {_LONGEST_TAG >> 20} MB")
                yield
            parser.close()
            yield
    except DefusedXmlException as problem:
        raise GridwatchError(
            f"{source}, line {parser.getLineNumber()}: a document type or entities ({problem}): refused, a "
            "Green Button file has none",
            "do not trust this file",
        ) from problem
    except _NoMeterDataError as problem:
        raise GridwatchError(
            f"{source}, line {parser.getLineNumber()}: {problem}: refused", "do not trust this file"
        ) from problem
    except SAXParseException as problem:
        raise GridwatchError(
            f"{source}, line {problem.getLineNumber()}: not whole XML: {problem.getMessage()}",
            "fetch it again",
        ) from problem
    except DAMAGE as problem:
        raise source.damaged(problem) from problem
