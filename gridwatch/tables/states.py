"""A cache of decoded states in front of the store.

A cached state is the same object that the domain changes, so nothing is written back here: the pipeline
writes the changed states. Beyond the limit the oldest entries are evicted, between commits only, when cache
and store are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from gridwatch.tables.layout import TableLayout

S = TypeVar("S")


class Rows(Protocol):
    """The part of the store that is used here."""

    def row(self, partition: int, key: bytes, /) -> bytes | None:
        """The row of a key, or None."""


class StoredStates(Generic[S]):
    """The domain's view of one partition's states.

    Args:
        limit: how many are cached.
    """

    def __init__(self, store: Rows, layout: TableLayout[Any], partition: int, limit: int) -> None:
        self._store = store
        self._layout = layout
        self._partition = partition
        self._limit = max(1000, limit)
        self._states: dict[str, S] = {}

    def get(self, name: str) -> S | None:
        """The state of a name, or None if it is unknown."""
        state = self._states.get(name)
        if state is None:
            row = self._store.row(self._partition, name.encode())
            if row is not None:
                state = self._layout.decode(name, row)
                if name >= " ":  # other kinds of rows are hardly ever read
                    self._states[name] = state
        return state

    def apply(self, changed: Mapping[str, S | None]) -> None:
        """Apply the states of a commit; None removes one."""
        for name, state in changed.items():
            if state is None or name < " ":
                self._states.pop(name, None)
            else:
                self._states[name] = state

    def trim(self) -> None:
        """Evict the oldest states beyond the limit; only between commits."""
        excess = len(self._states) - self._limit
        if excess > 0:
            for name in list(self._states)[:excess]:
                del self._states[name]
