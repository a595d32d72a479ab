"""Green Button files (ESPI, Atom XML) as a stream of events: bounded memory, nothing outside is resolved.

A file is read twice: what blocks of readings belong to (usage points, meter readings, reading types) may
stand behind them. `defusedxml` refuses document types and entities before anything is expanded. The one
Green Button library on the package index builds a tree of the whole file with the plain XML parser, which
does neither, and has had no release since 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from gridwatch.errors import GridwatchError
from replay.sources import DAMAGE, Source

_CHUNK = 1 << 16
_LONGEST_TEXT = 10_000


@dataclass
class Entry:
    """An Atom entry: what it holds, its own address, its parent's, and those of what it refers to."""

    kind: str = ""
    own: str = ""
    up: str = ""
    related: list[str] = field(default_factory=list)
    #: Texts of the elements of the content, by name.
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class IntervalReading:
    """One reading as it stands, texts unread; `line` in the file."""

    line: int
    values: dict[str, str]
    qualities: list[str]


class _Handler(ContentHandler):
    """Gathers entries and readings; hands each out when it ends."""

    def __init__(
        self, on_entry: Callable[[Entry], None], on_reading: Callable[[Entry, IntervalReading], None]
    ) -> None:
        super().__init__()
        self._on_entry, self._on_reading = on_entry, on_reading
        self._entry = Entry()
        self._reading: IntervalReading | None = None
        self._text: list[str] = []
        self._locator: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 - named by the parser
        self._locator = locator

    def startElement(self, name: str, attributes: Any) -> None:  # noqa: N802 - named by the parser
        name = name.rsplit(":", 1)[-1]
        self._text = []
        if name == "entry":
            self._entry = Entry()
        elif name == "link":
            href = attributes.get("href", "").rstrip("/")
            if attributes.get("rel") == "self":
                self._entry.own = href
            elif attributes.get("rel") == "up":
                self._entry.up = href
            else:
                self._entry.related.append(href)
        elif name in ("UsagePoint", "MeterReading", "ReadingType", "IntervalBlock", "LocalTimeParameters"):
            self._entry.kind = self._entry.kind or name
        elif name == "IntervalReading":
            self._reading = IntervalReading(self._locator.getLineNumber(), {}, [])

    def characters(self, content: str) -> None:
        if len(self._text) < _LONGEST_TEXT:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - named by the parser
        name = name.rsplit(":", 1)[-1]
        text = "".join(self._text).strip()
        self._text = []
        reading = self._reading
        if name == "IntervalReading" and reading is not None:
            self._on_reading(self._entry, reading)
            self._reading = None
        elif reading is not None:
            if name == "quality":
                reading.qualities.append(text)
            else:
                reading.values[name] = text
        elif name == "entry":
            self._on_entry(self._entry)
        elif self._entry.kind not in ("", "IntervalBlock"):
            self._entry.values[name] = text


def entries(source: Source) -> list[Entry]:
    """Everything but the readings: usage points, meter readings and reading types."""
    found: list[Entry] = []
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


def _keep(found: list[Entry], entry: Entry) -> None:
    if entry.kind in ("UsagePoint", "MeterReading", "ReadingType", "LocalTimeParameters"):
        found.append(entry)


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
            while chunk := raw.read(_CHUNK):
                parser.feed(chunk)
                yield
            parser.close()
            yield
    except DefusedXmlException as problem:
        raise GridwatchError(
            f"{source}, line {parser.getLineNumber()}: a document type or entities ({problem}): refused, a "
            "Green Button file has none",
            "do not trust this file",
        ) from problem
    except SAXParseException as problem:
        raise GridwatchError(
            f"{source}, line {problem.getLineNumber()}: not whole XML: {problem.getMessage()}",
            "fetch it again",
        ) from problem
    except DAMAGE as problem:
        raise source.damaged(problem) from problem
