"""The layout of a stage's table: the keys and rows of its RocksDB and its changelog.

    name of a state     its row. The first character of the name selects the kind of row: a control character
                        its own kind, any other the main kind
    \\x00partition       the partition's own row: the stage it is of, the consumer-group generation of its
                        writer, and the state that is not of a single name (position, watermark, …)
    \\x00fence           written to the changelog by each new writer before anything else; empty

A changelog may hold more than that. Records of other producers are skipped (`is_ours`); rows of a newer
gridwatch or of another stage are refused with a remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

from gridwatch.errors import GridwatchError
from gridwatch.tables.row_kind import Row, RowKind, decode_plain, is_newer, is_whole

PARTITION_KEY: Final = b"\x00partition"
FENCE_KEY: Final = b"\x00fence"
_OWN_KEYS: Final = (PARTITION_KEY, FENCE_KEY)
#: The first partition rows had a generation and a state only: there was one stage.
_UNNAMED: Final = 2
_ONLY_STAGE: Final = "readings"

P = TypeVar("P")


class TableLayout(Generic[P]):
    """The rows of one stage's table.

    Args:
        stage: the stage that owns the table.
        partition: the kind of its partition rows.
        kinds: the kind of all other rows, by the control character that their names begin with; "" for the
            main states of the stage.
        counted: the control characters of kinds that the partition row counts, besides the main states: a
            row too many, whose tombstone was compacted away, would be wrong.
    """

    def __init__(
        self, stage: str, partition: RowKind[P], kinds: Mapping[str, RowKind[Any]], counted: str = ""
    ) -> None:
        self.stage = stage
        self._partition = partition
        self._main = kinds[""]
        self._counted = tuple(one.encode() for one in counted)
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
        if not self._special or not any(name < " " for name in changed):
            return self._main.rows(changed)
        return [
            (key := name.encode(), None if state is None else self._kind_of(key).encode(state))
            for name, state in changed.items()
        ]

    def _kind_of(self, key: bytes) -> RowKind[Any]:
        if self.is_state(key):
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
        try:
            body = self._partition.value(row)
        except GridwatchError:  # of a version that this stage does not have
            self._require_own(decode_plain(row[1:])[0])
            raise
        stage, generation, plain = (_ONLY_STAGE, *body) if len(body) == _UNNAMED else body
        self._require_own(stage)
        return self._partition.state(plain, row[0]), generation

    def _require_own(self, stage: object) -> None:
        if isinstance(stage, str) and stage != self.stage:
            raise GridwatchError(
                f"the changelog of stage {self.stage} holds the state of stage {stage}",
                "give each stage a table of its own, and each deployment its own GRIDWATCH_APP_ID",
            )

    # -- kinds of keys

    def is_state(self, key: bytes) -> bool:
        """Whether a row is one of the main states."""
        return key[:1] >= b" "

    def is_counted(self, key: bytes) -> bool:
        """Whether the partition row counts a row: the main states, and what the layout names."""
        return key[:1] >= b" " or key.startswith(self._counted)

    def require_known(self, keys: Iterable[bytes]) -> None:
        """GridwatchError if one of the keys is of an unknown kind."""
        for key in keys:
            if key not in _OWN_KEYS:
                self._kind_of(key)

    def is_ours(self, key: bytes | None, row: bytes | None) -> bool:
        """Whether a record of the changelog can be a row written by gridwatch, this version or a newer one.

        A tombstone of any state can. Other values under a key of ours count as rows only if they are
        complete.
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
        if kind is self._main and not self.is_state(key):
            return is_newer(row) and is_whole(row)
        return kind.is_row(row) and (key == PARTITION_KEY or _is_text(key))


def _is_text(key: bytes) -> bool:
    try:
        return key.isascii() or bool(key.decode())
    except UnicodeDecodeError:
        return False
