"""How a table becomes bytes: delimiter, quotes, lines before the header, encoding, packing."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from random import Random
from typing import Any

_PREAMBLES = (
    ["Report of the portal"],
    ["Customer: Smith", "Period: 1 to 3", ""],
    ["Zählerdaten", "Erzeugt am 01.02.2024 10:00"],
    ["Name;Value", "City;Graz"],
)


@dataclass(frozen=True)
class Paper:
    """The way of one file."""

    delimiter: str = ","
    quoted: bool = False
    line_end: str = "\n"
    encoding: str = "utf-8"
    separator: bool = False
    preamble: tuple[str, ...] = ()
    skip_said: bool = True
    delimiter_said: bool = True
    #: "": none, "all": header and rows, "rows": rows alone.
    trailing: str = ""
    packed: str = ""
    headerless: bool = False

    def text(self, header: list[str], rows: list[list[str]]) -> str:
        """The whole text."""
        lines = [*self.preamble]
        if self.separator:
            lines.append(f"sep={self.delimiter}")
        if not self.headerless:
            lines.append(self._line(header) + (self.delimiter if self.trailing == "all" else ""))
        end = self.delimiter if self.trailing else ""
        lines += [self._line(row) + end for row in rows]
        return self.line_end.join(lines) + self.line_end

    def data(self, text: str, name: str) -> tuple[str, bytes]:
        """The name of the file and its bytes."""
        raw = text.encode(self.encoding)
        if self.packed == "gz":
            return f"{name}.csv.gz", gzip.compress(raw, mtime=0)
        if self.packed == "zip":
            folder = io.BytesIO()
            with zipfile.ZipFile(folder, "w") as archive:
                archive.writestr(f"{name}.csv", raw)
            return f"{name}.zip", folder.getvalue()
        return f"{name}.csv", raw

    def keys(self, header: list[str]) -> dict[str, Any]:
        """What the profile says of it."""
        keys: dict[str, Any] = {}
        if self.delimiter_said or self.delimiter == "|":
            keys["delimiter"] = self.delimiter
        if self.headerless:
            keys["headers"] = header
        if self.preamble and (self.skip_said or self.headerless):
            keys["skip_lines"] = len(self.preamble)
        if self.encoding not in ("utf-8", "utf-8-sig", "utf-16"):
            keys["encoding"] = self.encoding
        return keys

    def _line(self, cells: list[str]) -> str:
        return self.delimiter.join(self._cell(cell) for cell in cells)

    def _cell(self, text: str) -> str:
        if self.quoted or self.delimiter in text or '"' in text:
            return '"' + text.replace('"', '""') + '"'
        return text


def some_paper(rng: Random, *, headerless: bool = True) -> Paper:
    """Some way of writing a table."""
    delimiter = rng.choice(",,;;;\t|")
    separator = rng.random() < 0.12 and delimiter != "\t"
    preamble = rng.choice(_PREAMBLES) if rng.random() < 0.2 and not separator else []
    encoding = rng.choice(("utf-8",) * 5 + ("utf-8-sig", "utf-16", "cp1252"))
    bare = headerless and rng.random() < 0.08 and not separator
    return Paper(
        delimiter,
        rng.random() < 0.2,
        rng.choice(("\n", "\n", "\r\n")),
        encoding,
        separator,
        tuple(preamble),
        skip_said=rng.random() < 0.5,
        delimiter_said=rng.random() < 0.6,
        trailing=rng.choice(("", "", "", "", "all", "rows")),
        packed=rng.choice(("", "", "", "", "", "gz", "zip")),
        headerless=bare,
    )


def toml(keys: dict[str, Any]) -> str:
    """A profile as TOML: plain keys first, then tables."""
    plain = [f"{key} = {_text(value)}" for key, value in keys.items() if not isinstance(value, dict)]
    for key, table in keys.items():
        if isinstance(table, dict):
            plain += [f"[{key}]", *(f"{json.dumps(name)} = {_text(value)}" for name, value in table.items())]
    return "\n".join(plain) + "\n"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
