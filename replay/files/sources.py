"""From what was named on the command line to files that can be read: folders, patterns, zip members, gzip.

Everything is streamed: a member of an archive is never unpacked to disk, nor held in memory whole.
"""

from __future__ import annotations

import glob
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, cast

from gridwatch.errors import GridwatchError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BUFFER = 1 << 18
_METER_FILES = {".csv", ".txt", ".tsv", ".dat", ".xml", ".gz", ".zip", ".xlsx"}
#: Endings of copies that programs leave: what is in them would stand for what has been corrected since.
_COPIES = {".bak", ".old", ".orig", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp"}
#: Names of texts that lie beside data, with whatever ending.
_BESIDE = re.compile(
    r"(read[-_ ]?me|liesmich|lisez[-_ ]?moi|l[eé]ame|leggimi|lees[-_ ]?mij|leia[-_ ]?me|licen[cs]e|copying|"
    r"notice|disclaimer|terms|authors|changelog|changes|about|info|notes?|description|beschreibung|"
    r"documentation|legend|metadata)(?![a-z]).*",
    re.IGNORECASE,
)
_DOCUMENTS = {".txt", ".md", ".rst", ".rtf", ".pdf", ".html", ".htm", ".doc", ".docx", ".odt", ".log"}
_NUMBER = re.compile(r"(\d+)")
_WORKBOOK, _DOCUMENT = "xl/workbook.xml", "[Content_Types].xml"
#: What reading packed data raises when the data is not whole.
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)


