"""How many registered meters there are, over all workers: each counts those of its partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gridwatch.views.lists.survey import Question, Surveys
from gridwatch.views.registry.orders import HEARD_CHOICES, STATUS_CHOICES, RegisteredCounts
from gridwatch.views.state import Record

#: How long a page waits for the first count, seconds; later ones are shown when they are there.
WAIT_SECONDS = 0.25
#: Regions whose meters are counted on a page at most, those with the most meters first.
MOST_REGIONS = 200
#: The part of a worker that cannot count now.
UNCOUNTED: Record = {
    "registered": 0,
    "complete": False,
    "by_status": {},
    "by_region": {},
    "by_hearing": {},
}
_QUESTION = Question(RegisteredCounts(), "", None, 1)


class RegistryCounts:
    """Counts of registered meters, by surveys."""

    def __init__(self, surveys: Surveys) -> None:
        self._surveys = surveys

    async def own(self) -> Record:
        """This worker's part."""
        survey = await self._surveys.answer(_QUESTION, WAIT_SECONDS)
        by_status, by_region, by_hearing = Counter[str](), Counter[str](), Counter[str]()
        for mark, count in survey.counts.items():
            for counter, value in zip((by_status, by_region, by_hearing), mark, strict=True):
                if value:
                    counter[value] += count
        return {
            "registered": survey.scanned,
            "complete": survey.complete,
            "by_status": dict(by_status),
            "by_region": dict(by_region.most_common(MOST_REGIONS)),
            "by_hearing": dict(by_hearing),
        }


def added_up(parts: Iterable[Record]) -> Record:
    """The counts of several workers. Every status is there, if only with 0."""
    parts = list(parts)
    by: dict[str, Counter[str]] = {}
    for name in ("by_status", "by_region", "by_hearing"):
        by[name] = Counter()
        for part in parts:
            by[name].update(part[name])
    return {
        "registered": sum(part["registered"] for part in parts),
        "complete": all(part["complete"] for part in parts),
        "by_status": {status: by["by_status"][status] for status in STATUS_CHOICES},
        "by_region": dict(by["by_region"].most_common(MOST_REGIONS)),
        "by_hearing": {heard: by["by_hearing"][heard] for heard in HEARD_CHOICES},
    }
