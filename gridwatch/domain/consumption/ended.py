"""Windows that change after their end: their revisions, until they are dropped.

A window that has ended has revision 1 if anything was in it then. Only those that were changed later are
noted here. A late reading that is the first one in its window makes revision 1 of it.
"""

from __future__ import annotations

from heapq import heappop, heappush

Ended = dict[tuple[int, int], tuple[int, bool]]
"""Windows of a meter that were changed after their end: the revision that was emitted last, and whether it
was changed since; by start and length."""


class EndedWindows:
    """The windows of a partition that were changed after their end."""

    __slots__ = ("_drops", "_of", "changed")

    def __init__(self) -> None:
        self._of: dict[str, Ended] = {}
        self._drops: list[tuple[int, str]] = []
        """The end of each, as a heap."""
        self.changed: dict[str, None] = {}
        """The meters with windows that were changed since they were last emitted."""

    def load(self, meter_id: str, ended: Ended) -> None:
        """Add those of a meter, as stored."""
        self._of[meter_id] = ended
        for (start, length), (_, changed) in ended.items():
            heappush(self._drops, (start + length, meter_id))
            if changed:
                self.changed[meter_id] = None

    def of(self, meter_id: str) -> Ended | None:
        """Those of a meter; None if it has none."""
        return self._of.get(meter_id)

    def change(self, meter_id: str, start: int, length: int, revision: int) -> None:
        """Note that a window has changed; ``revision``: the last one emitted, if it was not noted before."""
        known = self._of.setdefault(meter_id, {})
        if (start, length) in known:
            revision = known[start, length][0]
        else:
            heappush(self._drops, (start + length, meter_id))
        known[start, length] = (revision, True)
        self.changed[meter_id] = None

    def emitted(self, meter_id: str, start: int, length: int, revision: int) -> None:
        """Note the revision of a window that was just emitted."""
        known = self._of[meter_id]
        known[start, length] = (revision, False)
        if not any(changed for _, changed in known.values()):
            del self.changed[meter_id]

    def in_order(self) -> list[tuple[int, int, str]]:
        """The changed windows as end, length, meter."""
        return sorted(
            (start + length, length, meter_id)
            for meter_id in self.changed
            for (start, length), (_, changed) in self._of[meter_id].items()
            if changed
        )

    def drop(self, limit: int) -> dict[str, None]:
        """Forget the windows that ended at or before ``limit``. Returns the meters that had some."""
        meters: dict[str, None] = {}
        while self._drops and self._drops[0][0] <= limit:
            meter_id = heappop(self._drops)[1]
            known = self._of.get(meter_id)
            if known is None:
                continue
            for start, length in [window for window in known if sum(window) <= limit]:
                del known[start, length]
                meters[meter_id] = None
            if not known:
                del self._of[meter_id]
        return meters

    def forget(self, meter_id: str) -> None:
        """Forget all windows of a meter."""
        self.changed.pop(meter_id, None)
        self._of.pop(meter_id, None)