class _Counted(io.FileIO):
    def __init__(self, path: Path, on_bytes: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._on_bytes = on_bytes

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self._on_bytes(count or 0)
        return count


@dataclass(frozen=True)
class Source:
    """A file, or a member of a zip archive."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @property
    def stem(self) -> str:
        """The name without folders and endings."""
        name = Path(self.member or self.path.name).name
        return name.removesuffix(".gz").removesuffix(".zip").rsplit(".", 1)[0]

    @contextmanager
    def opened(self, on_bytes: Callable[[int], None] = lambda _: None) -> Iterator[tuple[BinaryIO, str]]:
        """The bytes, unpacked as they are read, and how they were packed: "", "gzip" or "zip".

        `on_bytes` gets the number of bytes of the file itself that have been read.
        """
        try:
            with io.BufferedReader(_Counted(self.path, on_bytes), _BUFFER) as raw:
                magic = raw.read(4)
                raw.seek(0)
                if self.member:
                    with zipfile.ZipFile(raw) as archive, archive.open(self.member) as packed:
                        if cast(io.BufferedReader, packed).peek(2)[:2] == _GZIP:
                            with gzip.open(packed, "rb") as unpacked:
                                yield cast(BinaryIO, unpacked), "zip"
                        else:
                            yield cast(BinaryIO, packed), "zip"
                elif magic[:2] == _GZIP:
                    with gzip.open(raw, "rb") as unpacked:
                        yield cast(BinaryIO, unpacked), "gzip"
                else:
                    yield cast(BinaryIO, raw), ""
        except FileNotFoundError as problem:
            raise GridwatchError(f"no such file: {self.path}", "check the path") from problem
        except RuntimeError as problem:
            if "encrypted" not in str(problem):
                raise
            raise GridwatchError(f"{self}: the archive is locked with a password", "unpack it") from problem

    def damaged(self, problem: Exception, after: str = "") -> GridwatchError:
        """What to say when unpacking raised one of DAMAGE."""
        kind = "zip" if self.member or isinstance(problem, zipfile.BadZipFile) else "gzip"
        return GridwatchError(f"{self}{after}: the {kind} data is damaged ({problem})", "fetch it again")


@dataclass(frozen=True)
class Candidate:
    """A file that was named, or is in a folder or an archive that was.

    `doubtful`: its name is not that of a meter file, so its content decides.
    `aside` is why it is not read whatever it holds, empty where it may be.
    """

    source: Source
    doubtful: bool = False
    aside: str = ""


def expand(named: Iterable[Path]) -> tuple[Source, ...]:
    """The files of paths, folders (all meter files in them) and patterns, archives opened, in order.

    GridwatchError for a folder or pattern without files and for a damaged archive. A path that does not
    exist is kept: whoever reads it says so.
    """
    found: list[Source] = []
    for path in named:
        sure = [one.source for one in candidates([path]) if not (one.doubtful or one.aside)]
        if not sure:
            raise nothing_in(path)
        found += sure
    return tuple(dict.fromkeys(found))


def candidates(named: Iterable[Path]) -> tuple[Candidate, ...]:
    """All files of paths, folders and patterns, archives opened, in order: later ones stand.

    Folders, patterns and archives are in the order of names, in which numbers count as numbers. Errors as of
    `expand`, but a folder may have doubtful files only.
    """
    found: dict[Source, Candidate] = {}
    for path in named:
        for file in _files(path):
            for one in _members(file):
                found.setdefault(one.source, one)
    return tuple(found.values())


def nothing_in(path: Path) -> GridwatchError:
    """What to say of a folder without meter files."""
    endings = ", ".join(sorted(_METER_FILES))
    return GridwatchError(f"{path}: no meter files in this folder", f"they end in {endings}")


def _files(path: Path) -> list[Candidate]:
    if path.is_dir():
        found = [_judged(Source(file), file.relative_to(path)) for file in sorted(_below(path), key=_natural)]
        if not found:
            raise nothing_in(path)
        return found
    if not path.exists() and glob.has_magic(str(path)):
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207 - a pattern of any depth, or absolute
        paths = sorted(map(Path, names), key=_natural)
        files = [Candidate(Source(one), doubtful=_is_document(one)) for one in paths if one.is_file()]
        files += [one for folder in paths if folder.is_dir() for one in _files_or_none(folder)]
        if not files:
            raise GridwatchError(f"{path}: no file has such a name", "check the pattern")
        return files
    return [Candidate(Source(path))]


def _files_or_none(folder: Path) -> list[Candidate]:
    return _files(folder) if any(_below(folder)) else []


def _below(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _judged(source: Source, name: PurePath) -> Candidate:
    """What the name of a file in a folder or an archive says of it."""
    if any(part.startswith(".") for part in name.parts) or name.parts[0] == "__MACOSX":
        return Candidate(source, aside="hidden")
    if name.suffix.lower() in _COPIES or name.name.endswith("~"):
        return Candidate(source, aside="named like a backup or an unfinished copy")
    return Candidate(source, doubtful=name.suffix.lower() not in _METER_FILES or _is_document(name))


def _is_document(name: PurePath) -> bool:
    """Whether a file is named like a text for people: one such as readme.txt, or one that is no table."""
    ending = name.suffix.lower()
    return ending in _DOCUMENTS and (ending not in _METER_FILES or bool(_BESIDE.fullmatch(name.stem)))


def _natural(path: PurePath) -> list[list[str | int]]:
    """Names in the order that people number them: 9 before 10."""
    return [
        [int(part) if at % 2 else part for at, part in enumerate(_NUMBER.split(name))] for name in path.parts
    ]


def _members(file: Candidate) -> list[Candidate]:
    path = file.source.path
    if file.aside:
        return [file]
    try:
        with path.open("rb") as raw:
            packed = raw.read(4) == _ZIP
    except OSError:
        return [file]
    if not packed:
        return [file]
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info.filename for info in archive.infolist() if not info.is_dir()]
            names = {name: PurePosixPath(name) for name in files}
    except zipfile.BadZipFile as problem:
        raise Source(path).damaged(problem) from problem
    if _WORKBOOK in names:
        return [Candidate(file.source)]  # one file, whatever it is packed of
    if _DOCUMENT in names:
        raise GridwatchError(f"{path}: an office document without a sheet", "save its table as CSV")
    in_order = sorted(names.items(), key=lambda item: _natural(item[1]))
    members = [_judged(Source(path, member), name) for member, name in in_order if name.parts]
    if not any(not one.aside for one in members):
        raise GridwatchError(f"{path}: the archive is empty", "give one with meter files")
    # Notes and pictures that lie beside the data are passed over, unless there is nothing else.
    if all(one.doubtful or one.aside for one in members):
        return [one if one.aside else Candidate(one.source) for one in members]
    return members
