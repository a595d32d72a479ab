"""A fleet through the real worker, and what its topics have against the exact computation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.compare.changelog import State
from chaos.subject import GRIDWATCH
from gridwatch.kafka.positions import Positions
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, INCIDENTS, REGIONAL_AGGREGATES
from tests.grid.compare import Exact
from tests.grid.fleet import Fleet
from tests.grid.log import steps
from tests.grid.partition import Partition, Rules
from tests.processes import Site
from tests.records import PARTITIONS, decoded, produce, read

_LONGEST_SECONDS = 3600.0
RULES = Rules(partitions=PARTITIONS)


def send(bootstrap: str, folder: Path, fleet: Fleet) -> None:
    """Recreate the topics, and write all records of the fleet to the raw one."""
    Site(bootstrap, folder)
    produce(bootstrap, fleet.records())


@contextmanager
def processed(bootstrap: str, folder: Path, *, workers: int = 1, **settings: Any) -> Iterator[Site]:
    """What is on the raw topic, taken by so many workers, all stages to their ends."""
    with Site(bootstrap, folder, fresh_raw=False, source_out_after="1h", **settings) as site:
        started = [site.worker(f"worker-{number}") for number in range(workers)]
        for worker in started:
            worker.start()
        _wait(site)
        yield site


def _wait(site: Site) -> None:
    """Return when every stage has committed all of its source, which is the output of the stage before.

    By the state of the stages: a worker that takes a partition over at its end has no offset to commit.
    """
    for observed in GRIDWATCH.stages:
        ends = Positions(site.settings).ends([observed.stage.source.name])
        wanted = {partition: end for (_, partition), end in ends.items()}
        state = State(site.settings, observed)

        def done(state: State = state, wanted: dict[int, int] = wanted) -> bool:
            state.read()
            reached = state.positions()
            return all(reached.get(partition, 0) >= end for partition, end in wanted.items())

        try:
            site.until(f"stage {observed.stage.name} is done", done, _LONGEST_SECONDS)
        finally:
            state.close()


def exact(bootstrap: str) -> Exact:
    """What must have come of it, of what was accepted and missing."""
    of_partitions = (Partition(number, RULES).run(steps(bootstrap, number)) for number in range(PARTITIONS))
    return Exact(of_partitions, RULES)


def differences(bootstrap: str, expected: Exact) -> list[str]:
    """Every difference between the topics and what they must have."""
    windows = [one for topic in (AGGREGATES_1M, AGGREGATES_15M) for one in _records(bootstrap, topic.name)]
    rows, incidents = (_records(bootstrap, topic.name) for topic in (REGIONAL_AGGREGATES, INCIDENTS))
    return expected.differences(windows, rows, incidents)


def _records(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    return decoded(read(bootstrap, topic))
