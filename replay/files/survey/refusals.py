"""What the worker would refuse of the readings that are sent: its own rules, asked before anything is sent.

The rules and their limits are the domain's and the settings'. A replay sends at once, so the time of a record
is taken to be now.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import OpenedReading
from gridwatch.domain.validation.findings import FUTURE_TIMESTAMP, OUT_OF_RANGE, Refusal
from gridwatch.domain.validation.rules import (
    check,
    is_meter_id,
    is_sound,
)
from replay.files.rows import Row

_REMEMBERED = 200_000
#: What to say of a reason beside the worker's own words: of one field, and the remedy.
_REMEDIES = {
    OUT_OF_RANGE: ("consumption_kwh", "GRIDWATCH_MAX_READING_KWH is the limit of a reading"),
    FUTURE_TIMESTAMP: ("timestamp", "leave them out with --end"),
}


_CALENDAR = ("interval", "timezone")


class Refusals:
    """Counts refused readings by reason, with the first one of each."""

    def __init__(self, policy: Policy, now: int) -> None:
        """`now` in µs: when the readings are sent."""
        self.readings = 0
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._policy = policy
        self._now, self._latest = now, now + policy.max_future_skew
        #: Readings with the further members of a row, to be given its value.
        self._probes: dict[str, OpenedReading] = {}
        self._meters: dict[str, bool] = {}

    def refused(self, row: Row) -> bool:
        """Whether the worker refuses a reading; counted."""
        time, meter, kwh, _, members = row
        probe = self._probes.get(members) or self._probe(members)
        probe.consumption_kwh = kwh
        good = self._meters.get(meter)
        if good is None:
            if len(self._meters) >= _REMEMBERED:
                self._meters.clear()
            good = self._meters[meter] = is_meter_id(meter, self._policy)
        return not (good and is_sound(probe, time, self._latest, self._policy)) and self._judged(row)

    @property
    def described(self) -> list[str]:
        """Each reason with its count, its first example and what to do, in words."""
        lines = []
        for reason, count in self.reasons.most_common():
            example = self.examples[reason]
            field, remedy = _REMEDIES.get(reason, ("", ""))
            known = f" ({remedy})" if remedy and field in example else ""
            lines.append(f"{count:,} × {reason}, the first: {example}{known}")
        return lines

    def _probe(self, members: str) -> OpenedReading:
        if len(self._probes) >= _REMEMBERED:
            self._probes.clear()
        # A calendar comes from a profile: its zone is a known one.
        fields = {name: value for name, value in _opened(members).items() if name not in _CALENDAR}
        probe = self._probes[members] = OpenedReading("", "", 0.0, **fields)
        return probe

    def _judged(self, row: Row) -> bool:
        time, meter, kwh, _, members = row
        stamp = format_instant(time)
        fields = {"meter_id": meter, "timestamp": stamp, "consumption_kwh": kwh, **_opened(members)}
        found = check(fields, partition_of(meter, self._policy.partitions), self._now, self._policy)
        if not isinstance(found, Refusal):
            return False
        self.readings += 1
        for reason in found.reasons:
            self.reasons[reason] += 1
            self.examples.setdefault(reason, f"{meter} at {stamp}: {found.message}")
        return True


def _opened(members: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(f"{{{members[1:]}}}")
    return found
