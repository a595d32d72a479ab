"""Home Assistant's statestream (`mqtt_statestream`): `<base>/<domain>/<object>/state`.

The state is bare text, and its unit is an attribute on a topic of its own; so the object's name, or
`field` of the rule, has to say the unit, as `value` describes. Attributes (`…/unit_of_measurement`,
`…/last_updated`) give nothing, and so do `unknown`, `unavailable`, entities that are no sensors, and
sensors that are words.
"""

from __future__ import annotations

from typing import Final

from gridwatch.bridge.formats.measured import Asked, Malformed, Measured
from gridwatch.bridge.formats.strict_json import text_of
from gridwatch.bridge.formats.value import is_number, measured, named_by_rule, named_by_topic

_NO_VALUE: Final = frozenset({"unknown", "unavailable"})
_NUMBERS: Final = frozenset({"sensor", "number", "input_number"})


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    if asked.levels[-1:] != ("state",):
        return []
    text = text_of(payload)
    if text in _NO_VALUE:
        return []
    if asked.field is not None:
        return measured(text, named_by_rule(asked), asked)
    if len(asked.levels) < 3 or asked.levels[-3] not in _NUMBERS:
        return []
    try:
        name = named_by_topic(asked)
    except Malformed:
        if is_number(text):
            raise
        return []
    return [] if name is None else measured(text, name, asked)
