"""Meter states by id: decoded ones in memory, all of them in the store.

A state in memory is the same object the domain works on, so there is nothing to write back here: the
pipeline writes what changed. Beyond the limit the states asked for longest ago are forgotten, between
commits only, when memory and store say the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridwatch.domain.meter import MeterState
from gridwatch.tables import rows
from gridwatch.tables.store import Store


class StoredMeters:
    """The domain's view of one partition's meters."""

    def __init__(self, store: Store, partition: int, limit: int) -> None:
        self._store = store
        self._partition = partition
        self._limit = max(1000, limit)
        self._states: dict[str, MeterState] = {}

    def get(self, meter_id: str) -> MeterState | None:
        """The state of a meter, or None if it is unknown."""
        state = self._states.get(meter_id)
        if state is None:
            row = self._store.row(self._partition, rows.meter_key(meter_id))
            if row is not None:
                state = self._states[meter_id] = rows.decode_meter(row)
        return state

    def keep(self, changed: Mapping[str, MeterState | None]) -> None:
        """Take over the states of a commit; None forgets a meter."""
        for meter_id, state in changed.items():
            if state is None:
                self._states.pop(meter_id, None)
            else:
                self._states[meter_id] = state

    def trim(self) -> None:
        """Forget the oldest states beyond the limit; only between commits."""
        excess = len(self._states) - self._limit
        if excess > 0:
            for meter_id in list(self._states)[:excess]:
                del self._states[meter_id]
