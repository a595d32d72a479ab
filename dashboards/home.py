"""Home Energy: what a home uses now and used by hour and day, its heat pump, its temperatures, and whether
its devices are heard.

Devices are those of the bridge. Nothing of it depends on the worker.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import (
    GREEN,
    NEUTRAL,
    ORANGE,
    ZERO_IS_GOOD,
    Steps,
    bars,
    heading,
    lines,
    number,
    phases,
    rows,
)
from dashboards.sql import home as sql

HOUR, DAY = "1h", "1d"
SOME_ARE_GOOD: Steps = ((None, ORANGE), (1, GREEN))
ONCE_MORE = " What a plug measures behind a meter counts once more: choose devices to leave it out."


def build() -> Dashboard:
    """The dashboard."""
    board = dashboard(
        "gridwatch-home",
        "Home Energy",
        "What the devices of a home measure: power and energy, the heat pump, temperatures, and which devices"
        " are silent. Times are those of the devices; hours and days are of the dashboard's time zone.",
        variables.device(),
    )
    for part in (_now, _energy, _heat_pump, _temperatures, _messages):
        part(board)
    return board


def _now(board: Dashboard) -> None:
    board.with_panel(
        number(
            "Power now",
            "The newest power of each chosen device in the last hour of the time range, added up; negative is"
            " fed in." + ONCE_MORE,
            sql.POWER_NOW,
            unit="kwatt",
            steps=NEUTRAL,
        )
    ).with_panel(
        number(
            "Energy in the time range",
            "What the registers of the chosen devices rose by." + ONCE_MORE,
            sql.ENERGY,
            unit="kwatth",
            steps=NEUTRAL,
        )
    ).with_panel(
        number(
            "Fed in in the time range",
            "What the registers of exported energy rose by.",
            sql.FED_IN,
            unit="kwatth",
            steps=NEUTRAL,
        )
    ).with_panel(
        number(
            "Devices heard",
            "Devices that measured something within the last hour, by the wall clock. A device that measures"
            " two kinds of things counts twice.",
            sql.HEARD,
            unit="short",
            steps=SOME_ARE_GOOD,
        )
    ).with_panel(
        number(
            "Silent devices",
            "Devices whose newest measurement is more than an hour, and less than 30 days old, by the wall"
            " clock.",
            sql.SILENT,
            unit="short",
            steps=ZERO_IS_GOOD,
        )
    ).with_panel(
        number(
            "Messages refused",
            "Messages in the time range that are no measurement.",
            sql.DEAD_LETTERS,
            unit="short",
            steps=ZERO_IS_GOOD,
        )
    ).with_panel(
        rows(
            "Power now by device",
            "The newest measurement with a power of each device in the last hour of the time range.",
            sql.POWER_BY_DEVICE,
            units={"power": "kwatt", "voltage": "volt", "current": "amp"},
        )
    ).with_panel(
        rows(
            "Silent for more than an hour",
            "Devices that were heard in the last 30 days, and not in the last hour. The time range does not"
            " matter.",
            sql.SILENT_DEVICES,
            units={"silent for": "s"},
        )
    )


def _energy(board: Dashboard) -> None:
    board.with_row(heading("Power and energy")).with_panel(
        lines(
            "Power by device",
            "Mean power of each device; negative is fed in.",
            sql.POWER,
            unit="kwatt",
            signed=True,
        )
    ).with_panel(
        lines(
            "Voltage",
            "Mean voltage at each device that measures it.",
            sql.VOLTAGE,
            unit="volt",
            signed=True,
        )
    ).with_panel(
        lines(
            "Energy per hour",
            "What the register of each device rose by in an hour. What it rose by while nothing came counts"
            " when something comes again; a register that goes back counts nothing.",
            sql.ENERGY_AN_HOUR,
            unit="kwatth",
            bars=True,
            least=HOUR,
        )
    ).with_panel(
        lines(
            "Energy per day",
            "What the register of each device rose by in a day, from midnight to midnight.",
            sql.ENERGY_A_DAY,
            unit="kwatth",
            bars=True,
            least=DAY,
        )
    )


def _heat_pump(board: Dashboard) -> None:
    board.with_row(heading("Heat pump")).with_panel(
        lines(
            "Flow, return and outdoor temperature",
            "Mean temperatures as the heat pump measures them.",
            sql.TEMPERATURES_OF_THE_PUMP,
            unit="celsius",
            signed=True,
        )
    ).with_panel(
        lines(
            "COP",
            "Mean coefficient of performance as the heat pump reports it: heat by electricity.",
            sql.COP,
            unit="none",
        )
    ).with_panel(
        phases(
            "State of the heat pump",
            "What the heat pump reports to be doing, in its own words.",
            sql.STATES,
            by="device",
        )
    ).with_panel(
        lines(
            "Heat per hour",
            "What the register of heat rose by in an hour.",
            sql.HEAT_AN_HOUR,
            unit="kwatth",
            bars=True,
            least=HOUR,
        )
    ).with_panel(
        lines(
            "Electric power of the heat pump",
            "Mean power that the heat pump takes.",
            sql.POWER_OF_THE_PUMP,
            unit="kwatt",
        )
    ).with_panel(
        rows(
            "Heat pumps in the time range",
            "What the registers of electricity and heat rose by, and the one by the other.",
            sql.PUMPS,
            units={"electricity": "kwatth", "heat": "kwatth"},
            width=24,
            height=5,
        )
    )


def _temperatures(board: Dashboard) -> None:
    board.with_row(heading("Temperatures")).with_panel(
        lines(
            "Temperature",
            "Mean temperature by thermometer.",
            sql.TEMPERATURES,
            unit="celsius",
            signed=True,
        )
    ).with_panel(
        lines(
            "Humidity",
            "Mean relative humidity by thermometer.",
            sql.HUMIDITY,
            unit="humidity",
        )
    ).with_panel(
        rows(
            "Batteries that are low",
            f"Thermometers whose newest battery level in the time range is below {sql.BATTERY_LOW} %.",
            sql.BATTERIES,
            units={"battery": "percent"},
            width=24,
            height=5,
        )
    )


def _messages(board: Dashboard) -> None:
    board.with_row(heading("Messages")).with_panel(
        lines(
            "Messages per device and hour",
            "Measurements that were stored, by device and hour.",
            sql.MESSAGES_AN_HOUR,
            unit="short",
            bars=True,
            least=HOUR,
        )
    ).with_panel(
        bars(
            "Refused messages by reason",
            "Messages that are no measurement, by reason; one may have several.",
            sql.DEAD_LETTERS_BY_REASON,
            unit="short",
        )
    ).with_panel(
        rows(
            "Newest refused messages",
            "The fifty that came last in the time range, with the beginning of what was in them.",
            sql.NEWEST_DEAD_LETTERS,
            width=24,
        )
    )
