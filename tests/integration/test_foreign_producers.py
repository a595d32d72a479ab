"""What other people's producers write to the raw topic is read: codecs, transactions, undecodable batches.

One worker serves all tests; each has partitions or meters of its own. Idle ticks move time in live
partitions, so readings are stamped with the present there. Elsewhere they have the header of a replay: no
tick follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, LATE_EVENTS, RAW, VALIDATED
from tests.foreign.java import JavaClients
from tests.foreign.librdkafka import LibrdkafkaProducer
from tests.foreign.producers import CODECS, ForeignProducer, Options
from tests.foreign.segments import relabel, stored_batches
from tests.foreign.stamped import SECOND, START, at, minute_of, replayed, settling, whole_second
from tests.foreign.watching import SEEN_SECONDS, Watched, gaps_of, outputs, total, validated
from tests.processes import Site
from tests.records import Raw, meters_of, reading, tick

pytestmark = pytest.mark.integration

KINDS = ("librdkafka", "java")
#: Partitions by test and kind of producer: a watermark belongs to one test.
COMPRESSED = {"librdkafka": 0, "java": 1}
LIVE = {"librdkafka": 2, "java": 3}
ABORTED = 4
UNDECODABLE = 5

SETTINGS: dict[str, Any] = {
    "idle_timeout": "1s",
    "idle_delay": "500ms",
    "default_interval": "1m",
    "grace": "2s",
    "max_out_of_orderness": "500ms",
    "stalled_after": "2s",
}
#: How long after its deadline a gap of a silent partition may open, seconds.
GAP_SECONDS = 5.0
#: How long a partition may take to go on once its undecodable batch is deleted, seconds.
GOES_ON_SECONDS = 10.0
#: lz4, and a number that is no codec.
WRONG_CODECS = (3, 7)

Make = Callable[[str, Options], ForeignProducer]


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("foreign"), **SETTINGS) as site:
        yield site


@pytest.fixture(scope="module")
def worker(site: Site, kafka: EmbeddedKafka) -> Watched:
    return Watched(site.worker().start().wait_until_ready(), kafka)


@pytest.fixture
def steady(worker: Watched) -> Iterator[Watched]:
    """The worker; no batch is read again during the test."""
    before = worker.rereads()
    yield worker
    assert worker.rereads() == before


@pytest.fixture(scope="module")
def java(kafka: EmbeddedKafka) -> Iterator[JavaClients]:
    with JavaClients(kafka.bootstrap) as clients:
        yield clients


@pytest.fixture
def foreign(kafka: EmbeddedKafka, java: JavaClients) -> Iterator[Make]:
    made: list[ForeignProducer] = []

    def make(kind: str, options: Options) -> ForeignProducer:
        made.append(
            java.producer(options) if kind == "java" else LibrdkafkaProducer(kafka.bootstrap, options)
        )
        return made[-1]

    yield make
    for producer in made:
        producer.close()


def assert_opens_in_time(site: Site, worker: Watched, meter: str, deadline: float) -> None:
    """The meter's gap opens, soon after its deadline (Unix time, seconds)."""
    worker.until(f"the gap of {meter} opens", lambda: gaps_of(site, meter))
    assert time.time() <= deadline + GAP_SECONDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_codec_gives_what_plain_batches_give(
    site: Site, kafka: EmbeddedKafka, steady: Watched, foreign: Make, kind: str
) -> None:
    partition = COMPRESSED[kind]
    meters = meters_of(partition, 8 * len(CODECS))
    groups = {codec: meters[8 * number : 8 * number + 8] for number, codec in enumerate(CODECS)}
    # With idempotence and without: their batches differ, too.
    options = {codec: Options(codec=codec, idempotent=codec != CODECS[0]) for codec in CODECS}
    producers = {codec: foreign(kind, options[codec]) for codec in CODECS}
    for minute in (0, 1, 3):
        for codec, group in groups.items():
            producers[codec].send(minute_of(group, minute))
    site.produce([settling(partition)])
    steady.until_caught_up(partition)
    assert {batch.codec for batch in stored_batches(kafka, partition)} == set(CODECS)
    plain = outputs(site, groups["none"])
    assert [len(found) for found in plain[VALIDATED.name]] == [3] * 8
    assert all(plain[GAP_ALERTS.name])
    for codec, group in groups.items():
        assert outputs(site, group) == plain, codec


