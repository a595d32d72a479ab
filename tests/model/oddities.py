"""Odd records: bytes that are no reading, fields of every wrong kind, valid readings in strange forms."""

from __future__ import annotations

import json
import random
from typing import Any

GARBAGE: tuple[bytes | None, ...] = (
    None, b"", b"nonsense", b"\xff\xfe{}", b"{", b"[]", b"[[]]", b"null", b"7", b'"x"', b"{}",
    b"nan", b" ",
    b"[{}, 3, null]", b'\xef\xbb\xbf{"meter_id": "a"}', b"\x00", b"[" * 5000, b'{"a": 1}x', b"[,]", b"[{}",
    b'{"meter_id": 5, "timestamp": 7, "consumption_kwh": "1"}', "\u00e9".encode("latin-1"),
    b'{"a": "\\ud800"}',
)  # fmt: skip
WRONG: tuple[tuple[str, Any], ...] = (
    ("meter_id", ""), ("meter_id", None), ("meter_id", 12), ("meter_id", "x" * 129),
    ("meter_id", "a\tb"),
    ("meter_id", "\u00e9" * 65), ("meter_id", "a\x7f"), ("meter_id", "\ud800"), ("meter_id", " "),
    ("timestamp", "yesterday"), ("timestamp", 1704103200), ("timestamp", None), ("timestamp", ""),
    ("timestamp", "2024-02-30T00:00:00Z"), ("timestamp", "2024-01-01T24:00:00Z"),
    ("timestamp", "2024-01-01"),
    ("timestamp", "2024-01-01T10:00:60Z"), ("timestamp", "20240101T100000Z"),
    ("timestamp", "2024-1-1T10:00:00Z"),
    ("timestamp", "2024-01-01T10:00:00,5Z"), ("timestamp", "2024-01-01T10:00:00.Z"),
    ("timestamp", " 2024-01-01T10:00"),
    ("timestamp", "2024-01-01T10:00:00+25:00"), ("timestamp", "2024-01-01T10:00:00+01:60"),
    ("timestamp", "2024-01-01T10Z"),
    ("timestamp", "2024-01-01T10:00:00Z\n"), ("timestamp", "\u0662024-01-01T10:00:00Z"),
    ("timestamp", "0001-01-01T00:30+01"),
    ("timestamp", "9999-12-31T23:59:59-05:00"), ("timestamp", "0000-01-01T00:00:00Z"),
    ("timestamp", []),
    ("consumption_kwh", "2.5"), ("consumption_kwh", True), ("consumption_kwh", float("nan")),
    ("consumption_kwh", float("inf")), ("consumption_kwh", -0.1), ("consumption_kwh", 1000.5),
    ("consumption_kwh", 10**400), ("consumption_kwh", -(10**400)), ("consumption_kwh", 10**30),
    ("consumption_kwh", None), ("consumption_kwh", [1]), ("consumption_kwh", {}),
    ("interval_minutes", 0),
    ("interval_minutes", 7.51), ("interval_minutes", 46081), ("interval_minutes", "30"),
    ("interval_seconds", 0), ("interval_seconds", -10), ("interval_seconds", 0.5),
    ("interval_seconds", 2764801),
    ("interval_seconds", "10"), ("interval_seconds", float("nan")), ("interval_seconds", 1.5),
    ("interval_minutes", -30),
    ("interval_minutes", float("nan")), ("interval_minutes", 1e300), ("interval_minutes", True),
    ("energy_register_kwh", "7"), ("energy_register_kwh", -1), ("energy_register_kwh", float("nan")),
    ("energy_register_kwh", 1e9), ("total_energy_kwh", "7"), ("energy_kwh", True), ("energy_kwh", -2),
    ("energy_kwh", 2000), ("power_kw", "3"), ("power_kw", -1), ("power_kw", 5000),
    ("voltage", "high"),
    ("voltage", 10**400), ("frequency", float("-inf")), ("region", 9), ("region", []), ("sent_at", {}),
    ("sent_at", 17), ("current", False), ("power_factor", [0]), ("flags", "E"), ("flags", ["E", None]),
    ("flags", {}), ("flags", ["E"] * 17), ("flags", ["E" * 65]), ("flags", ["FIRST"]), ("flags", [""]),
)  # fmt: skip
STRANGE: tuple[tuple[str, Any], ...] = (
    ("consumption_kwh", -0.0), ("consumption_kwh", 0), ("consumption_kwh", 1000),
    ("consumption_kwh", 1e-9),
    ("interval_minutes", 30.0), ("interval_minutes", 1), ("interval_minutes", 1440),
    ("interval_minutes", 0.1667), ("interval_minutes", 7.5), ("interval_seconds", 10),
    ("interval_seconds", 10.04), ("interval_seconds", 2764800), ("interval_seconds", 1.0),
    ("interval_seconds", None),
    ("interval_minutes", None),
    ("energy_kwh", None), ("energy_register_kwh", 0), ("total_energy_kwh", 99_999.5), ("energy_kwh", 0.25),
    ("power_kw", -3.5), ("power_factor", 1e300), ("voltage", None), ("region", ""),
    ("region", "K\u00f6ln \u20ac"),
    ("region", None), ("sent_at", "whenever"), ("flags", []), ("flags", None),
    ("flags", ["NEM12_E", "Zähler"]),
    ("flags", ["GAP_ENERGY", "ENERGY_POWER_MISMATCH"]),
    ("unknown", [{"deep": [None, True]}]), ("timestamp_", 1),
)  # fmt: skip


def worded(picks: random.Random, body: dict[str, Any]) -> bytes:
    """One record of a good reading with a few fields made odd, in JSON as various writers would have it."""
    fields = dict(body)
    for _ in range(picks.randrange(1, 4)):
        name, value = picks.choice(STRANGE if picks.random() < 0.4 else WRONG)
        fields[name] = value
    names = list(fields)
    picks.shuffle(names)
    if picks.random() < 0.2:
        names = names[1:]
    plain = picks.random() < 0.5
    text = json.dumps({name: fields[name] for name in names}, ensure_ascii=plain)
    text = text.replace("Infinity", picks.choice(["Infinity", "1e999"]))
    if picks.random() < 0.1:
        text = text.replace("{", '{"meter_id": 5, ', 1)
    if picks.random() < 0.1:
        text = f" [\n{text} , 5 ]\t"
    return text.encode("utf-8", "surrogatepass")
