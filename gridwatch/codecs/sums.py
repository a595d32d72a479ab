"""Encodes windows of consumption and bundles as JSON messages.

Windows come by the thousand as time crosses a minute; what neighbours share is formatted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from gridwatch.codecs.encoded import Message
from gridwatch.domain import outputs as emitted
from gridwatch.domain.instants import instant_text
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.domain.rounding import half_even
from gridwatch.models.aggregate import Aggregate
from gridwatch.models.partial import Partial, PartialGroup, PartialRegion, PartialWindow
from gridwatch.topics import REGIONAL_PARTIALS, Flow

#: The version of the format of bundles.
BUNDLE_VERSION: Final = 1

_encode: Final = msgspec.json.Encoder().encode
_MICRO_WH: Final = 1_000_000_000
_MICRO: Final = 1_000_000
_MILLI: Final = 1_000
_SHARES: Final = 10_000


class WindowMessages:
    """The windows of a commit, encoded, by topic name."""

    def __init__(self, flow: Flow) -> None:
        self.messages: dict[str, list[Message]] = {topic.name: [] for topic in flow.aggregates.values()}
        self._of: dict[int, list[Message]] = {
            seconds * SECOND: self.messages[topic.name] for seconds, topic in flow.aggregates.items()
        }
        self._start = self._length = self._received = -1
        self._name = self._begin = self._end = self._arrival = ""

    def add(self, window: emitted.Aggregate) -> None:
        """Encode the next one."""
        meter_id, count, expected = window.meter_id, window.readings, window.expected
        if window.start != self._start or window.length != self._length:
            self._start, self._length = window.start, window.length
            self._begin, self._end = instant_text(window.start), instant_text(window.start + window.length)
            self._name = f"@{self._begin}/{window.length // MINUTE}m"
        if window.received != self._received:
            self._received, self._arrival = window.received, instant_text(window.received)
        completeness = half_even(_SHARES * min(count, expected), expected) / _SHARES if expected else None
        value = Aggregate(
            meter_id + self._name,
            meter_id,
            self._begin,
            self._end,
            window.revision,
            window.region,
            count,
            expected,
            completeness,
            window.energy / _MICRO_WH,
            _over(window.power, _MICRO),
            _over(window.lowest_power, _MICRO),
            _over(window.highest_power, _MICRO),
            _over(window.voltage, _MILLI),
            _over(window.current, _MILLI),
            _over(window.power_factor, _MICRO),
            window.partition,
            self._arrival,
        )
        self._of[window.length].append((meter_id.encode(), _encode(value)))


def _over(value: int | None, scale: int) -> float | None:
    return None if value is None else value / scale


def encode_bundles(outputs: Iterable[emitted.Output]) -> dict[tuple[str, int], list[Message]]:
    """The bundles among outputs, as messages by topic name and target partition."""
    messages: dict[tuple[str, int], list[Message]] = {}
    for output in outputs:
        if type(output) is emitted.Bundle:
            key = f"{output.flow}/{output.partition}".encode()
            message = (key, _encode(_partial(output)))
            messages.setdefault((REGIONAL_PARTIALS.name, output.target), []).append(message)
    return messages


def _partial(bundle: emitted.Bundle) -> Partial:
    return Partial(
        version=BUNDLE_VERSION,
        flow=bundle.flow,
        partition=bundle.partition,
        watermark=instant_text(bundle.watermark),
        windows=[_window(window) for window in bundle.windows],
        groups=[_group(group) for group in bundle.groups],
        regions=[_limit(limit) for limit in bundle.limits],
    )


def _window(window: emitted.RegionWindow) -> PartialWindow:
    return PartialWindow(
        region=window.region,
        window_start=instant_text(window.start),
        revision=window.revision,
        initial=window.initial,
        final=window.final,
        flat=window.flat,
        minutes=list(window.minutes),
        received=window.received,
        expected=window.expected,
        active=window.active,
        uncovered=window.uncovered,
        reporting=window.reporting,
        prorated=window.prorated,
    )


def _group(group: emitted.RegionGroup) -> PartialGroup:
    return PartialGroup(
        region=group.region,
        feeder=group.feeder,
        transformer=group.transformer,
        active=group.active,
        open=group.open,
        openings=[(instant_text(minute), count) for minute, count in group.openings],
        meters=list(group.meters),
    )


def _limit(limit: emitted.RegionLimit) -> PartialRegion:
    return PartialRegion(
        region=limit.region,
        version=limit.version,
        capacity_kw=limit.capacity_kw,
        valid_from=None if limit.valid_from is None else instant_text(limit.valid_from),
    )
