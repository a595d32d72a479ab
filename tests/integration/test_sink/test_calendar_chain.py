"""Daily and monthly meters from a file to the database: the score is 1, completeness has local days."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks.measuring.in_process import logs
from gridwatch.cli import run
from gridwatch.codecs.decode import decode_readings
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from replay.order.emission import Item
from sinks.decoding import decode_records
from sinks.writer import Writer
from tests.unit.replay.rig import CASES, manifest, sequence

pytestmark = pytest.mark.integration
CASE = CASES / "daily-meter-over-clock-changes"
DAYS = [date(2023, 1, 1) + timedelta(days=n) for n in range(730)]
MONTHS = [day for day in DAYS if day.day == 1]
#: Days and months without a reading; both changes of 2023 are among the days.
GONE = {date(2023, 3, 26), date(2023, 6, 1), date(2023, 6, 2), date(2023, 10, 28), date(2023, 10, 29)}
GONE_MONTHS = {date(2023, 3, 1), date(2024, 10, 1)}


@dataclass
class Source:
    """The record that a row comes from."""

    topic: str
    offset: int
    value: bytes
    partition: int = 0
    timestamp: int = 0


def rows_of(path: Path, profile: Path) -> list[Row]:
    blocks = read_rows(path, load_custom(profile), "UTC", Selection(), Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def made(folder: Path, unit: str, dates: list[date]) -> list[Row]:
    path, profile = folder / f"{unit}.csv", folder / f"{unit}.toml"
    path.write_text("m,t,v\n" + "".join(f"METER-{unit},{day},{n}\n" for n, day in enumerate(dates)))
    profile.write_text(
        f'interval = "{unit}"\nzone = "Europe/Berlin"\nstamps = ["%Y-%m-%d"]\n'
        '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'
    )
    return rows_of(path, profile)


def store(items: list[Item], writer: Writer) -> None:
    """What worker and sink make of the sequence."""
    policy = Policy()
    for partition, log in enumerate(logs(items, policy.partitions)):
        processor = Processor(policy, PartitionState(partition), {}, decode=decode_readings)
        messages = encode_outputs(processor.process(log).outputs)
        for topic, some in messages.items():
            rows, letters = decode_records(topic, [Source(topic, n, one[1]) for n, one in enumerate(some)])
            assert letters == []
            assert writer.write([rows]) == []


@pytest.fixture(autouse=True)
def settings(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)
    yield


def completeness(folder: Path, meter: str) -> list[dict[str, str]]:
    path = folder / "days.csv"
    assert run(["export", "-o", str(path), "--completeness", "--meters", meter]) == 0
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_withheld_days_and_months_score_one(
    writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = made(tmp_path, "1d", [day for day in DAYS if day not in GONE])
    rows += made(tmp_path, "1mo", [day for day in MONTHS if day not in GONE_MONTHS])
    items = sequence(rows)
    truth = manifest(items, tmp_path)
    assert len(truth.gaps) == 3 + 2
    store(items, writer)
    assert run(["score", str(tmp_path / "truth.jsonl"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["overall"]["precision"], printed["overall"]["recall"]) == (1.0, 1.0)
    assert (printed["gaps"]["matched"], printed["differences"]) == (5, [])
    for unit, dates, gone in (("1d", DAYS, GONE), ("1mo", MONTHS, GONE_MONTHS)):
        assert [
            (row["day"], row["expected"], row["missing"]) for row in completeness(tmp_path, f"METER-{unit}")
        ] == [(str(day), "1", str(int(day in gone))) for day in dates]


@pytest.mark.parametrize(("file", "count"), [("daily.csv", 20), ("spring.csv", 16)])
def test_one_reading_a_local_day_is_complete_on_each(
    file: str, count: int, writer: Writer, tmp_path: Path
) -> None:
    store(sequence(rows_of(CASE / file, CASE / "daily.toml")), writer)
    found = completeness(tmp_path, "*")
    assert len(found) == count
    assert {
        (row["slots_of_day"], row["expected"], row["had"], row["completeness_percent"]) for row in found
    } == {("1", "1", "1", "100.0")}
