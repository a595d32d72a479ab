"""When worker and sink have caught up: what was sent is stored, as the broker's positions say.

First the worker with the raw topic, then the sink with what the worker has written until then. The worker
commits a source position only after its outputs were acknowledged, so the ends of the output topics at
that moment cover everything. (System metrics go on coming; what comes later is not waited for.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gridwatch.deployment.polling import StandstillError, until_complete
from gridwatch.deployment.service import Service
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.settings import Settings
from gridwatch.topics import OUTPUTS, RAW

#: Without any progress for this long, something is wrong.
STANDSTILL_SECONDS = 60.0
_PAUSE_SECONDS = 0.2

Ends: TypeAlias = Mapping[tuple[str, int], int]
"""End offsets by topic and partition."""
Report = Callable[[int, int], None]
"""Called with (done, wanted) in records."""


def no_report(done: int, wanted: int) -> None:
    """Nobody is to be told."""


def wait_for_worker(settings: Settings, service: Service, report: Report = no_report) -> None:
    """Return when the worker's group has committed everything on the raw topic; `service` is one of it."""
    positions = Positions(settings)
    _wait(positions, settings.app_id, positions.ends([RAW.name]), service, report)


def wait_for_sink(settings: Settings, service: Service, report: Report = no_report) -> None:
    """Return when the sink's group has committed all that is on the output topics now; likewise."""
    positions = Positions(settings)
    _wait(positions, sink_group(settings), output_ends(positions), service, report)


def sink_group(settings: Settings) -> str:
    """The consumer group of the sinks."""
    return f"{settings.app_id}-sink"


def output_ends(positions: Positions) -> Ends:
    """Where the output topics end now."""
    return positions.ends([topic.name for topic in OUTPUTS])


def committed(positions: Positions, group: str, ends: Ends) -> int:
    """How many records before these ends a group has committed."""
    found = positions.of_group(group, sorted({topic for topic, _ in ends}))
    return sum(min(one.committed or 0, ends[one.topic, one.partition]) for one in found)


def _wait(positions: Positions, group: str, ends: Ends, service: Service, report: Report) -> None:
    wanted = sum(ends.values())
    done = 0

    def look() -> tuple[bool, int]:
        nonlocal done
        service.require_running()
        done = committed(positions, group, ends)
        report(done, wanted)
        return done >= wanted, done

    try:
        until_complete(service.name, look, STANDSTILL_SECONDS, pause=_PAUSE_SECONDS)
    except StandstillError as problem:
        raise GridwatchError(
            f"{problem} at {done:,} of {wanted:,} records; from its log:\n{service.excerpt()}"
        ) from problem
