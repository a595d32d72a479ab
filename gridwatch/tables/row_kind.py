"""A kind of row as bytes: a version byte, then the msgpack of a plain value.

Each kind has a version of its own, and defines how its states become plain values and back. A row is read by
the version that wrote it or a newer one. A row of a newer version is refused with a remedy: decoding it by
guesswork could lose data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from gridwatch.errors import GridwatchError

#: The highest version: no text begins with such a byte, so no foreign text looks like a row.
LAST_VERSION: Final = 31

encode_plain: Final = msgspec.msgpack.Encoder().encode
decode_plain: Final = msgspec.msgpack.Decoder().decode
#: Parses a value without building objects.
_walk: Final = msgspec.msgpack.Decoder(msgspec.Raw).decode

Row = tuple[bytes, bytes | None]
"""Key and row; None removes."""

S = TypeVar("S")


class RowKind(Generic[S]):
    """One kind of row.

    Args:
        name: the kind, for messages. version: the version that is written. plain: turns a state into nested
        plain values: ints, floats, text, bytes, bools, None, tuples. state: turns a plain value, whose tuples
        have become lists, and the version that wrote it into a state. oldest: the oldest version that can be
        read. head: what follows the version byte in every row, of every version.
    """

    def __init__(
        self,
        name: str,
        version: int,
        plain: Callable[[S], Any],
        state: Callable[[Any, int], S],
        *,
        oldest: int = 1,
        head: bytes = b"",
    ) -> None:
        self.name = name
        self.version = version
        self.plain = plain
        self.state = state
        self._oldest = oldest
        self._version_byte = bytes([version])
        self._heads = tuple(bytes([one]) + head for one in range(oldest, version + 1))

    def encode(self, state: S) -> bytes:
        """The row of a state."""
        return self.row(self.plain(state))

    def decode(self, row: bytes) -> S:
        """The state in a row; GridwatchError if a newer version wrote it."""
        return self.state(self.value(row), row[0])

    def rows(self, states: Mapping[str, S | None]) -> list[Row]:
        """The rows of many states by name; None removes."""
        plain, version = self.plain, self._version_byte
        return [
            (name.encode(), None if state is None else version + encode_plain(plain(state)))
            for name, state in states.items()
        ]

    def row(self, value: Any) -> bytes:
        """The row of a plain value."""
        return self._version_byte + encode_plain(value)

    def value(self, row: bytes) -> Any:
        """The plain value in a row; GridwatchError if a newer version wrote it."""
        return decode_plain(self.body_of(row))

    def body_of(self, row: bytes) -> bytes:
        """The msgpack of a row; GridwatchError if a newer version wrote it."""
        if not self._oldest <= row[0] <= self.version:
            raise GridwatchError(
                f"a {self.name} row has version {row[0]}, this gridwatch reads {self._oldest} to"
                f" {self.version}",
                "start the newer gridwatch that wrote it",
            )
        return row[1:]

    def is_row(self, row: bytes) -> bool:
        """Whether bytes can be a complete row of this kind, of a readable version."""
        return row.startswith(self._heads) and is_whole(row)


def is_newer(row: bytes, version: int = 0) -> bool:
    """Whether bytes can be a row of a version after ``version``."""
    return bool(row) and version < row[0] <= LAST_VERSION


def is_whole(row: bytes) -> bool:
    """Whether what follows the version byte is one msgpack value."""
    try:
        _walk(row[1:])
    except msgspec.MsgspecError:
        return False
    return True
