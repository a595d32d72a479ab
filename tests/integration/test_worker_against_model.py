"""The worker, as it runs, against the slow model: the same ids, the same last revisions, the same reasons.

Random logs full of trouble lie on the real raw topic. The model is run on what that topic really holds
(offsets and the broker's own record times, read back), the worker on the topic itself: in large batches and
tiny ones, alone and with a second worker, undisturbed and killed in the middle.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gridwatch.codecs.decode import decode_readings
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.anomalies.anomaly import Anomaly
from gridwatch.domain.outputs import Aggregate
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import load_settings
from gridwatch.topics import (
    AGGREGATES_1M,
    AGGREGATES_15M,
    ANOMALIES,
    DEAD_LETTERS,
    END_HEADER,
    GAP_ALERTS,
    LATE_EVENTS,
    METRICS,
    OUTAGE_HEADER,
    RAW,
    REGION_HEADER,
    REGISTRY_HEADER,
    REPLAY_HEADER,
    TICK_HEADER,
    VALIDATED,
)
from tests.model.compare import comparable
from tests.model.logs import PARTITIONS, LogMaker, Parameters, meter_ids
from tests.model.reference import Reference
from tests.model.stamps import HOUR, MINUTE, SECOND, show
from tests.model.wire import Record
from tests.processes import Site
from tests.records import Outputs, Raw, last_revisions, produce, read

pytestmark = pytest.mark.integration

TOPIC_OF = {
    "validated": VALIDATED.name,
    "late_event": LATE_EVENTS.name,
    "gap_alert": GAP_ALERTS.name,
    "metric": METRICS.name,
    "dead_letter": DEAD_LETTERS.name,
}
#: Outputs that the model has as the worker has them before they are encoded.
EMITTED = {"aggregate": Aggregate, "anomaly": Anomaly}
WINDOWS = (AGGREGATES_1M.name, AGGREGATES_15M.name, ANOMALIES.name)
#: Random logs on each partition.
LOGS = 5


@dataclass(frozen=True)
class Case:
    """A policy, as the model and as the settings have it, and the seed of its logs."""

    seed: int
    policy: Parameters
    settings: dict[str, str]


def case(seed: int, **durations: int) -> Case:
    """Durations in µs; all else as it is by default, but records are refused from 20 kB on."""
    windows = (MINUTE, 15 * MINUTE)
    policy = Parameters(max_record_bytes=20_000, windows=windows, regional=True, judges=True, **durations)
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


CONTROLS = {"registry": REGISTRY_HEADER, "region": REGION_HEADER, "outage": OUTAGE_HEADER}


def trouble(policy: Parameters, seed: int) -> Iterator[Raw]:
    """For each partition random logs one after the other, up to now: the broker's clock sees fast stamps."""
    ends_at = time.time_ns() // 1000 // SECOND * SECOND
    for partition in range(PARTITIONS):
        for number in range(LOGS):
            maker = LogMaker(10_000 * seed + 100 * partition + number)
            maker.partition, maker.policy = partition, policy
            if number < LOGS - 1:  # the slow model looks at every slot until the next log
                maker.seconds = 0.0
            maker.now = ends_at - (LOGS - number) * 30 * HOUR
            for record in maker.make():
                headers = [(TICK_HEADER, b"1")] if record.tick else []
                headers += [(CONTROLS[record.control], record.version)] if record.control else []
                headers += [(REPLAY_HEADER, b"run")] if record.replayed else []
                headers += [(END_HEADER, record.end)] if record.end is not None else []
                yield Raw(partition, None if record.tick else b"key", record.value, tuple(headers))
        yield Raw(partition, b"key", b"nonsense")
        for ahead in (-MINUTE, 4 * MINUTE, 6 * MINUTE, 3 * HOUR):
            stamp = show(ends_at + ahead)
            body = {"meter_id": meter_ids(partition, 1)[0], "timestamp": stamp, "consumption_kwh": 1}
            yield Raw(partition, b"key", json.dumps(body).encode())
        yield Raw(partition, None, show(ends_at + HOUR).encode(), ((TICK_HEADER, b"1"),))


def held(bootstrap: str) -> dict[int, list[Record]]:
    """What the raw topic really holds, by partition."""
    records: dict[int, list[Record]] = {}
    for message in read(bootstrap, RAW.name):
        headers = dict(message.headers() or [])
        record = Record(
            message.offset(),
            message.timestamp()[1] * 1000,
            message.value(),
            TICK_HEADER in headers,
            REPLAY_HEADER in headers,
            headers.get(END_HEADER),
        )
        records.setdefault(message.partition(), []).append(record)
    return records


def of_the_model(policy: Parameters, records: dict[int, list[Record]]) -> Outputs:
    """What the slow model says of it."""
    said: dict[str, list[dict[str, Any]]] = {topic: [] for topic in (*TOPIC_OF.values(), *WINDOWS)}
    for partition, log in records.items():
        for kind, record in Reference(policy, partition).run(log):
            if kind in EMITTED:
                for topic, messages in encode_outputs([EMITTED[kind](**record)]).items():
                    said[topic] += [json.loads(value) for _, value in messages]
            elif kind in TOPIC_OF:
                said[TOPIC_OF[kind]].append(json.loads(json.dumps(record)))
    return {topic: last_revisions(topic, of_topic) for topic, of_topic in said.items()}


