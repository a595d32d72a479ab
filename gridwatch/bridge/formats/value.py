"""A payload that is one number, and nothing else; ESPHome publishes so (`<node>/sensor/<name>/state`).

What the number is, its unit included, is in a name: `field` of the rule, else the last level of the topic
(before `state`, if that is the last), else the next level above it that is such a name with a unit. A
level may end with the name: `kitchen_power_w`. A name that leaves the unit open, such as `power`, is
refused, and so is one whose first part says that it is something else, such as `daily_energy_kwh` or
`target_temperature_c`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from gridwatch.bridge.formats.measured import Asked, Kind, Malformed, Measured
from gridwatch.bridge.formats.problems import AMBIGUOUS_UNIT, UNKNOWN_FIELD, Problems, malformed
from gridwatch.bridge.formats.quantities import FIELDS, NAMED, TEXTS, UNITLESS, Quantity, Values
from gridwatch.bridge.formats.strict_json import NUMBER, number_in, text_of
from gridwatch.domain.validation.findings import NOT_A_NUMBER, NOT_FINITE

_STATUSES: Final = frozenset({"online", "offline"})
_OTHER_TOPICS: Final = frozenset({"debug", "command"})
#: Parts of an ESPHome node that have a state, and measure nothing.
_OTHER_PARTS: Final = frozenset(
    {
        "binary_sensor", "text_sensor", "switch", "light", "fan", "cover", "lock", "button", "climate",
        "select", "text", "event", "valve", "update",
    }
)  # fmt: skip
#: Words before a name that change it: of any quantity, of a temperature, of power and energy.
_NOT_NOW: Final = frozenset(
    {
        "day", "daily", "today", "yesterday", "hour", "hourly", "week", "weekly", "month", "monthly", "year",
        "yearly", "min", "minimum", "max", "maximum", "peak", "average", "mean", "limit", "target",
        "setpoint",
    }
)  # fmt: skip
_NOT_OF_THE_ROOM: Final = frozenset(
    {
        "dew", "dewpoint", "feels", "apparent", "chip", "cpu", "internal",
    }
)  # fmt: skip
_NOT_DRAWN: Final = frozenset(
    {
        "export", "exported", "return", "returned", "produced", "production", "reactive", "apparent", "heat",
        "thermal",
    }
)  # fmt: skip
_OTHER_MEANINGS: Final = {
    "voltage": frozenset({"battery"}),
    "temperature_c": _NOT_OF_THE_ROOM,
    "power_kw": _NOT_DRAWN,
    "total_energy_kwh": _NOT_DRAWN,
}
_PLAIN: Final = frozenset(name for name in NAMED if "_" not in name)
_NOT_FINITE: Final = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


class Name(NamedTuple):
    """What a name says of the value: a quantity, or that it is the text of a field."""

    field: str
    quantity: Quantity | None


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    text = text_of(payload)
    if asked.field is None and (text in _STATUSES or _is_of_another_part(asked.levels)):
        return []
    name = named_by_rule(asked) if asked.field is not None else named_by_topic(asked)
    return [] if name is None else measured(text, name, asked)


def measured(text: str, name: Name, asked: Asked) -> list[Measured]:
    """The measurement that a text is by its name."""
    if name.quantity is None:
        return [Measured({name.field: text})]
    number = number_in(text)
    if number is None and is_number(text):
        what = f"{name.field} is {text[:20]}, no finite number: publish nothing while there is no value"
        raise malformed(NOT_FINITE, what, name.field)
    if number is None:
        what = f"{name.field} is {text[:20]!r}: publish a number alone, such as 21.5, without its unit"
        raise malformed(NOT_A_NUMBER, what, name.field)
    problems = Problems()
    values = Values(asked.kind, problems)
    values.number(name.field, number, name.quantity)
    problems.check()
    return [Measured(values.found)]


def named_by_rule(asked: Asked) -> Name:
    """What the rule says that the value is."""
    field = asked.field or ""
    if field in TEXTS & FIELDS[asked.kind]:
        return Name(field, None)
    if field in UNITLESS:
        raise _ambiguous(field, UNITLESS[field][1])
    quantity = NAMED.get(field)
    if quantity is None or quantity.field not in FIELDS[asked.kind]:
        what = f'"{field}" of the rule is no field of kind {asked.kind}'
        raise malformed(UNKNOWN_FIELD, f"{what}: name it with its unit, {_example(asked.kind)}", field)
    return Name(field, quantity)


def named_by_topic(asked: Asked) -> Name | None:
    """What the topic says that the value is; None: a measurement of another kind.

    Raises `Malformed` where it says nothing, or not in which unit.
    """
    levels = asked.levels[:-1] if asked.levels[-1:] == ("state",) else asked.levels
    own = levels[-1] if levels else ""
    of_another_kind = False
    for before, name in _endings(own):
        if (quantity := NAMED.get(name)) and quantity.field in FIELDS[asked.kind]:
            _check_meaning(before, name, quantity, own)
            return Name(own, quantity)
        if name in UNITLESS and UNITLESS[name][0] in FIELDS[asked.kind]:
            raise _ambiguous(own, UNITLESS[name][1])
        of_another_kind = of_another_kind or name in NAMED or name in UNITLESS
    if of_another_kind:
        return None
    for level in reversed(levels[:-1]):
        above = NAMED.get(level) if level not in _PLAIN else None
        if above is not None and above.field in FIELDS[asked.kind]:
            return Name(level, above)
    what = f'the topic does not say what "{own}" is'
    raise malformed(UNKNOWN_FIELD, f"{what}: name it in the rule, {_example(asked.kind)}", own or None)


def is_number(text: str) -> bool:
    """Whether a text is meant as a number."""
    return any(form.fullmatch(text) for form in (NUMBER, _NOT_FINITE))


def _is_of_another_part(levels: tuple[str, ...]) -> bool:
    return not _OTHER_TOPICS.isdisjoint(levels[-1:]) or not _OTHER_PARTS.isdisjoint(levels[-3:-2])


def _endings(level: str) -> Iterator[tuple[set[str], str]]:
    """The endings of a name at its underscores, the longest first, with the words before each."""
    words = re.sub("[- ]", "_", level.lower()).replace("heat_pump", "heatpump").split("_")
    for start in range(len(words)):
        yield set(words[:start]), "_".join(words[start:])


def _check_meaning(before: set[str], name: str, quantity: Quantity, own: str) -> None:
    if other := before & (_NOT_NOW | _OTHER_MEANINGS.get(quantity.field, frozenset())):
        what = f'"{own}" says "{min(other)}", and is perhaps not the {quantity.field} of the device'
        raise malformed(UNKNOWN_FIELD, f'{what}: if it is, name it in the rule, field = "{name}"', own)


def _ambiguous(name: str, example: str) -> Malformed:
    what = f'"{name}" does not say its unit: name it in the rule, field = "{example}"'
    return malformed(AMBIGUOUS_UNIT, what, name)


def _example(kind: Kind) -> str:
    return f'field = "{"temperature_c" if kind == "temperature" else "power_w"}"'
