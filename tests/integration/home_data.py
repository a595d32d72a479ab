"""Two days of a home's devices, to be written beside the readings of `dashboard_data`: a meter, plugs, a heat
pump and thermometers, a message every half hour each, and messages that were none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from gridwatch.models.homelab import (
    TIME_ASSIGNED,
    EnergyReading,
    HeatpumpReading,
    HomelabDeadLetter,
    MqttSource,
    TemperatureReading,
)
from gridwatch.topics import HOMELAB_DEAD_LETTERS, HOMELAB_ENERGY, HOMELAB_HEATPUMP, HOMELAB_TEMPERATURE

HALF_HOUR = timedelta(minutes=30)
#: The plug's register begins again at zero; the last device falls silent.
METER, PLUG, SILENT = "house", "O'Brien's plug", "Zähler €"
PUMP = "heat pump"
#: The battery of the second one is nearly empty.
BATH, ATTIC = "bath", "attic <i>"
DEVICES = (METER, PLUG, SILENT, PUMP, BATH, ATTIC)
#: How long before the end the last message of the silent one is.
SILENT_FOR = timedelta(hours=6)
STATES = ("heating", "off", "hot water", None)


def written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def heard(device: str, kind: str, at: datetime, *, retained: bool = False, assigned: bool = False) -> Any:
    """What every reading has."""
    return {
        "device_id": device,
        "timestamp": written(at),
        "received_at": written(at + timedelta(seconds=1)),
        "source": MqttSource(f"homelab/{kind}/{device}", 1, retained, "bridge-1"),
        "flags": [TIME_ASSIGNED] if assigned else [],
    }


def energy(device: str, at: datetime, **values: Any) -> EnergyReading:
    more = {name: values.pop(name) for name in ("retained", "assigned") if name in values}
    return EnergyReading(**heard(device, "energy", at, **more), **values)


def heatpump(device: str, at: datetime, **values: Any) -> HeatpumpReading:
    return HeatpumpReading(**heard(device, "heatpump", at), **values)


def temperature(device: str, at: datetime, **values: Any) -> TemperatureReading:
    return TemperatureReading(**heard(device, "temperature", at), **values)


def slots(start: datetime, until: datetime) -> Iterator[tuple[int, datetime]]:
    """Every half hour, numbered."""
    for n in range((until - start) // HALF_HOUR + 1):
        yield n, start + n * HALF_HOUR


def register_of_plug(n: int, count: int) -> float:
    """Half a kWh each half hour; it begins again at zero after two thirds."""
    begun = 2 * count // 3
    return 40.0 + n / 2 if n < begun else (n - begun) / 2


def energy_readings(start: datetime, until: datetime) -> Iterator[EnergyReading]:
    times = list(slots(start, until))
    for n, at in times:
        feeding = n % 8 == 0
        yield energy(
            METER,
            at,
            total_energy_kwh=1000.0 + n / 4,
            exported_energy_kwh=n // 8 / 4,
            power_kw=-0.25 if feeding else 0.5,
            voltage=229.0 + n % 3,
            current=2.0,
            power_factor=1.0,
            frequency=50.0,
        )
        yield energy(PLUG, at, total_energy_kwh=register_of_plug(n, len(times)), power_kw=1.0, assigned=True)
        if at <= until - SILENT_FOR:
            yield energy(SILENT, at, power_kw=0.125)


def heatpump_readings(start: datetime, until: datetime) -> Iterator[HeatpumpReading]:
    for n, at in slots(start, until):
        yield heatpump(
            PUMP,
            at,
            flow_temperature_c=35.0 + n % 4,
            return_temperature_c=30.0,
            outdoor_temperature_c=-2.5 + n % 4,
            power_kw=1.5,
            total_energy_kwh=500.0 + n * 0.75,
            heat_kwh=2000.0 + n * 3,
            cop=4.0,
            state=STATES[n // 4 % 4],
        )


def temperature_readings(start: datetime, until: datetime) -> Iterator[TemperatureReading]:
    for n, at in slots(start, until):
        yield temperature(BATH, at, temperature_c=21.0 + n % 4 / 4, humidity_percent=60.0)
        yield temperature(ATTIC, at, temperature_c=-1.5, battery_percent=50.0 if n < 8 else 10.0)


def dead_letters(start: datetime) -> Iterator[HomelabDeadLetter]:
    for n, reasons in enumerate((["NOT_JSON"], ["BAD_TIMESTAMP", "NOT_A_NUMBER"], ["NOT_JSON"])):
        yield HomelabDeadLetter(
            id=f"home-{n}",
            reasons=reasons,
            message="bad",
            field=None,
            raw="{",
            raw_encoding="utf-8",
            raw_size=1,
            raw_truncated=False,
            device_id=None if n else METER,
            received_at=written(start + n * HALF_HOUR),
            source=MqttSource("homelab/energy/house", 1, False, "bridge-1"),
        )


def records(start: datetime, until: datetime) -> dict[str, list[Any]]:
    """All records by topic."""
    return {
        HOMELAB_ENERGY.name: list(energy_readings(start, until)),
        HOMELAB_HEATPUMP.name: list(heatpump_readings(start, until)),
        HOMELAB_TEMPERATURE.name: list(temperature_readings(start, until)),
        HOMELAB_DEAD_LETTERS.name: list(dead_letters(start)),
    }
