"""Faults that last, or that change only what a reading says: reported as what was done, from when to when.

Whatever follows of them for gaps and lateness is reported by `perfect_detector`, each gap and late reading
by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from replay.files.spacing import Spacing
from replay.order.emission import Item, Kind
from replay.truth.anomalies import ANOMALIES
from replay.truth.findings import FaultTruth

_TOLD = frozenset({"clock", "interval-change", "swap", "reboot-storm", *ANOMALIES})
_COPIES = frozenset({"duplicate", "revision"})


class Stretches:
    """Puts readings in a row of one meter and one fault together. `report` takes each when it has ended."""

    def __init__(self, report: Callable[[FaultTruth], None]) -> None:
        self._report = report
        self.open: dict[str, dict[str, FaultTruth]] = {}

    def see(self, item: Item, spacing: Spacing) -> None:
        """Take the next reading, sent or withheld; `spacing` is its meter's."""
        row = item.row
        if row is None or (not item.faults and row[1] not in self.open) or _COPIES & set(item.faults):
            return
        time, meter = row[0], row[1]
        stretches = self.open.get(meter, {})
        if item.kind is not Kind.WITHHELD:
            for kind in [kind for kind in stretches if kind not in item.faults]:
                self._report(stretches.pop(kind))
        offset = time - (item.arrival - item.delay)
        for kind in _TOLD.intersection(item.faults):
            known = stretches.get(kind)
            if known is None:
                self.open.setdefault(meter, stretches)[kind] = FaultTruth(
                    meter, kind, time, spacing.after(time), 1, (offset, offset), dict(item.sizes).get(kind)
                )
            else:
                known.slots += 1
                known.to = max(known.to, spacing.after(time))
                known.offsets = (known.offsets[0], offset)
        if not stretches:
            self.open.pop(meter, None)

    def finish(self) -> None:
        """The sequence has ended: report what has not."""
        for stretches in self.open.values():
            for one in stretches.values():
                self._report(one)
        self.open.clear()