@pytest.mark.parametrize("kind", KINDS)
def test_silence_after_a_marker_is_silence(
    site: Site, kafka: EmbeddedKafka, steady: Watched, foreign: Make, kind: str
) -> None:
    partition = LIVE[kind]
    silent, other = meters_of(partition, 2)
    producer = foreign(kind, Options(transactional_id=f"ended-{kind}"))
    now = whole_second()
    producer.begin()
    producer.send([reading(silent, at(now, -59)), reading(other, at(now, 0))])
    producer.commit()
    steady.until_caught_up(partition)
    # An aborted transaction alone: offsets without any record.
    producer.begin()
    producer.send([reading(other, at(now, 1))])
    producer.abort()
    # Its next reading was due a second after now, and has two seconds of grace.
    assert_opens_in_time(site, steady, silent, deadline=now / SECOND + 3)
    of_transactions = [batch for batch in stored_batches(kafka, partition) if batch.transactional]
    assert [batch.control for batch in of_transactions] == [False, True] * 2
    assert steady.partition(partition)["last_tick"]
    steady.until_caught_up(partition)


def test_aborted_readings_count_nowhere(
    site: Site, kafka: EmbeddedKafka, steady: Watched, foreign: Make
) -> None:
    meters = meters_of(ABORTED, 18)
    plain, unknown = meters[:5], meters[15:]
    groups = {"librdkafka": meters[5:10], "java": meters[10:15]}
    codecs = {"librdkafka": "lz4", "java": "zstd"}
    producers = {
        kind: foreign(kind, Options(codec=codecs[kind], transactional_id=f"aborted-{kind}")) for kind in KINDS
    }
    for minute in (0, 1, 3, 4):
        # Other values, later readings, unknown meters, a tick and garbage.
        stamp = at(START, 60 * minute)
        wrong = [reading(meter, stamp, 99.0) for meter in meters]
        wrong += [reading(meter, at(START, 60 * minute + 3600), 99.0) for meter in (*plain, *unknown)]
        wrong += [tick(at(START, 7200), ABORTED), Raw(ABORTED, b"x", b"no json")]
        for kind in KINDS:
            producers[kind].begin()
            producers[kind].send(list(map(replayed, wrong)))
        # Between the records of open transactions: held back until they end.
        site.produce(minute_of(plain, minute))
        for kind, group in groups.items():
            producers[kind].send(list(map(replayed, wrong)))
            producers[kind].abort()
            producers[kind].begin()
            producers[kind].send(minute_of(group, minute))
            producers[kind].commit()
    site.produce([settling(ABORTED)])
    steady.until_caught_up(ABORTED)
    batches = stored_batches(kafka, ABORTED)
    assert sum(batch.control for batch in batches) == 2 * 2 * 4
    assert {batch.codec for batch in batches if batch.transactional and not batch.control} == {"lz4", "zstd"}
    expected = outputs(site, plain)
    assert [len(found) for found in expected[VALIDATED.name]] == [4] * 5
    assert all(expected[GAP_ALERTS.name])
    assert not any(expected[LATE_EVENTS.name])
    for kind, group in groups.items():
        assert outputs(site, group) == expected, kind
    assert not any(found for topic in outputs(site, unknown).values() for found in topic)
    assert ABORTED not in {one["partition"] for one in site.outputs()[DEAD_LETTERS.name].values()}
    kwh = sum(amount for meter in expected[VALIDATED.name] for _, amount, *_ in meter)
    assert total(site, "consumption_kwh", ABORTED) == pytest.approx(kwh * 3)
    assert total(site, "readings_received", ABORTED) == 4 * 15


