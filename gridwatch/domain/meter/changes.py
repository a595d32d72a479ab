"""The gaps of one meter that one step changed, and why: each gets one revision, at the end of the step."""

from __future__ import annotations

from typing import Final, Protocol

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.gaps import CLOSED, EXPIRED, FILLED, OPEN, PARTIAL, PLANNED, RETRACTED, Gap
from gridwatch.domain.policy import Policy


class Remembered(Protocol):
    """The remembered readings of a meter."""

    def stamps(self) -> list[int]: ...


class Plan(Protocol):
    """When a meter is planned not to deliver."""

    def covers(self, slot: int, last: int, interval: int, calendar: Calendar | None) -> bool:
        """Whether all its slots from ``slot`` to ``last`` are planned to be missing."""


class GapChanges:
    """The gaps of one meter that one step changed: each gets one revision, at the end of the step."""

    __slots__ = ("missing", "plan", "policy", "reasons", "remembered", "was_open", "watermark")

    def __init__(
        self,
        policy: Policy,
        watermark: int,
        remembered: Remembered | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.policy = policy
        self.remembered = remembered
        """The remembered readings of the meter, if it has some."""
        self.plan = plan
        self.watermark = watermark
        """The watermark at this point of the step."""
        self.was_open: dict[Gap, bool] = {}
        self.reasons: dict[Gap, str] = {}
        self.missing = 0
        """Slots that became missing."""

    def stamps(self) -> list[int]:
        """The remembered stamps of the meter, ascending."""
        return [] if self.remembered is None else self.remembered.stamps()

    def is_planned(self, slot: int, last: int, interval: int, calendar: Calendar | None) -> bool:
        """Whether all slots from ``slot`` to ``last`` are planned to be missing."""
        return self.plan is not None and self.plan.covers(slot, last, interval, calendar)

    def touch(self, gap: Gap, reason: str | None = None) -> None:
        """Call before ``gap`` changes. The last ``reason`` given is the one emitted."""
        self.was_open.setdefault(gap, gap.state == OPEN)
        if reason is not None:
            self.reasons[gap] = reason

    def reach(self, watermark: int) -> None:
        """Set the watermark, which the step has raised since it began."""
        self.watermark = watermark

    def count_missing(self, count: int) -> None:
        """Count slots that became missing."""
        self.missing += count

    def in_order(self) -> list[Gap]:
        """The changed gaps in order of their first slot, each id once.

        A gap that was retracted and found again on the new grid in the same step keeps its id, so it stays
        one gap: the new one continues its revisions.
        """
        named: dict[int, Gap] = {}
        for gap in self.was_open:
            earlier = named.get(gap.first)
            if earlier is None:
                named[gap.first] = gap
            else:
                stays, goes = (earlier, gap) if gap.state == RETRACTED else (gap, earlier)
                if goes.revision:
                    stays.revision, self.was_open[stays] = goes.revision, self.was_open[goes]
                named[gap.first] = stays
        return [named[first] for first in sorted(named)]

    def reason(self, gap: Gap) -> str:
        """Why the gap is as it is now."""
        if gap.planned and gap.state not in {FILLED, RETRACTED}:
            return PLANNED
        given = self.reasons.get(gap)
        return given if given is not None else _REASONS[gap.state]


_REASONS: Final = {
    OPEN: "no reading came within the grace of its slot",
    CLOSED: "readings came again",
    PARTIAL: "some of its readings came late",
    FILLED: "all of its readings came late",
    EXPIRED: "the meter was silent for the life of its state",
    RETRACTED: "no reading was due",
}
