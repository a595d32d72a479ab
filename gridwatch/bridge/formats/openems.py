"""OpenEMS Edge: `…/channel/<component>/<channel>` with the channel's value as JSON (Controller Api MQTT).

Units as the channels are declared (`ElectricityMeter`, `Sum`): W, mV, mA, mHz, registers Wh.

A meter (`meter0`) counts `ActiveProductionEnergy` while `ActivePower` is positive and
`ActiveConsumptionEnergy` while it is negative: the first is the register in the direction of the power
(bought from the grid, or consumed, or produced, by the type of the meter), the second the register against
it. Of `_sum` the connection to the grid is read: its other channels are other meters, and would be mixed
up under one name. Where the rule has a `field`, the channel is what it says, of any component.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import Problems
from gridwatch.bridge.formats.quantities import (
    CURRENT_MA,
    ENERGY_WH,
    EXPORTED_WH,
    FIELDS,
    FREQUENCY_MHZ,
    POWER_W,
    VOLTAGE_MV,
    Quantity,
    Values,
)
from gridwatch.bridge.formats.strict_json import parse
from gridwatch.bridge.formats.value import measured, named_by_rule

_METER: Final[Mapping[str, Quantity]] = {
    "ActivePower": POWER_W,
    "ActiveProductionEnergy": ENERGY_WH,
    "ActiveConsumptionEnergy": EXPORTED_WH,
    "Voltage": VOLTAGE_MV,
    "Current": CURRENT_MA,
    "Frequency": FREQUENCY_MHZ,
}
_SUM: Final[Mapping[str, Quantity]] = {
    "GridActivePower": POWER_W,
    "GridBuyActiveEnergy": ENERGY_WH,
    "GridSellActiveEnergy": EXPORTED_WH,
}


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    if len(asked.levels) < 3 or asked.levels[-3] != "channel":
        return []
    component, channel = asked.levels[-2:]
    if asked.field is not None:
        value = parse(payload)
        text = str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
        return [] if value is None else measured(text, named_by_rule(asked), asked)
    channels = _SUM if component == "_sum" else _METER if component.startswith("meter") else {}
    quantity = channels.get(channel)
    if quantity is None or quantity.field not in FIELDS[asked.kind]:
        return []
    problems = Problems()
    values = Values(asked.kind, problems)
    values.number(f"{component}/{channel}", parse(payload), quantity)
    problems.check()
    return [Measured(values.found)] if values.found else []
