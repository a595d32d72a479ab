"""The worker, as it runs, against the slow model: the same ids, the same last revisions, the same reasons.

Random logs full of trouble lie on the real raw topic. The model is run on what that topic really holds
(offsets and the broker's own record times, read back), the worker on the topic itself: in large batches and
tiny ones, alone and with a second worker, undisturbed and killed in the middle.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import (
    DEAD_LETTERS,
    GAP_ALERTS,
    LATE_EVENTS,
    METRICS,
    RAW,
    REPLAY_HEADER,
    TICK_HEADER,
    VALIDATED,
)
from tests.model.logs import PARTITIONS, LogMaker, Parameters, meter_ids
from tests.model.reference import Reference
from tests.model.stamps import HOUR, MINUTE, SECOND, show
from tests.model.wire import Record
from tests.processes import Site
from tests.records import Raw, Said, last_revisions, produce, read

pytestmark = pytest.mark.integration

TOPIC_OF = {
    "validated": VALIDATED.name,
    "late_event": LATE_EVENTS.name,
    "gap_alert": GAP_ALERTS.name,
    "metric": METRICS.name,
    "dead_letter": DEAD_LETTERS.name,
}
#: Said in words for a person: the contract does not say which.
WORDS = {"reason", "message"}
#: Random logs on each partition.
LOGS = 8
Log = tuple["Case", Path, Said]


@dataclass(frozen=True)
class Case:
    """A policy, as the model and as the settings have it, and the seed of its logs."""

    seed: int
    policy: Parameters
    settings: dict[str, str]


def case(seed: int, **durations: int) -> Case:
    """Durations in µs; all else as it is by default, but records are refused from 20 kB on."""
    policy = Parameters(max_record_bytes=20_000, **durations)
    settings = {name: f"{value / SECOND:.0f}s" for name, value in durations.items()}
    return Case(seed, policy, {**settings, "max_record_bytes": "20000"})


CASES = [
    case(1),
    case(
        2,
        default_interval=15 * MINUTE,
        grace=5 * MINUTE,
        max_out_of_orderness=5 * MINUTE,
        allowed_lateness=20 * MINUTE,
        state_ttl=6 * HOUR,
        max_watermark_jump=3 * HOUR,
        gap_memory=HOUR,
        metrics_window=15 * MINUTE,
    ),
]


def trouble(policy: Parameters, seed: int) -> Iterator[Raw]:
    """For each partition random logs one after the other, up to now: the broker's clock sees fast stamps."""
    ends_at = time.time_ns() // 1000 // SECOND * SECOND
    for partition in range(PARTITIONS):
        for number in range(LOGS):
            maker = LogMaker(10_000 * seed + 100 * partition + number)
            maker.partition, maker.policy = partition, policy
            maker.now = ends_at - (LOGS - number) * 30 * HOUR
            for record in maker.make():
                headers = [(TICK_HEADER, b"1")] if record.tick else []
                headers += [(REPLAY_HEADER, b"run")] if record.replayed else []
                yield Raw(partition, None if record.tick else b"key", record.value, tuple(headers))
        for ahead in (-MINUTE, 4 * MINUTE, 6 * MINUTE, 3 * HOUR):
            stamp = show(ends_at + ahead)
            body = {"meter_id": meter_ids(partition, 1)[0], "timestamp": stamp, "consumption_kwh": 1}
            yield Raw(partition, b"key", json.dumps(body).encode())
        yield Raw(partition, None, show(ends_at + HOUR).encode(), ((TICK_HEADER, b"1"),))


def expected(bootstrap: str, policy: Parameters) -> Said:
    """What the model says of the raw topic as it is."""
    held: dict[int, list[Record]] = {}
    for message in read(bootstrap, RAW.name):
        names = [name for name, _ in message.headers() or []]
        record = Record(
            message.offset(),
            message.timestamp()[1] * 1000,
            message.value(),
            TICK_HEADER in names,
            REPLAY_HEADER in names,
        )
        held.setdefault(message.partition(), []).append(record)
    said: dict[str, list[dict[str, Any]]] = {topic: [] for topic in TOPIC_OF.values()}
    for partition, records in held.items():
        for kind, record in Reference(policy, partition).run(records):
            said[TOPIC_OF[kind]].append(json.loads(json.dumps(record)))
    return {topic: last_revisions(topic, records) for topic, records in said.items()}


def without_words(said: Said) -> Said:
    return {
        topic: {
            name: {key: value for key, value in record.items() if key not in WORDS}
            for name, record in records.items()
        }
        for topic, records in said.items()
    }


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"seed-{case.seed}")
def log(
    request: pytest.FixtureRequest, kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """(case, folder, what the model says) of one raw topic, on which every test below runs anew."""
    chosen: Case = request.param
    folder: Path = tmp_path_factory.mktemp("model")
    Site(kafka.bootstrap, folder, **chosen.settings)
    produce(kafka.bootstrap, trouble(chosen.policy, chosen.seed))
    return chosen, folder, expected(kafka.bootstrap, chosen.policy)


def compare(site: Site, model: Said) -> None:
    said = without_words(site.said())
    for topic in TOPIC_OF.values():
        assert sorted(said[topic]) == sorted(model[topic]), topic
        differing = {name for name, record in model[topic].items() if said[topic][name] != record}
        assert [(said[topic][name], model[topic][name]) for name in sorted(differing)] == [], topic


def test_the_logs_are_troubled_enough(log: Log) -> None:
    _, _, model = log
    assert {state["state"] for state in model[GAP_ALERTS.name].values()} >= {"CLOSED", "PARTIAL", "FILLED"}
    assert {record["status"] for record in model[VALIDATED.name].values()} == {"OK", "LATE"}
    assert len(model[LATE_EVENTS.name]) > 5
    reasons = {reason for letter in model[DEAD_LETTERS.name].values() for reason in letter["reasons"]}
    assert {"FUTURE_TIMESTAMP", "BAD_TIMESTAMP", "NOT_JSON"} <= reasons


def test_one_worker_in_large_batches(log: Log, kafka: EmbeddedKafka) -> None:
    chosen, folder, model = log
    with Site(kafka.bootstrap, folder, fresh_raw=False, **chosen.settings) as site:
        site.worker().start()
        site.wait_worked()
        compare(site, model)


def test_one_worker_in_tiny_batches_killed_again_and_again(log: Log, kafka: EmbeddedKafka) -> None:
    chosen, folder, model = log
    chance = random.Random(chosen.seed)
    with Site(kafka.bootstrap, folder, fresh_raw=False, batch_records=7, **chosen.settings) as site:
        worker = site.worker().start(ready=False)
        killed_at = []
        for share in (0.15, 0.5):
            site.wait_worked(share + chance.random() * 0.2)
            worker.kill()
            killed_at.append(site.worked())
            worker.start(ready=False)
        site.wait_worked()
        assert all(0 < share < 1 for share in killed_at), "the kills came too late to mean anything"
        compare(site, model)


def test_two_workers_share_the_partitions(log: Log, kafka: EmbeddedKafka) -> None:
    chosen, folder, model = log
    with Site(kafka.bootstrap, folder, fresh_raw=False, batch_records=50, **chosen.settings) as site:
        site.worker("first").start(ready=False)
        site.worker("second").start(ready=False)
        site.wait_worked()
        compare(site, model)