def in_one_piece(policy: Policy, records: dict[int, list[Record]]) -> Outputs:
    """What the rules say when each partition is worked at once, in memory: never cut, never stored."""
    said: dict[str, list[dict[str, Any]]] = {topic: [] for topic in (*TOPIC_OF.values(), *WINDOWS)}
    for partition, log in records.items():
        processor = Processor(policy, PartitionState(partition), {}, decode=decode_readings)
        outcome = processor.process([LogRecord(*record) for record in log])
        for topic, messages in encode_outputs(outcome.outputs).items():
            said[topic] += [json.loads(value) for _, value in messages]
    return {topic: last_revisions(topic, of_topic) for topic, of_topic in said.items()}


def differences(found: Outputs, wanted: Outputs) -> list[Any]:
    """What of `wanted` is missing, in excess, or said otherwise: the first of each, by topic."""
    differing: list[Any] = []
    for topic, records in wanted.items():
        missing, excess = (
            sorted(records.keys() - found[topic].keys()),
            sorted(found[topic].keys() - records.keys()),
        )
        if missing or excess:
            differing.append(
                (topic, f"{len(missing)} not said", missing[:3], f"{len(excess)} too many", excess[:3])
            )
        other = [name for name in records.keys() & found[topic].keys() if found[topic][name] != records[name]]
        for name in sorted(other)[:3]:
            got, told = found[topic][name], records[name]
            fields = [key for key in {**told, **got} if got.get(key) != told.get(key)]
            differing.append((topic, name, {key: (got.get(key), told.get(key)) for key in fields}))
    return differing


def judged(said: Outputs, unclear: set[str]) -> Outputs:
    """What the model and the worker must agree on, by topic and id."""
    return {topic: said[topic] for topic in WINDOWS} | {
        topic: last_revisions(topic, comparable(kind, list(said[topic].values()), unclear))
        for kind, topic in TOPIC_OF.items()
    }


class Log(NamedTuple):
    """A raw topic full of trouble, on which every test below runs anew."""

    bootstrap: str
    folder: Path
    case: Case
    records: dict[int, list[Record]]
    in_one_piece: Outputs

    def site(self, **settings: Any) -> Site:
        """A deployment that begins at the start of it."""
        return Site(self.bootstrap, self.folder, fresh_raw=False, **self.case.settings, **settings)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"seed-{case.seed}")
def log(
    request: pytest.FixtureRequest, kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory
) -> Log:
    case: Case = request.param
    folder: Path = tmp_path_factory.mktemp("model")
    Site(kafka.bootstrap, folder)
    produce(kafka.bootstrap, trouble(case.policy, case.seed))
    records = held(kafka.bootstrap)
    settings = load_settings(**case.settings)
    return Log(kafka.bootstrap, folder, case, records, in_one_piece(settings.policy(), records))


def test_the_logs_are_troubled_enough(log: Log) -> None:
    said = log.in_one_piece
    assert {gap["state"] for gap in said[GAP_ALERTS.name].values()} >= {"CLOSED", "PARTIAL", "FILLED"}
    assert {record["status"] for record in said[VALIDATED.name].values()} == {"OK", "LATE"}
    assert len(said[LATE_EVENTS.name]) > 5
    reasons = {reason for letter in said[DEAD_LETTERS.name].values() for reason in letter["reasons"]}
    assert {"FUTURE_TIMESTAMP", "BAD_TIMESTAMP", "NOT_JSON"} <= reasons


def test_what_the_worker_says_is_what_the_slow_model_says(log: Log) -> None:
    with log.site() as site:
        site.worker().start()
        site.wait_processed()
        said = site.outputs()
    assert differences(said, log.in_one_piece) == []
    model = of_the_model(log.case.policy, log.records)
    unclear = {name for name, event in model[LATE_EVENTS.name].items() if "UNCLEAR" in event["flags"]}
    assert differences(judged(said, unclear), judged(model, unclear)) == []


def test_tiny_batches_and_kills_change_nothing(log: Log) -> None:
    with log.site(batch_records=7) as site:
        worker = site.worker().start()
        worked = []
        for rows in (150, 300):
            site.wait_rows(rows)
            worker.kill()
            worked.append(site.processed())
            worker.start()
        site.wait_processed()
        assert all(0 < share < 1 for share in worked), f"a kill was not in the middle: {worked}"
        assert differences(site.outputs(), log.in_one_piece) == []


def test_two_workers_say_what_one_says(log: Log) -> None:
    with log.site(batch_records=50) as site:
        first = site.worker("first").start()
        second = site.worker("second").start()
        site.wait_processed()
        first.wait_until_ready()
        second.wait_until_ready()
        owners = [one["owner"] for one in first.page("/partitions/")["partitions"]]
        assert sorted(owners) == sorted([first.url] * 3 + [second.url] * 3)
        assert differences(site.outputs(), log.in_one_piece) == []
