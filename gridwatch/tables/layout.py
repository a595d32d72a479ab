"""The layout of a stage's table: which keys and rows there are in its RocksDB and its changelog.

    name of a state     its row; a name that begins with a control character is of the kind of that character,
                        any other of the kind without one
    \\x00partition       the partition's own row: the stage it is of, the consumer-group generation of its
                        writer, and the state that is not of a single name (position, watermark, …)
    \\x00fence           put into the changelog by each new writer before anything else. It says nothing

Whoever reads a changelog meets more than that: records of somebody else, and rows that a newer gridwatch or
another stage wrote. The first are left out (`is_ours`), the others refused with a remedy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from gridwatch.errors import GridwatchError
from gridwatch.tables.row_kind import RowKind, is_newer, is_whole

PARTITION_KEY: Final = b"\x00partition"
FENCE_KEY: Final = b"\x00fence"
_OWN_KEYS: Final = (PARTITION_KEY, FENCE_KEY)
_FIRST_PRINTABLE: Final = 0x20
#: The first partition rows were a generation and a state: there was but one stage.
_UNNAMED: Final = 2
_ONLY_STAGE: Final = "readings"

Row = tuple[bytes, bytes | None]
"""Key and row; None removes."""

P = TypeVar("P")


class TableLayout(Generic[P]):
    """What the rows of one stage's table are.

    Args:
        stage: whose table it is.
        partition: the kind of its partition rows.
        kinds: the kind of all other rows, by the control character that their names begin with; "" for the
            states that the stage is about.
    """

    def __init__(self, stage: str, partition: RowKind[P], kinds: Mapping[str, RowKind[Any]]) -> None:
        self.stage = stage
        self._partition = partition
        self._main = kinds[""]
        self._special = {prefix.encode(): kind for prefix, kind in kinds.items() if prefix}

    # -- states

    def encode(self, name: str, state: Any) -> bytes:
        """The row of a state."""
        return self._kind_of(name.encode()).encode(state)

    def decode(self, name: str, row: bytes) -> Any:
        """The state in a row; GridwatchError if a newer version wrote it."""
        return self._kind_of(name.encode()).decode(row)

    def rows(self, changed: Mapping[str, Any]) -> list[Row]:
        """The rows of changed states; None removes."""
        main, special = self._main, self._special
        if special:
            return [
                (key := name.encode(), None if state is None else self._kind_of(key).encode(state))
                for name, state in changed.items()
            ]
        return [
            (name.encode(), None if state is None else main.encode(state)) for name, state in changed.items()
        ]

    def _kind_of(self, key: bytes) -> RowKind[Any]:
        if key[:1] >= b" ":
            return self._main
        kind = self._special.get(key[:1])
        if kind is None:
            raise GridwatchError(
                f"the state of {self.stage} has a row of an unknown kind (key {key!r})",
                "start the newer gridwatch that wrote it",
            )
        return kind

    # -- the partition's own row

    def encode_partition(self, state: P, generation: int) -> bytes:
        """A partition's row, with the consumer-group generation of its writer."""
        return self._partition.row((self.stage, generation, self._partition.plain(state)))

    def decode_partition(self, row: bytes) -> tuple[P, int]:
        """The state in a partition's row, and the generation of its writer.

        GridwatchError if a newer version wrote it, or another stage.
        """
        body = self._partition.value(row)
        stage, generation, plain = (_ONLY_STAGE, *body) if len(body) == _UNNAMED else body
        if stage != self.stage:
            raise GridwatchError(
                f"the changelog of stage {self.stage} holds the state of stage {stage}",
                "give each stage a table of its own, and each deployment its own GRIDWATCH_APP_ID",
            )
        return self._partition.state(plain, row[0]), generation

    # -- what there is

    def is_state(self, key: bytes) -> bool:
        """Whether a row is one of those that the stage is about, which its partition row counts."""
        return key[:1] >= b" "

    def require_known(self, keys: Sequence[bytes]) -> None:
        """GridwatchError if one of the keys is of no known kind."""
        for key in keys:
            if key[:1] < b" " and key not in _OWN_KEYS:
                self._kind_of(key)

    def is_ours(self, key: bytes | None, row: bytes | None) -> bool:
        """Whether a record of the changelog can be a row that a gridwatch wrote, this version or a newer one.

        A removal of any state can; what else there is under a key of ours is not taken for a row unless it is
        whole.
        """
        if not key:
            return False
        if row is None:
            return key not in _OWN_KEYS
        if key == FENCE_KEY:
            return row == b""
        kind = self._partition if key == PARTITION_KEY else self._special.get(key[:1], self._main)
        if is_newer(row, kind.version):
            return True
        if key[0] < _FIRST_PRINTABLE and kind is self._main:
            return is_newer(row) and is_whole(row)
        return kind.is_row(row) and (key == PARTITION_KEY or _is_text(key))


def _is_text(key: bytes) -> bool:
    try:
        return key.isascii() or bool(key.decode())
    except UnicodeDecodeError:
        return False