@pytest.mark.parametrize(("kind", "end"), [("librdkafka", "commit"), ("java", "abort")])
def test_an_open_transaction_holds_back_its_partition_alone_and_is_named(
    site: Site, kafka: EmbeddedKafka, steady: Watched, foreign: Make, kind: str, end: str
) -> None:
    partition, elsewhere = LIVE.values() if kind == "librdkafka" else reversed(LIVE.values())
    inside, behind, other = meters_of(partition, 5)[2:]
    free = meters_of(elsewhere, 6)[5]
    producer = foreign(kind, Options(transactional_id=f"open-{kind}"))
    now = whole_second()
    producer.begin()
    producer.send([reading(inside, at(now, -59))])
    site.produce([reading(behind, at(now, -59)), reading(other, at(now, 0)), tick(at(now, 2), partition)])
    sent = len(stored_batches(kafka, partition))
    site.produce([reading(free, at(now, 0))])
    steady.until("another partition goes on", lambda: validated(site, [free]))

    def is_named(text: str) -> bool:
        return f"partition {partition}" in text and "transaction" in text

    steady.until("readiness names it", lambda: is_named(steady.reasons()))
    assert is_named(steady.diagnosis(site))
    assert f"partition {elsewhere}:" not in steady.health()
    assert validated(site, [inside, behind, other]) == set()
    assert steady.watermark(partition) < now + 2 * SECOND
    # No idle ticks pile up behind it; one may have been on its way.
    assert len(stored_batches(kafka, partition)) - sent <= 1

    {"commit": producer.commit, "abort": producer.abort}[end]()
    deadline = max(now / SECOND + 3, time.time())
    assert_opens_in_time(site, steady, behind, deadline)
    assert steady.watermark(partition) >= now + 2 * SECOND
    counted = {behind, other} | ({inside} if end == "commit" else set())
    assert validated(site, [inside, behind, other]) == counted
    steady.until_caught_up(partition)
    assert not is_named(steady.health())


@pytest.mark.parametrize("codec", WRONG_CODECS)
def test_an_undecodable_batch_stops_its_partition_alone_until_it_is_deleted(
    site: Site, kafka: EmbeddedKafka, worker: Watched, codec: int
) -> None:
    before, inside, behind, later = meters_of(UNDECODABLE, 4 * (codec + 1))[-4:]
    free = meters_of(LIVE["java"], 10 + codec)[-1]
    now = whole_second()
    process = worker.worker.process.pid
    with worker.stopped():
        site.produce([reading(before, at(now, 0))])
        site.produce([reading(inside, at(now, 0))])
        bad = stored_batches(kafka, UNDECODABLE)[-1]
        relabel(bad, codec)
        site.produce([reading(behind, at(now, 0))])
    site.produce([reading(free, at(now, 0))])

    def is_named(text: str) -> bool:
        return f"partition {UNDECODABLE}" in text and "cannot be decoded" in text and str(bad.first) in text

    worker.until("readiness names it", lambda: is_named(worker.reasons()))
    others = {before, free}
    worker.until("what is before it and elsewhere goes on", lambda: validated(site, [*others]) == others)
    assert is_named(worker.diagnosis(site))
    assert is_named(worker.worker.process.log_tail(2000))
    assert "remedy" in worker.worker.process.log_tail(2000)
    assert validated(site, [inside, behind]) == set()

    # The remedy that is named.
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    for deleted in admin.delete_records([TopicPartition(RAW.name, UNDECODABLE, bad.end)]).values():
        deleted.result(timeout=SEEN_SECONDS)
    worker.until("the partition goes on", lambda: validated(site, [behind]), GOES_ON_SECONDS)
    site.produce([reading(later, at(whole_second(), 0))])
    worker.until("it goes on", lambda: validated(site, [later]))
    worker.until_caught_up(UNDECODABLE)
    assert validated(site, [inside]) == set()
    assert not is_named(worker.health())
    assert worker.worker.process.pid == process
