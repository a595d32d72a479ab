"""Replay against a real broker: what lands on the topic, and that a killed replay goes on exactly."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import RAW, REPLAY_HEADER, ROW_HEADER, TICK_HEADER
from replay.faults import FaultPlan
from replay.run.progress import Quiet
from replay.run.replay import Replay
from replay.run.request import Request
from replay.run.summary import Summary
from replay.sample.households import MONDAY
from replay.sample.lines import lines
from replay.truth.manifest import read_manifest

pytestmark = pytest.mark.integration

PARTITIONS = 4
FAULTS = FaultPlan(5, 0.1, 300_000_000, 0.05)
Record = tuple[bytes | None, bytes, dict[str, bytes]]


@pytest.fixture
def settings(kafka: EmbeddedKafka) -> Settings:
    return load_settings(broker=kafka.bootstrap)


@pytest.fixture
def topic(kafka: EmbeddedKafka) -> Iterator[str]:
    name = f"raw-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config=RAW.config)])[name].result(30)
    yield name
    admin.delete_topics([name])[name].result(30)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "meters.csv"
    path.write_text("".join(lines(20, 10, 30, 1, MONDAY, False)))
    return path


def replay(settings: Settings, request: Request) -> tuple[Summary, list[str]]:
    said: list[str] = []
    return Replay(request, settings, Quiet(), said.append).send(), said


def content(settings: Settings, topic: str) -> list[list[Record]]:
    """All records of the topic, partition by partition."""
    consumer = Consumer(
        {"bootstrap.servers": settings.bootstrap, "group.id": "test", "enable.auto.commit": False}
    )
    found: list[list[Record]] = []
    try:
        for partition in range(PARTITIONS):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
            consumer.assign([TopicPartition(topic, partition, low)])
            records: list[Record] = []
            while len(records) < high - low:
                for message in consumer.consume(high - low - len(records), 10):
                    assert message.error() is None
                    records.append((message.key(), message.value(), dict(message.headers() or ())))
            found.append(records)
    finally:
        consumer.close()
    return found


def without_run(records: list[Record]) -> list[Record]:
    return [
        (key, value, {name: text for name, text in headers.items() if name != REPLAY_HEADER})
        for key, value, headers in records
    ]


class Ends:
    """Asks how many records a topic has."""

    def __init__(self, settings: Settings, topic: str, partitions: int = PARTITIONS) -> None:
        self._topic, self._partitions = topic, partitions
        self._consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": "test"})

    def __enter__(self) -> Ends:
        return self

    def __exit__(self, *failure: object) -> None:
        self._consumer.close()

    def total(self) -> int:
        while True:
            try:
                return sum(map(self._end, range(self._partitions)))
            except KafkaException:
                time.sleep(0.1)  # a topic that was just made has no leader yet

    def _end(self, partition: int) -> int:
        end: int = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=20)[1]
        return end


def test_every_reading_and_tick_lands_where_and_as_the_contract_says(
    settings: Settings, topic: str, sample: Path, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    summary, said = replay(settings, Request((sample,), faults=FAULTS, truth=truth, topic=topic))
    assert said == []
    readings = 0
    for partition, records in enumerate(content(settings, topic)):
        rows = [int(headers[ROW_HEADER]) for _, _, headers in records]
        assert rows == sorted(set(rows))
        assert {headers[REPLAY_HEADER].decode() for _, _, headers in records} == {summary.run}
        for key, value, headers in records:
            if key is None:
                assert TICK_HEADER in headers
                continue
            readings += 1
            reading = json.loads(value)
            assert list(reading) == ["meter_id", "timestamp", "consumption_kwh"]
            assert key.decode() == reading["meter_id"]
            assert partition_of(reading["meter_id"], PARTITIONS) == partition
        ticks = [value.decode() for key, value, _ in records if key is None]
        assert len(ticks) == summary.ticks
        assert ticks == sorted(ticks)
        assert ticks[-1] == "2024-01-10T23:45:00Z"
        assert records[-1][0] is None
    assert readings == summary.readings == 20 * 480 - summary.withheld
    manifest = read_manifest(truth)
    assert manifest.head["run"] == summary.run
    assert manifest.head["partitions"] == PARTITIONS


def test_a_file_by_meter_and_one_by_time_make_the_same_topic(
    settings: Settings, topic: str, sample: Path, tmp_path: Path
) -> None:
    by_time = tmp_path / "by_time.csv"
    by_time.write_text("".join(lines(20, 10, 30, 1, MONDAY, True)))
    replay(settings, Request((sample,), faults=FAULTS, topic=topic))
    first = content(settings, topic)
    replay(settings, Request((by_time,), faults=FAULTS, topic=topic))
    both = content(settings, topic)
    for before, after in zip(first, both, strict=True):
        assert without_run(after[len(before) :]) == without_run(before)


def test_resuming_a_finished_replay_sends_nothing(settings: Settings, topic: str, sample: Path) -> None:
    request = Request((sample,), faults=FAULTS, topic=topic)
    whole, _ = replay(settings, request)
    before = [len(records) for records in content(settings, topic)]
    again, _ = replay(settings, Request((sample,), faults=FAULTS, topic=topic, resume=True))
    assert (again.readings, again.tick_records, again.already_sent) == (0, 0, whole.readings)
    assert again.run == whole.run
    assert [len(records) for records in content(settings, topic)] == before


def test_resuming_what_never_began_starts_from_the_beginning(
    settings: Settings, topic: str, sample: Path
) -> None:
    summary, said = replay(settings, Request((sample,), topic=topic, resume=True))
    assert summary.readings == 20 * 480
    assert "starts from the beginning" in said[0]


def test_other_options_are_another_replay(settings: Settings, topic: str, sample: Path) -> None:
    replay(settings, Request((sample,), faults=FAULTS, topic=topic))
    other, said = replay(
        settings, Request((sample,), faults=FaultPlan(6, 0.1, 300_000_000, 0.05), topic=topic, resume=True)
    )
    assert not other.resumed
    assert "starts from the beginning" in said[0]


def test_the_newest_of_two_runs_is_resumed_also_behind_other_records(
    settings: Settings, topic: str, sample: Path
) -> None:
    request = Request((sample,), topic=topic)
    replay(settings, request)
    second, _ = replay(settings, request)
    producer = Producer({"bootstrap.servers": settings.bootstrap})
    for number in range(5000):
        producer.produce(
            topic, b"2024-01-10T23:50:00Z", partition=number % PARTITIONS, headers=[(TICK_HEADER, b"")]
        )
        producer.poll(0)
    producer.flush(30)
    resumed, _ = replay(settings, Request((sample,), topic=topic, resume=True))
    assert (resumed.run, resumed.readings) == (second.run, 0)


def go_on(bootstrap: str, request: Request) -> None:
    """What `--resume` does, in a process that is killed."""
    Replay(request, load_settings(broker=bootstrap), Quiet(), lambda text: None).send()


# Processes of these begin with the modules loaded: killing and starting again takes a second, not five.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


@pytest.mark.parametrize(
    ("meters", "days", "faults", "speed"),
    [(20, 10, FAULTS, 150_000.0), (100, 21, FaultPlan(), None)],
    ids=["paced and with faults", "as fast as it can"],
)
def test_a_replay_killed_again_and_again_ends_as_if_it_had_not_been(
    settings: Settings,
    topic: str,
    tmp_path: Path,
    meters: int,
    days: int,
    faults: FaultPlan,
    speed: float | None,
) -> None:
    path, truth = tmp_path / "meters.csv", tmp_path / "truth.jsonl" if faults.active else None
    path.write_text("".join(lines(meters, days, 30, 1, MONDAY, False)))
    request = Request((path,), faults=faults, speed=speed, resume=True, truth=truth, topic=topic)
    chance, kills, code = random.Random(3), 0, None
    with Ends(settings, topic) as ends:
        while code is None:
            process = PROCESSES.Process(target=go_on, args=(settings.bootstrap, request))
            process.start()
            goal = ends.total() + chance.randrange(1, meters * days * 15)
            while (code := process.exitcode) is None and (kills >= 4 or ends.total() < goal):
                time.sleep(0.01)
            if code is None:
                process.kill()
                kills += 1
            process.join()
    assert code == 0
    assert kills == 4 or (kills and speed is None)
    interrupted = content(settings, topic)
    assert len({headers[REPLAY_HEADER] for part in interrupted for *_, headers in part}) == 1
    undisturbed = tmp_path / "undisturbed.jsonl" if truth else None
    replay(settings, dataclasses.replace(request, resume=False, speed=speed and 1e8, truth=undisturbed))
    for before, after in zip(interrupted, content(settings, topic), strict=True):
        assert without_run(after[len(before) :]) == without_run(before)
    if truth and undisturbed:
        assert truth.read_text().splitlines()[1:] == undisturbed.read_text().splitlines()[1:]


def test_ctrl_c_stops_with_130_and_resume_goes_on(kafka: EmbeddedKafka, tmp_path: Path, sample: Path) -> None:
    environment = {**os.environ, "GRIDWATCH_BROKER": kafka.bootstrap}
    gridwatch = [sys.executable, "-m", "gridwatch"]
    subprocess.run([*gridwatch, "topics", "create"], env=environment, check=True, capture_output=True)
    command = [sys.executable, "-m", "replay", str(sample), "--speed", "20000", "--meters", "METER_0001"]
    settings = load_settings(broker=kafka.bootstrap)
    with Ends(settings, RAW.name, settings.partitions) as ends:
        before = ends.total()
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        while ends.total() == before and process.poll() is None:
            time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in err
    ended = subprocess.run(
        [*command, "--resume", "--json", "--speed", "1000000"],
        env=environment,
        capture_output=True,
        check=True,
    )
    said = json.loads(ended.stdout)
    assert said["resumed"]
    assert said["already_sent"] > 0
    assert said["already_sent"] + said["readings"] == 480


def test_a_missing_topic_names_the_command_that_makes_it(settings: Settings, sample: Path) -> None:
    with pytest.raises(GridwatchError) as failure:
        replay(settings, Request((sample,), topic="no-such-topic"))
    assert "gridwatch topics create" in str(failure.value)


def test_event_time_goes_at_the_speed_asked_for(settings: Settings, topic: str, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("id,timestamp,kwh\nM,2024-01-01T10:00Z,1\nM,2024-01-01T10:02Z,1\n")
    began = time.monotonic()
    replay(settings, Request((path,), speed=60, topic=topic))
    assert 2.0 <= time.monotonic() - began < 10.0
