"""When a row of a region is published, and from which entries.

PRELIMINARY in the step in which every source that is waited for has passed the end of the window: from the
initial entries. UPDATED when the slowest source next crosses a minute after a newer entry came. FINAL when
every source has passed the end by the lateness: from the newest entries; then the window is removed, and
entries of it that come later are ignored.

A source that was out, or catches up after that, may pass the end of windows that were published without it.
They are published as PRELIMINARY again, with it, from the newest entries: those of the others are the initial
ones if none was revised. Until then its last known meters are counted as expected.

The revision of a row is the sum of the revisions that it is made of, and one more for each time that it was
published again. So it rises with whatever changes it, and says the same however the sources ran ahead of
each other.
"""

from __future__ import annotations

from gridwatch.domain.outputs import Bundle, RegionWindow
from gridwatch.domain.policy import MINUTE
from gridwatch.domain.regions.capacity import capacity_at, with_limit, without_past
from gridwatch.domain.regions.kept import Kept, Last, Region, Window
from gridwatch.domain.regions.load import row_of
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.records import FINAL, PRELIMINARY, QUARTER, UPDATED
from gridwatch.domain.regions.state import PartitionState


class Windows:
    """The windows of one partition. ``lateness``: how long after its end one may be revised, µs."""

    def __init__(self, state: PartitionState, lateness: int) -> None:
        self._state = state
        self._lateness = lateness
        self._stale: set[tuple[int, str]] = {
            (start, region)
            for start, windows in state.windows.items()
            for region, window in windows.items()
            if window.stale
        }

    def take(self, bundle: Bundle, source: str, before: int, onto: Outcome) -> None:
        """Keep what a bundle says. ``before``: the watermark of its source until then."""
        for record in bundle.limits:
            region = self._region(record.region)
            limits = with_limit(region.limits, record, bundle.watermark)
            if limits is not region.limits:
                region.limits = without_past(limits, self._oldest())
                onto.change(region.name, region)
        for entry in bundle.windows:
            self._note_meters(entry, source, onto)
            end = entry.start + QUARTER
            if end + self._lateness <= self._state.finalized:
                continue
            window = self._window(entry.region, entry.start)
            known = window.entries.get(source)
            if known is None:
                window.entries[source] = Kept(entry if entry.initial else None, entry)
            elif entry.revision > known.newest.revision:
                window.entries[source] = Kept(known.initial, entry)
            else:
                continue
            onto.change(window.name, window)
            if end <= self._state.passed:
                self._set_stale(window, stale=True)
        self._publish_again(before, bundle.watermark, onto)

    def advance(self, onto: Outcome) -> None:
        """Publish what is due, as the sources stand now."""
        state = self._state
        slowest, settled = state.slowest, max(state.finalized, state.slowest_of_all)
        minute = slowest - slowest % MINUTE
        if minute > state.round:
            self._update(settled, onto)
        state.round = minute
        if slowest > state.passed:
            due = [start for start in state.windows if state.passed < start + QUARTER <= slowest]
            state.passed = slowest
            for window in self._of(due):
                self._publish(window, onto)
        if settled > state.finalized:
            due = [start for start in state.windows if start + QUARTER + self._lateness <= settled]
            state.finalized = settled
            for window in self._of(due):
                self._finish(window, onto)
            for start in due:
                del state.windows[start]
            self._forget_limits(onto)

    # -- publication

    def _publish(self, window: Window, onto: Outcome) -> None:
        """The first time: from what each source said as it passed the end."""
        kept = window.entries.values()
        initial = [one.initial for one in kept if one.initial is not None]
        revision = sum(one.revision for one in initial)
        self._set_stale(window, stale=revision != sum(one.newest.revision for one in kept))
        onto.change(window.name, window)
        if initial:
            window.emitted = True
            self._emit(window, initial, revision, PRELIMINARY, onto)

    def _publish_again(self, before: int, watermark: int, onto: Outcome) -> None:
        """A source has come from ``before`` to ``watermark``: what was published without it is so again."""
        state = self._state
        until = min(state.passed, watermark)
        for window in self._of([start for start in state.windows if before < start + QUARTER <= until]):
            if window.emitted:
                window.again += 1
            self._emit_newest(window, PRELIMINARY, 0, onto)

    def _update(self, settled: int, onto: Outcome) -> None:
        """Revise rows; those that are about to be final are not."""
        for start, region in sorted(self._stale):
            if start + QUARTER + self._lateness > settled:
                self._emit_newest(self._state.windows[start][region], UPDATED, 0, onto)

    def _finish(self, window: Window, onto: Outcome) -> None:
        self._emit_newest(window, FINAL, 1, onto)
        onto.remove(window.name)

    def _emit_newest(self, window: Window, name: str, more: int, onto: Outcome) -> None:
        self._set_stale(window, stale=False)
        window.emitted = True
        onto.change(window.name, window)
        newest = [one.newest for one in window.entries.values()]
        revision = sum(one.revision for one in newest) + window.again + more
        self._emit(window, newest, revision, name, onto)

    def _emit(
        self, window: Window, entries: list[RegionWindow], revision: int, name: str, onto: Outcome
    ) -> None:
        region = self._region(window.region)
        end = window.start + QUARTER
        missing = [one for one, source in self._state.sources.items() if source.watermark < end]
        row = row_of(
            window.region,
            window.start,
            revision,
            name,
            complete=not missing,
            entries=entries,
            missing=[region.last[one] for one in missing if one in region.last],
            capacity=capacity_at(region.limits, window.start),
        )
        onto.outputs.append(row)
        if row.start >= region.published:
            region.published, region.load = row.start, row.percentage

    # -- states

    def _of(self, starts: list[int]) -> list[Window]:
        """The windows with these starts, by start and region."""
        windows = self._state.windows
        return [windows[start][region] for start in sorted(starts) for region in sorted(windows[start])]

    def _window(self, region: str, start: int) -> Window:
        windows = self._state.windows.setdefault(start, {})
        window = windows.get(region)
        if window is None:
            window = windows[region] = Window(region, start)
        return window

    def _note_meters(self, entry: RegionWindow, source: str, onto: Outcome) -> None:
        """Remember the meters of the newest window: they count while the source is out."""
        region = self._region(entry.region)
        known = region.last.get(source)
        if known is None or entry.start >= known.start:
            region.last[source] = Last(entry.start, entry.active, entry.uncovered)
            onto.change(region.name, region)

    def _region(self, name: str) -> Region:
        region = self._state.regions.get(name)
        if region is None:
            region = self._state.regions[name] = Region(name)
        return region

    def _set_stale(self, window: Window, *, stale: bool) -> None:
        window.stale = stale
        if stale:
            self._stale.add((window.start, window.region))
        else:
            self._stale.discard((window.start, window.region))

    def _oldest(self) -> int:
        """All windows that may still be published begin after this."""
        return self._state.finalized - self._lateness - QUARTER

    def _forget_limits(self, onto: Outcome) -> None:
        oldest = self._oldest()
        for region in self._state.regions.values():
            limits = without_past(region.limits, oldest)
            if len(limits) < len(region.limits):
                region.limits = limits
                onto.change(region.name, region)
