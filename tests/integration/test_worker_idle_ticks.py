"""A partition that falls silent gets its time from its owner: the gap is found without another reading.

After replayed records it gets none: a replay brings its own time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import GAP_ALERTS, RAW, REPLAY_HEADER, TICK_HEADER
from tests.processes import Site
from tests.records import Raw, decoded, meters_of, read, reading

pytestmark = pytest.mark.integration

LIVE, REPLAYED = 0, 1
SECOND = 1_000_000
SETTINGS = {
    "idle_timeout": "1s",
    "idle_delay": "500ms",
    "default_interval": "1m",
    "grace": "2s",
    "max_out_of_orderness": "1s",
}


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("idle"), **SETTINGS) as site:
        yield site


@pytest.fixture(scope="module")
def worker(site: Site) -> Service:
    return site.worker().start().wait_until_ready()


def ticks(site: Site, partition: int) -> list[tuple[int, int]]:
    """(instant, record time) of each tick in a partition, µs."""
    return [
        (parse_instant((message.value() or b"").decode())[0], message.timestamp()[1] * 1000)
        for message in read(site.bootstrap, RAW.name)
        if message.partition() == partition and TICK_HEADER in [name for name, _ in message.headers() or []]
    ]


def fallen_silent(partition: int, now: int, *headers: tuple[str, bytes]) -> list[Raw]:
    """Two meters: the reading that the first one owes falls due in 3 s, and nothing comes any more."""
    first, second = meters_of(partition, 2)
    return [
        reading(first, format_instant(now - 59 * SECOND))._replace(headers=headers),
        reading(second, format_instant(now - 1 * SECOND))._replace(headers=headers),
    ]


def test_a_meter_that_falls_silent_gets_its_gap_without_further_readings(site: Site, worker: Service) -> None:
    now = time.time_ns() // 1_000_000_000 * SECOND
    site.produce(fallen_silent(REPLAYED, now, (REPLAY_HEADER, b"run")))
    site.produce(fallen_silent(LIVE, now))
    until("the gap is found", lambda: read(site.bootstrap, GAP_ALERTS.name), 30)
    [gap] = decoded(read(site.bootstrap, GAP_ALERTS.name))
    silent = meters_of(LIVE, 1)[0]
    assert (gap["meter_id"], gap["state"], gap["missing_intervals"]) == (silent, "OPEN", 1)
    assert gap["missing_from"] == format_instant(now + 1 * SECOND)


def test_ticks_follow_the_clock_and_stay_behind_it(site: Site, worker: Service) -> None:
    until("there are a few ticks", lambda: len(ticks(site, LIVE)) >= 3, 30)
    sent = ticks(site, LIVE)
    assert all(instant <= at - SECOND // 2 + SECOND // 100 for instant, at in sent)
    instants = [instant for instant, _ in sent]
    assert instants == sorted(set(instants))
    assert all(later - earlier >= SECOND for (_, earlier), (_, later) in pairwise(sent))


def test_a_replayed_partition_gets_no_ticks(site: Site, worker: Service) -> None:
    # The live one beside it, silent for as long, has had some by now.
    until("the live partition has ticks", lambda: ticks(site, LIVE), 30)
    assert ticks(site, REPLAYED) == []


def test_a_partition_whose_time_never_began_gets_no_ticks(site: Site, worker: Service) -> None:
    until("the live partition has ticks", lambda: ticks(site, LIVE), 30)
    assert [ticks(site, partition) for partition in (2, 3, 4, 5)] == [[]] * 4
