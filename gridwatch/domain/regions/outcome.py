"""What came of some records: outputs, and changed rows by name."""

from __future__ import annotations

from gridwatch.domain.regions.kept import Group, Region, State, Waiting, Window
from gridwatch.domain.regions.records import Output

_ROW = 60
_ENTRY = 200
_PART = 50
_METER = 16


class Outcome:
    """Outputs and changed states that are not committed yet."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.changed: dict[str, State | None] = {}
        """None removes."""
        self.complete = True
        """Whether all records were processed."""
        self.weight = 0
        """About the bytes of the changed rows."""
        self.good = 0
        """Records since the outputs were taken that were no dead letters."""
        self.run = 0
        """Dead letters after the last of them."""

    def change(self, name: str, state: State) -> None:
        """A row is to be written."""
        if name not in self.changed:
            self.weight += _weight(state)
        self.changed[name] = state

    def remove(self, name: str) -> None:
        """A row is to be removed."""
        self.weight += _ROW
        self.changed[name] = None


def _weight(state: State) -> int:
    if isinstance(state, Window):
        return _ROW + _ENTRY * (1 + len(state.entries))
    if isinstance(state, Region):
        return _ROW + _PART * len(state.last)
    if isinstance(state, Group):
        return _ROW + sum(_PART + _METER * len(part.meters) for part in state.parts.values())
    if isinstance(state, Waiting):
        return _ROW + sum(_PART + _METER * len(part.meters) for part in state.groups)
    return _ROW + _PART + _METER * len(state.meters)
