"""Which partitions the regions wait for, and which they went on without.

A window of the regions is made when the watermark of every source, a partition of a flow that takes part, has
passed its end. Every source says its watermark to each partition of the partials, so one of those, read from
its end, has them all; whoever adds the regions up need not be asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.policy import MINUTE
from gridwatch.views.log_tail import Record as LogRecord
from gridwatch.views.regional.rows import QUARTER

#: Sources that are not further apart than this do not hold anything up: their bundles come by the minute.
USUAL_DISTANCE: Final = 2 * MINUTE
OUT, LAST, UNHEARD = "out", "last", "unheard"


class Source(NamedTuple):
    """A partition of a flow. `watermark` in µs, None if it was not heard in what was read."""

    flow: str
    partition: int
    watermark: int | None
    out: bool


class _Said(msgspec.Struct):
    """What is needed of a bundle; a source that is out has no watermark."""

    flow: str
    partition: int
    watermark: str | None = None


_said = msgspec.json.Decoder(_Said).decode


class Sources:
    """The newest watermark of each source, and which sources are out."""

    def __init__(self, expected: Iterable[tuple[str, int]]) -> None:
        self._expected = tuple(expected)
        self.forget()

    def forget(self) -> None:
        """Start over."""
        self._known: dict[tuple[str, int], Source] = {}

    def begin_at(self, record: LogRecord) -> None:
        """What came before is not needed: the newest watermark counts."""

    def take(self, record: LogRecord) -> None:
        """A bundle, or that a source is out."""
        try:
            said = _said(record.value)
            watermark = None if said.watermark is None else parse_instant(said.watermark)[0]
        except (msgspec.MsgspecError, ValueError):
            return
        key = (said.flow, said.partition)
        known = self._known.get(key) or Source(*key, None, out=False)
        if watermark is None:
            self._known[key] = known._replace(out=known.out or self._holds_up(known))
        elif known.watermark is None or watermark > known.watermark:
            self._known[key] = Source(*key, watermark, out=False)

    def settle(self) -> None:
        """Nothing is to be done when all was taken."""

    def all(self) -> list[Source]:
        """Every source that takes part; nothing as long as none was heard."""
        if not self._known:
            return []
        return [self._known.get(key) or Source(*key, None, out=False) for key in self._expected]

    def _holds_up(self, source: Source) -> bool:
        """Whether another source is ahead of it, or it was never heard; one that nobody waits for is never
        out."""
        others = (self._known.get(key) for key in self._expected)
        return source.watermark is None or any(
            one is not None and one.watermark is not None and one.watermark > source.watermark
            for one in others
        )


def waited_for(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """The sources that the regions do without or wait for, the last one first.

    `why` is `out`: they go on without it; `last`: others have passed the end of a window that it has not;
    `unheard`: nothing was read of it.
    """
    sources = list(sources)
    first = max((one.watermark for one in sources if one.watermark is not None), default=0)
    found = [(why, one) for one in sources if (why := _why(one, first)) is not None]
    found.sort(key=lambda pair: (pair[1].watermark or 0, pair[1].flow, pair[1].partition))
    return [
        {
            "flow": one.flow,
            "partition": one.partition,
            "why": why,
            "watermark": None if one.watermark is None else format_instant(one.watermark),
            "behind_seconds": None if one.watermark is None else (first - one.watermark) // 1_000_000,
        }
        for why, one in found
    ]


def judged_to(sources: Iterable[Source]) -> int | None:
    """The watermark of the last source of those that are waited for, µs; None if one was not heard."""
    watermarks = [one.watermark for one in sources if not one.out]
    known = [watermark for watermark in watermarks if watermark is not None]
    return min(known) if known and len(known) == len(watermarks) else None


def _why(source: Source, first: int) -> str | None:
    if source.out:
        return OUT
    if source.watermark is None:
        return UNHEARD
    behind = first - source.watermark > USUAL_DISTANCE
    return LAST if behind and source.watermark // QUARTER < first // QUARTER else None
