"""A home's devices: the newest record of a device and a timestamp is its row, whatever order they come in."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.topics import (
    HOMELAB,
    HOMELAB_DEAD_LETTERS,
    HOMELAB_ENERGY,
    HOMELAB_HEATPUMP,
    HOMELAB_TEMPERATURE,
    Topic,
)
from sinks.decoding import decode_records
from sinks.pool import Pool
from sinks.writer import Writer
from tests.batches import batch_of
from tests.integration import home_data
from tests.integration.home_data import energy, heatpump, temperature
from tests.integration.test_sink.test_sink_tables import Source

pytestmark = pytest.mark.integration

TABLES = ("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters")
TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: A record on its topic.
Placed = tuple[Topic, Source]


def placed(topic: Topic, record: Any, offset: int, partition: int = 0) -> Placed:
    return topic, Source(topic.name, partition, offset, value=msgspec.json.encode(record))


def write(writer: Writer, log: Sequence[Placed]) -> None:
    """Write records as the sink gets them: as JSON, by topic."""
    by_topic: dict[str, list[Source]] = defaultdict(list)
    for topic, source in log:
        by_topic[topic.name].append(source)
    for name, sources in by_topic.items():
        decoded, letters = decode_records(name, sources)
        assert letters == []
        assert writer.write([decoded]) == []


def contents(query: Any) -> dict[str, Any]:
    return {table: query(f"SELECT * FROM {table} ORDER BY {table}::text") for table in TABLES}


LETTERS = list(home_data.dead_letters(TEN))
LOG: list[Placed] = [
    *(placed(HOMELAB_ENERGY, energy("plug", TEN, power_kw=n / 8, voltage=230.0), n) for n in range(5)),
    placed(HOMELAB_ENERGY, energy("plug", TEN, total_energy_kwh=7.0), 5),  # the newest, with less in it
    *(placed(HOMELAB_ENERGY, energy("plug", TEN + n * HOUR, power_kw=1.0), 6 + n) for n in range(1, 4)),
    *(placed(HOMELAB_ENERGY, energy("meter", TEN, power_kw=float(n)), n, partition=3) for n in range(3)),
    *(placed(HOMELAB_HEATPUMP, heatpump("hp", TEN, state=s), n) for n, s in enumerate(("off", "heating"))),
    *(placed(HOMELAB_TEMPERATURE, temperature("t", TEN, temperature_c=float(n)), n) for n in range(2)),
    *(placed(HOMELAB_DEAD_LETTERS, letter, n) for n, letter in enumerate(LETTERS)),
]


def test_any_order_any_batches_and_any_repetition_leave_the_newest_records(
    writer: Writer, query: Any
) -> None:
    write(writer, LOG)
    undisturbed = contents(query)
    assert [len(undisturbed[table]) for table in TABLES] == [5, 1, 1, 3]
    assert query("SELECT source_offset, total_energy_kwh, power_kw FROM energy_readings ORDER BY 1") == [
        *((2, None, 2.0), (5, 7.0, None)),
        *((6 + n, None, 1.0) for n in range(1, 4)),
    ]
    for seed in range(20):
        query("TRUNCATE " + ", ".join(TABLES))
        rng = random.Random(seed)
        left = LOG + rng.choices(LOG, k=12)
        rng.shuffle(left)
        while left:
            size = rng.randint(1, len(left))
            write(writer, left[:size])
            left = left[size:]
        assert contents(query) == undisturbed, f"seed {seed}"


def test_a_newer_record_replaces_the_row_and_an_older_one_changes_nothing(writer: Writer, query: Any) -> None:
    shown = "SELECT power_kw, source_partition, source_offset FROM energy_readings"
    write(writer, [placed(HOMELAB_ENERGY, energy("plug", TEN, power_kw=1.0), 8)])
    write(writer, [placed(HOMELAB_ENERGY, energy("plug", TEN, power_kw=2.0), 9)])
    assert query(shown) == [(2.0, 0, 9)]
    place = query("SELECT ctid::text, xmin::text FROM energy_readings")
    write(writer, [placed(HOMELAB_ENERGY, energy("plug", TEN, power_kw=1.0), 8)])
    assert query("SELECT ctid::text, xmin::text FROM energy_readings") == place
    write(writer, [placed(HOMELAB_ENERGY, energy("plug", TEN, power_kw=3.0), 9, partition=1)])
    assert query(shown) == [(3.0, 1, 9)]


def test_all_fields_arrive_and_what_is_not_there_is_null(writer: Writer, query: Any) -> None:
    full: dict[Topic | str, dict[str, Any]] = {
        "energy": {
            **{"total_energy_kwh": 1234.5, "exported_energy_kwh": 0.0, "power_kw": -0.25},
            **{"voltage": 231.5, "current": 1.125, "power_factor": 0.875, "frequency": 50.0},
        },
        "heatpump": {
            **{"flow_temperature_c": 35.5, "return_temperature_c": 30.25, "outdoor_temperature_c": -7.0},
            **{"power_kw": 1.5, "total_energy_kwh": 99.0, "heat_kwh": 400.0, "cop": 4.5},
            "state": "défrost\t\\N",
        },
        "temperature": {"temperature_c": -0.5, "humidity_percent": 55.0, "battery_percent": 80.0},
    }
    makers = {"energy": energy, "heatpump": heatpump, "temperature": temperature}
    topics = dict(zip(makers, HOMELAB, strict=False))
    for kind, make in makers.items():
        values = full[kind]
        records = [make("O'Brien\\\t", TEN, **values), make("bare", TEN)]
        write(writer, [placed(topics[kind], record, 7 + n, 2) for n, record in enumerate(records)])
        came = (False, False, TEN + timedelta(seconds=1), 2)
        columns = f"device_id, {', '.join(values)}, time_assigned, retained, received_at, source_partition"
        assert query(f"SELECT {columns}, source_offset, mqtt_topic FROM {kind}_readings ORDER BY 1") == [
            ("O'Brien\\\t", *values.values(), *came, 7, f"homelab/{kind}/O'Brien\\\t"),
            ("bare", *[None] * len(values), *came, 8, f"homelab/{kind}/bare"),
        ]
        assert query(f'SELECT DISTINCT "timestamp" FROM {kind}_readings') == [(TEN,)]


def test_a_dead_letter_of_the_home_has_its_message_and_where_it_came_from(writer: Writer, query: Any) -> None:
    letter = msgspec.structs.replace(LETTERS[1], field="power", raw="a\tb\\", raw_size=4)
    write(writer, [placed(HOMELAB_DEAD_LETTERS, letter, 4)])
    assert query(
        "SELECT id, reasons, message, field, raw, raw_encoding, raw_size, raw_truncated, device_id,"
        " mqtt_topic, qos, retained, bridge, received_at FROM homelab_dead_letters"
    ) == [
        (
            *("home-1", ["BAD_TIMESTAMP", "NOT_A_NUMBER"], "bad", "power", "a\tb\\", "utf-8", 4, False, None),
            *("homelab/energy/house", 1, False, "bridge-1", TEN + home_data.HALF_HOUR),
        )
    ]


#: Kept by the broker or not, with a time of its own or not.
WAYS = [(retained, assigned) for retained in (False, True) for assigned in (False, True)]


def test_what_the_broker_had_kept_is_stored_only_with_a_time_of_its_own(writer: Writer, query: Any) -> None:
    log = [
        placed(HOMELAB_ENERGY, energy("plug", TEN + n * HOUR, retained=retained, assigned=assigned), n)
        for n, (retained, assigned) in enumerate(WAYS)
    ]
    write(writer, log)
    rows = query("SELECT retained, time_assigned, source_offset FROM energy_readings ORDER BY 3")
    assert rows == [(False, False, 0), (False, True, 1), (True, False, 2)]


def test_what_is_skipped_is_counted_and_its_offset_is_committed(database: str, query: Any) -> None:
    kept = energy("plug", TEN, retained=True, assigned=True, power_kw=1.0)
    sent: list[DeadLetter] = []

    async def emit(letters: Sequence[DeadLetter]) -> None:
        sent.extend(letters)

    def batch(*values: bytes) -> Any:
        return batch_of(HOMELAB_ENERGY.name, 1, sources(*values))

    def sources(*values: bytes) -> list[Source]:
        return [Source(HOMELAB_ENERGY.name, 1, n, value=value) for n, value in enumerate(values)]

    async def scenario() -> Counter[str]:
        pool = Pool(database, emit, 100, 1)
        try:
            good = energy("plug", TEN + HOUR, power_kw=2.0)
            records = [msgspec.json.encode(one) for one in (kept, good, kept)]
            mixed, alone = batch(*records, b"{}"), batch(records[0])
            assert await pool.store(mixed) == mixed.end
            assert await pool.store(alone) == alone.end
            return pool.skipped
        finally:
            await pool.stop()

    assert asyncio.run(scenario()) == {HOMELAB_ENERGY.name: 3}
    assert query("SELECT power_kw, source_partition, source_offset FROM energy_readings") == [(2.0, 1, 1)]
    assert [(one.id, one.reasons, one.topic) for one in sent] == [
        ("homelab.energy-1-3-0", ["MISSING_FIELD"], "homelab.energy")
    ]


@pytest.mark.parametrize("topic", HOMELAB, ids=lambda topic: topic.name)
def test_a_foreign_record_is_a_dead_letter(topic: Topic) -> None:
    decoded, [letter] = decode_records(topic.name, [Source(topic.name, 2, 5, value=b'{"device_id": 5}')])
    assert len(decoded) == 0
    assert (letter.id, letter.topic) == (f"{topic.name}-2-5-0", topic.name)


def test_a_refused_record_leaves_the_others(writer: Writer, query: Any) -> None:
    sources = [
        source
        for _, source in (
            placed(HOMELAB_HEATPUMP, heatpump("hp", TEN + n * HOUR, state=state), n)
            for n, state in enumerate(("off", "nul \0", "on"))
        )
    ]
    words = heatpump("hp", TEN, state="x")
    timeless = replace(sources[0], offset=3, value=msgspec.json.encode(words).replace(b"2024-", b"now  "))
    decoded, letters = decode_records(HOMELAB_HEATPUMP.name, [*sources, timeless])
    assert letters == []
    assert sorted(one.source.offset for one in writer.write([decoded])) == [1, 3]
    # Rows have the positions of their own records, whatever part of a batch they are written in.
    assert query("SELECT state, source_offset FROM heatpump_readings ORDER BY 2") == [("off", 0), ("on", 2)]


# -- by hour


def written_home(writer: Writer) -> dict[str, list[Any]]:
    """Half a day of a home, shuffled."""
    records = home_data.records(TEN, TEN + 12 * HOUR)
    for name, of_it in records.items():
        topic = next(topic for topic in HOMELAB if topic.name == name)
        log = [placed(topic, record, n) for n, record in enumerate(of_it)]
        random.Random(1).shuffle(log)
        write(writer, log)
    return records


def by_hour(records: Sequence[Any]) -> dict[tuple[datetime, str], list[Any]]:
    """Records in order of time, by the hour and the device."""
    found: dict[tuple[datetime, str], list[Any]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.timestamp):
        hour = datetime.fromisoformat(record.timestamp).replace(minute=0)
        found[hour, record.device_id].append(record)
    return found


def known(records: Sequence[Any], name: str) -> list[float]:
    return [value for record in records if (value := getattr(record, name)) is not None]


def spread(values: Sequence[float]) -> tuple[float | None, ...]:
    """The mean, the lowest and the highest one."""
    return (sum(values) / len(values), min(values), max(values)) if values else (None, None, None)


def turned(values: Sequence[float]) -> tuple[float | None, ...]:
    return (values[0], values[-1], min(values), max(values)) if values else (None,) * 4


def test_the_hours_are_those_of_the_readings(writer: Writer, query: Any) -> None:
    records = written_home(writer)
    figures: dict[str, tuple[Topic, tuple[tuple[Any, str], ...]]] = {
        "energy_hourly": (
            HOMELAB_ENERGY,
            (
                *((spread, "power_kw"), (turned, "total_energy_kwh")),
                *((turned, "exported_energy_kwh"), (spread, "voltage")),
            ),
        ),
        "heatpump_hourly": (
            HOMELAB_HEATPUMP,
            (
                *((spread, "flow_temperature_c"), (spread, "return_temperature_c")),
                *((spread, "outdoor_temperature_c"), (spread, "power_kw"), (spread, "cop")),
                *((turned, "total_energy_kwh"), (turned, "heat_kwh")),
            ),
        ),
        "temperature_hourly": (
            HOMELAB_TEMPERATURE,
            (
                *((spread, "temperature_c"), (spread, "humidity_percent")),
                (lambda values: (min(values, default=None),), "battery_percent"),
            ),
        ),
    }
    for view, (topic, columns) in figures.items():
        expected = [
            (hour, device, len(of), *(one for figure, name in columns for one in figure(known(of, name))))
            for (hour, device), of in by_hour(records[topic.name]).items()
        ]
        found = query(f"SELECT * FROM {view}")
        assert sorted(found, key=lambda row: row[:2]) == sorted(expected, key=lambda row: row[:2])


def test_what_a_device_used_in_an_hour_follows_from_its_registers(writer: Writer, query: Any) -> None:
    """As docs/database.md has it, also where a register begins again at zero."""
    for hour, turns in enumerate(((10.0, 10.5, 11.0), (11.0, 11.25, 0.0, 0.5), (0.5,))):
        for n, value in enumerate(turns):
            reading = energy("plug", TEN + hour * HOUR + n * timedelta(minutes=5), total_energy_kwh=value)
            write(writer, [placed(HOMELAB_ENERGY, reading, 10 * hour + n)])
    first, last, lowest, highest = (
        f"total_energy_kwh_{figure}" for figure in ("first", "last", "min", "max")
    )
    used = query(
        f"SELECT bucket, CASE WHEN {last} >= {first} THEN {last} - {first}"
        f" ELSE {highest} - {first} + {last} - {lowest} END FROM energy_hourly ORDER BY 1"
    )
    assert used == [(TEN, 1.0), (TEN + HOUR, 0.75), (TEN + 2 * HOUR, 0.0)]
