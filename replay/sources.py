"""From what was named on the command line to files that can be read: folders, patterns, zip members, gzip.

Everything is streamed: a member of an archive is never unpacked to disk, nor held in memory whole.
"""

from __future__ import annotations

import glob
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from gridwatch.errors import GridwatchError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BUFFER = 1 << 18
_METER_FILES = {".csv", ".txt", ".tsv", ".dat", ".xml", ".gz", ".zip"}
_SPREADSHEET = "[Content_Types].xml"
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

        `on_bytes` is told how many bytes of the file itself have been read.
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


def expand(named: Iterable[Path]) -> tuple[Source, ...]:
    """The files behind paths, folders (all meter files in them) and patterns, archives opened, in order.

    GridwatchError for a folder or pattern without files and for a damaged archive. A path that does not
    exist is kept: whoever reads it says so.
    """
    sources: list[Source] = []
    for path in named:
        sources += [source for file in _files(path) for source in _members(file)]
    return tuple(dict.fromkeys(sources))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(
            file
            for file in path.rglob("*")
            if file.is_file() and file.suffix.lower() in _METER_FILES and not file.name.startswith(".")
        )
        if not found:
            endings = ", ".join(sorted(_METER_FILES))
            raise GridwatchError(f"{path}: no meter files in this folder", f"they end in {endings}")
        return found
    if not path.exists() and glob.has_magic(str(path)):
        names = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - a pattern of any depth, or absolute
        found = [Path(name) for name in names if Path(name).is_file()]
        if not found:
            raise GridwatchError(f"{path}: no file has such a name", "check the pattern")
        return found
    return [path]


def _members(path: Path) -> list[Source]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(4) == _ZIP
    except OSError:
        return [Source(path)]
    if not packed:
        return [Source(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                Source(path, info.filename)
                for info in archive.infolist()
                if not info.is_dir() and not Path(info.filename).name.startswith((".", "_"))
                and not info.filename.startswith("__MACOSX/")
            ]  # fmt: skip
    except zipfile.BadZipFile as problem:
        raise Source(path).damaged(problem) from problem
    if any(source.member == _SPREADSHEET for source in members):
        raise GridwatchError(f"{path}: a spreadsheet", "save its sheet as CSV")
    if not members:
        raise GridwatchError(f"{path}: the archive is empty", "give one with meter files")
    # Notes and pictures that lie beside the data are passed over, unless there is nothing else.
    return [source for source in members if Path(source.member).suffix.lower() in _METER_FILES] or members
