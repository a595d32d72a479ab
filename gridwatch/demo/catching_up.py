"""When worker and sink have caught up: what was sent is stored, as the broker's positions say.

First the worker with the raw topic, then the sink with what the worker has written until then. The worker
commits a source position only after its outputs were acknowledged, so the ends of the output topics at
that moment cover everything. (System metrics go on coming; what comes later is not waited for.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from gridwatch.demo.services import Service
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.settings import Settings
from gridwatch.topics import OUTPUTS, RAW

#: Without any progress for this long, something is wrong.
STANDSTILL_SECONDS = 60.0
_LOOK_SECONDS = 0.2

Report = Callable[[int, int], None]
"""Told (done, wanted) in records."""


def wait_for_worker(settings: Settings, service: Service, report: Report) -> None:
    """Return when the worker has committed everything on the raw topic."""
    positions = Positions(settings)
    _wait(positions, settings.app_id, positions.ends([RAW.name]), service, report)


def wait_for_sink(settings: Settings, service: Service, report: Report) -> None:
    """Return when the sink has committed everything that is on the output topics now."""
    positions = Positions(settings)
    ends = positions.ends([topic.name for topic in OUTPUTS])
    _wait(positions, f"{settings.app_id}-sink", ends, service, report)


def _wait(
    positions: Positions, group: str, ends: Mapping[tuple[str, int], int], service: Service, report: Report
) -> None:
    topics = sorted({topic for topic, _ in ends})
    wanted = sum(ends.values())
    before, since = -1, time.monotonic()
    while True:
        service.require_running()
        found = positions.of_group(group, topics)
        done = sum(min(one.committed or 0, ends[one.topic, one.partition]) for one in found)
        report(done, wanted)
        if done >= wanted:
            return
        if done > before:
            before, since = done, time.monotonic()
        elif time.monotonic() - since > STANDSTILL_SECONDS:
            raise GridwatchError(
                f"gridwatch {service.name} has stood still for {STANDSTILL_SECONDS:g} s at {done:,} of "
                f"{wanted:,} records; from its log:\n{service.said()}"
            )
        time.sleep(_LOOK_SECONDS)
