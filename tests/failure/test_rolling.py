"""Three workers restarted one after the other while readings flow: the pause in the outputs is short."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.restarts import Silence
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import MINUTE
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import load_settings
from gridwatch.topics import VALIDATED
from tests.processes import Site
from tests.records import PARTITIONS, Raw, meters_of, reading

pytestmark = [pytest.mark.failure, pytest.mark.integration]

START = 1_704_103_200_000_000
METERS = [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]
#: A worker that does not leave its group is missed for a session of 20 s.
SILENT_SECONDS = 12.0
STOPPED_SECONDS = 5.0


def slot(number: int) -> list[Raw]:
    return [reading(meter, format_instant(START + number * 30 * MINUTE)) for meter in METERS]


@contextmanager
def flowing(site: Site) -> Iterator[list[int]]:
    """Send a reading to every partition continuously; yields the slots that were sent."""
    sent: list[int] = []
    ended = threading.Event()

    def flow() -> None:
        while not ended.wait(0.1):
            site.produce(slot(len(sent)))
            sent.append(len(sent))

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield sent
    finally:
        ended.set()
        thread.join()


def test_a_rolling_restart_leaves_no_visible_gap_and_each_stop_is_short(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with Site(kafka.bootstrap, tmp_path) as site, ThreadPoolExecutor(3) as pool:
        workers = [site.worker(name) for name in ("first", "second", "third")]
        for worker in workers:
            worker.start()
        list(pool.map(lambda worker: worker.wait_until_ready(), workers))
        silence = Silence(load_settings(broker=site.bootstrap, app_id=site.app_id))
        stopped = []
        with flowing(site) as sent:
            silence.start()
            for worker in workers:
                began = time.monotonic()
                worker.stop()
                stopped.append(time.monotonic() - began)
                worker.start().wait_until_ready()
            longest = silence.longest()
            silence.end()
        site.wait_processed()
        assert longest < SILENT_SECONDS
        assert max(stopped) < STOPPED_SECONDS
        assert len(site.outputs()[VALIDATED.name]) == len(sent) * PARTITIONS
