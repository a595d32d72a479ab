"""Real files, kept in tests/data, and what is in them, read here by other means than gridwatch's.

Each function gives the bytes of a file and its truth: (meter, UTC instant as it must be sent) → kWh.
"""

from __future__ import annotations

import csv
import gzip
import io
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.unit.replay.public_sets import UTC, Truth

DATA = Path(__file__).resolve().parents[2] / "data"
#: Winter, and the first three weeks of summer time in Illinois.
EEMETER_END = datetime(2016, 4, 1, tzinfo=UTC)


def eemeter(name: str) -> tuple[bytes, Truth]:
    """Hours of a building in Illinois, stamps with their offset; the truth ends at EEMETER_END."""
    data = (DATA / "eemeter" / f"{name}.csv.gz").read_bytes()
    rows = csv.DictReader(io.StringIO(gzip.decompress(data).decode()))
    readings = ((datetime.fromisoformat(row["start"]).astimezone(UTC), row["value"]) for row in rows)
    return data, {(name, time): Decimal(kwh) for time, kwh in readings if time < EEMETER_END}


def simbench() -> tuple[bytes, Truth]:
    """Quarter-hours in parts of 1 kW around both changes of the clocks in Germany."""
    data = (DATA / "simbench" / "LoadProfile.csv").read_bytes()
    clocks = ZoneInfo("Europe/Berlin")
    truth: Truth = {}
    for row in csv.DictReader(io.StringIO(data.decode()), delimiter=";"):
        local = datetime.strptime(row["time"], "%d.%m.%Y %H:%M").replace(tzinfo=clocks)
        time = local.astimezone(UTC)
        if ("H0-A_pload", time) in truth:  # the hour that comes twice
            time = local.replace(fold=1).astimezone(UTC)
        truth |= {(name, time): Decimal(part) / 4 for name, part in row.items() if name.endswith("_pload")}
    return data, truth


def nem12(name: str) -> tuple[bytes, Truth]:
    """Days of channels E and B in kWh or Wh, market time."""
    data = (DATA / "nemreader" / f"Example_NEM12_{name}.csv").read_bytes()
    truth: Truth = {}
    meter, per_kwh, minutes = "", 0, 0
    for record in csv.reader(io.StringIO(data.decode(), newline="")):
        if record[0] == "200":
            meter, minutes = f"{record[1]}-{record[4]}", int(record[8])
            per_kwh = {"kWh": 1, "Wh": 1000}.get(record[7], 0)
        elif record[0] == "300" and per_kwh:
            midnight = datetime.strptime(record[1], "%Y%m%d").replace(tzinfo=timezone(timedelta(hours=10)))
            for slot in range(1440 // minutes):
                time = (midnight + timedelta(minutes=slot * minutes)).astimezone(UTC)
                truth[meter, time] = Decimal(record[2 + slot]) / per_kwh
    return data, truth
