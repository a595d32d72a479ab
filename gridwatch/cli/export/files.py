"""Writes rows as CSV or Parquet: to a file that is replaced atomically, or to stdout.

CSV is what `gridwatch replay --profile spec` reads: UTC as RFC 3339, numbers in the shortest text that reads
back as the same number, empty for NULL; a list of names is a JSON array. Parquet has the same columns, typed;
it needs pyarrow, which is large, so it is an extra: `gridwatch[parquet]`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

from gridwatch.cli.export.queries import Column
from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError, UsageProblem

Format = Literal["csv", "parquet"]
Rows = Sequence[Sequence[Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Rows per row group of a Parquet file; a group is buffered in memory.
_GROUP_ROWS = 50_000


class Writer(Protocol):
    """Writes rows; `close` flushes the buffer."""

    def write(self, rows: Rows) -> None:
        """Append rows with one value per column."""

    def close(self) -> None:
        """Flush and finish the file."""


class CsvWriter:
    """Writes a header, then one line per row."""

    def __init__(self, raw: BinaryIO, columns: Sequence[Column]) -> None:
        self._raw = raw
        self._texts = [_TEXTS.get(column.kind) for column in columns]
        self._put([[column.name for column in columns]])

    def write(self, rows: Rows) -> None:
        """Append rows."""
        # The csv module itself writes None as an empty field, and a float by its repr.
        columns = [
            values if text is None else map(text, values)
            for text, values in zip(self._texts, zip(*rows, strict=True), strict=True)
        ]
        self._put(zip(*columns, strict=True))

    def close(self) -> None:
        """Do nothing: nothing is buffered."""

    def _put(self, rows: Iterable[Iterable[Any]]) -> None:
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows(rows)
        self._raw.write(lines.getvalue().encode())


class ParquetWriter:
    """Writes typed columns; instants as timestamps in UTC, flags and names as lists of strings."""

    def __init__(self, raw: BinaryIO, columns: Sequence[Column]) -> None:
        pa, parquet = _pyarrow()
        types = {
            "text": pa.string(),
            "number": pa.float64(),
            "minutes": pa.float64(),
            "whole": pa.int32(),
            "instant": pa.timestamp("us", tz="UTC"),
            "words": pa.list_(pa.string()),
            "names": pa.list_(pa.string()),
            "truth": pa.bool_(),
        }
        self._pa = pa
        self._schema = pa.schema([(column.name, types[column.kind]) for column in columns])
        self._file = parquet.ParquetWriter(raw, self._schema, compression="zstd")
        self._group: list[Sequence[Any]] = []

    def write(self, rows: Rows) -> None:
        """Append rows."""
        self._group += rows
        if len(self._group) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the last group and the end of the file."""
        if self._group:
            self._write_group()
        self._file.close()

    def _write_group(self) -> None:
        columns = [
            self._pa.array(values, kind)
            for values, kind in zip(zip(*self._group, strict=True), self._schema.types, strict=True)
        ]
        self._group = []
        self._file.write_table(self._pa.Table.from_arrays(columns, schema=self._schema))


def format_of(path: Path | None) -> Format:
    """The format of a file by its suffix; UsageProblem for an unknown one. None is stdout: CSV."""
    name = "" if path is None else path.name.lower()
    if name.endswith(".parquet"):
        _pyarrow()
        return "parquet"
    if path is None or name.endswith((".csv", ".csv.gz")):
        return "csv"
    raise UsageProblem(f"{path}: unknown format", "end the name in .csv, .csv.gz or .parquet")


@contextmanager
def open_writer(path: Path | None, columns: Sequence[Column]) -> Iterator[Writer]:
    """A writer for a file, None for stdout. The file is replaced atomically at the end of the block.

    GridwatchError when it cannot be written, or when stdout is closed.
    """
    try:
        if path is None:
            with _stdout() as raw:
                yield from _close_after(CsvWriter(raw, columns))
        else:
            with _replacing(path) as raw:
                yield from _close_after(_writer(path, raw, columns))
    except BrokenPipeError as problem:
        raise GridwatchError("stdout was closed by its reader", "write to a file: -o FILE") from problem
    except OSError as problem:
        raise GridwatchError(
            f"{path}: cannot be written: {problem.strerror}",
            "free some space there, or name another file with -o",
        ) from problem


def _close_after(writer: Writer) -> Iterator[Writer]:
    yield writer
    writer.close()


def _writer(path: Path, raw: BinaryIO, columns: Sequence[Column]) -> Writer:
    return ParquetWriter(raw, columns) if format_of(path) == "parquet" else CsvWriter(raw, columns)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A temporary file beside `path` that replaces it at the end, or is removed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            if path.name.lower().endswith(".gz"):
                # Neither name nor time in the gzip header: the same rows give the same file.
                with gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=file, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _stdout() -> Iterator[BinaryIO]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes stdout at exit, and would raise again.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as problem:
        raise UsageProblem(
            f"Parquet is written by pyarrow, which is missing ({problem})",
            "pip install 'gridwatch[parquet]', or write a .csv or .csv.gz",
        ) from problem
    return pyarrow, parquet


@lru_cache(maxsize=100_000)
def _stamp(moment: datetime | None) -> str:
    return "" if moment is None else format_instant((moment - _EPOCH) // _MICROSECOND)


def _minutes(value: float | None) -> str:
    return "" if value is None else repr(int(value) if value == int(value) else value)


def _names(value: list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)


#: How values of a kind are written; the others are written as they are.
_TEXTS: dict[str, Callable[[Any], str]] = {
    "instant": _stamp,
    "minutes": _minutes,
    "words": " ".join,
    "names": _names,
    "truth": {True: "true", False: "false"}.__getitem__,
}
