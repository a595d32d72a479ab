"""Which slots of a meter are planned to be missing: those of a suspension, or of a planned outage.

A slot counts by the beginning of the time that its reading covers: its stamp, or one interval before it where
readings cover the time up to their stamp (``anchor`` ``end``).
"""

from __future__ import annotations

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.grid import first_from, shift
from gridwatch.domain.meter.intervals import END
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.registry.outages import Outages
from gridwatch.domain.registry.registration import Registration


class MeterPlan:
    """The plan of one meter."""

    __slots__ = ("_anchor", "_meter", "_meter_id", "_outages", "_registration")

    def __init__(
        self,
        meter_id: str,
        meter: MeterState | None,
        registration: Registration | None,
        outages: Outages,
        anchor: str,
    ) -> None:
        """meter: its state, if it has one. anchor: the one that holds if its entry gives none."""
        self._meter_id = meter_id
        self._meter = meter
        self._registration = registration
        self._outages = outages
        self._anchor = anchor

    def covers(self, slot: int, last: int, interval: int, calendar: Calendar | None) -> bool:
        """Whether all its slots from ``slot`` to ``last`` are planned to be missing."""
        entry = None if self._registration is None else self._registration.entry
        if (self._anchor if entry is None or entry.anchor is None else entry.anchor) == END:
            slot, last = shift(slot, -1, interval, calendar), shift(last, -1, interval, calendar)
        while slot <= last:
            until = self._until(slot)
            if until <= slot:
                return False
            if until > last:
                return True
            slot = first_from(until, slot, interval, calendar)
        return True

    def _until(self, time: int) -> int:
        """The end of what is planned at ``time``; ``time`` itself if nothing is."""
        registration, outages = self._registration, self._outages
        until = time if registration is None else registration.suspended_until(time)
        if outages:
            entry = None if registration is None else registration.entry_at(time)
            region = self._region() if entry is None or entry.region is None else entry.region
            until = max(until, outages.until("meter", self._meter_id, time))
            if region is not None:
                until = max(until, outages.until("region", region, time))
            if entry is not None and entry.feeder is not None:
                until = max(until, outages.until("feeder", entry.feeder, time))
            if entry is not None and entry.transformer is not None:
                until = max(until, outages.until("transformer", entry.transformer, time))
            if registration is not None:
                until = min(until, registration.next_after(time))  # it may be elsewhere from then on
        return until

    def _region(self) -> str | None:
        """The region that the meter is in now."""
        if self._meter is not None:
            return self._meter.region
        entry = None if self._registration is None else self._registration.entry
        return None if entry is None else entry.region
