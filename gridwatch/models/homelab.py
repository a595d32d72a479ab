"""`homelab.energy`, `homelab.heatpump`, `homelab.temperature`, `homelab.dead_letters`: what devices of a home
published by MQTT, as the bridge wrote it to Kafka.

A value has the fields of its model, and what else the payload had.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

#: The flag of a reading whose message had no time of its own.
TIME_ASSIGNED: Final = "TIME_ASSIGNED"


class MqttSource(Struct, frozen=True):
    """The message that a record comes from, and the client id of the bridge that received it.

    `retained`: the broker had kept it, and sent it because of the subscription, not because it was published.
    """

    mqtt_topic: str
    qos: int
    retained: bool
    bridge: str


class HomelabReading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every device has. `timestamp` is the event time; with the flag `TIME_ASSIGNED` it is the time of
    arrival, because the message had none."""

    device_id: str
    timestamp: str
    received_at: str
    source: MqttSource
    flags: list[str] = []


class EnergyReading(HomelabReading, frozen=True, kw_only=True, omit_defaults=True):
    """A meter, or a plug that measures. Registers kWh, power kW (negative: exported), V, A, Hz."""

    total_energy_kwh: float | None = None
    exported_energy_kwh: float | None = None
    power_kw: float | None = None
    voltage: float | None = None
    current: float | None = None
    power_factor: float | None = None
    frequency: float | None = None


class HeatpumpReading(HomelabReading, frozen=True, kw_only=True, omit_defaults=True):
    """A heat pump. Temperatures °C; `power_kw` and `total_energy_kwh` are electric, `heat_kwh` is a register
    of heat; `cop` is heat by electricity, without a unit."""

    flow_temperature_c: float | None = None
    return_temperature_c: float | None = None
    outdoor_temperature_c: float | None = None
    power_kw: float | None = None
    total_energy_kwh: float | None = None
    heat_kwh: float | None = None
    cop: float | None = None
    state: str | None = None


class TemperatureReading(HomelabReading, frozen=True, kw_only=True, omit_defaults=True):
    """A thermometer. °C; humidity and battery in percent."""

    temperature_c: float | None = None
    humidity_percent: float | None = None
    battery_percent: float | None = None


class HomelabDeadLetter(Struct, frozen=True):
    """One message that is no measurement, and why.

    `raw` is its payload, as text or as base64 (`raw_encoding`), truncated at 64 KiB (`raw_truncated`);
    `raw_size` is its full size in bytes. `field` names the first field at fault.
    """

    id: str
    reasons: list[str]
    message: str
    field: str | None
    raw: str
    raw_encoding: Literal["utf-8", "base64"]
    raw_size: int
    raw_truncated: bool
    device_id: str | None
    received_at: str
    source: MqttSource
