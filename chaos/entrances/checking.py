"""The ledger against the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2

from chaos.compare.differences import Difference
from chaos.entrances.senders import Ledger
from gridwatch.domain.instants import format_instant

_TABLES = {
    "energy": ("energy_readings", "total_energy_kwh"),
    "heatpump": ("heatpump_readings", "flow_temperature_c"),
    "temperature": ("temperature_readings", "temperature_c"),
}
_CONSUMED = "SELECT meter_id, time, consumption_kwh FROM validated_readings WHERE meter_id LIKE "
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Found = dict[tuple[str, int], float]


def compare(database: str, ledger: Ledger) -> tuple[list[Difference], int]:
    """Every difference between what was promised and what is stored; and how many rows were compared."""
    with psycopg2.connect(database) as session:
        found = _rows(session, _CONSUMED + "'HTTP-%'")
        differences = _apart("validated_readings", ledger.readings, found)
        compared = len(found)
        for kind, (table, column) in _TABLES.items():
            timed = f"SELECT device_id, timestamp, {column} FROM {table} WHERE NOT time_assigned"  # noqa: S608
            found = _rows(session, timed)
            differences += _apart(table, ledger.measured[kind], found)
            compared += len(found)
            ((assigned,),) = _run(session, f"SELECT count(*) FROM {table} WHERE time_assigned")  # noqa: S608
            if assigned < ledger.timeless[kind]:
                differences.append(
                    Difference("different", table, "without a time", ledger.timeless[kind], assigned)
                )
        differences += _apart(
            "validated_readings of devices",
            consumptions(ledger.measured["energy"]),
            _rows(session, _CONSUMED + "'energy-%'"),
        )
        ((letters,),) = _run(session, "SELECT count(DISTINCT (raw, mqtt_topic)) FROM homelab_dead_letters")
        if letters != ledger.malformed:
            differences.append(
                Difference("different", "homelab_dead_letters", "messages", ledger.malformed, letters)
            )
    return differences, compared


def consumptions(registers: Mapping[tuple[str, int], float]) -> Found:
    """What the registers of devices, in order of time, say was consumed since the reading before; the first
    one is the base."""
    last: dict[str, float] = {}
    found: Found = {}
    for device, time in sorted(registers, key=lambda place: (place[0], place[1])):
        value = registers[device, time]
        found[device, time] = round(value - last.get(device, value), 3)
        last[device] = value
    return found


def _rows(session: Any, statement: str) -> Found:
    return {
        (name, (time - _EPOCH) // timedelta(microseconds=1)): round(value, 6)
        for name, time, value in _run(session, statement)
    }


def _run(session: Any, statement: str) -> list[Any]:
    with session.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _apart(where: str, wanted: Mapping[tuple[str, int], float], found: Found) -> list[Difference]:
    differences = []
    for place in sorted({**wanted, **found}):
        ours, theirs = wanted.get(place), found.get(place)
        if ours is None or theirs is None or round(ours, 6) != theirs:
            what = "lost" if theirs is None else "in excess" if ours is None else "different"
            key = f"{place[0]} at {format_instant(place[1])}"
            differences.append(Difference(what, where, key, ours, theirs))
    return differences
