"""The reference JSON: one object a measurement, with the names of `gridwatch.models.homelab`.

    {"device_id": "plug-1", "timestamp": "2024-01-01T10:00:00Z", "power_w": 1250, "total_energy_kwh": 4711.25}

Members may also have the other names of `quantities.NAMED`, which say their unit: `power_w`, `temperature_f`.
`energy_kwh` is the register unless there is a `total_energy_kwh`. `device_id` and `timestamp` are optional.
A member that is null is as good as absent. Other members are passed on.
"""

from __future__ import annotations

from math import isclose
from typing import Any, Final

from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import AMBIGUOUS_UNIT, Problems, malformed
from gridwatch.bridge.formats.quantities import FIELDS, NAMED, TEXTS, UNITLESS, Values, others
from gridwatch.bridge.formats.strict_json import members_of
from gridwatch.bridge.formats.times import zoned
from gridwatch.domain.validation.findings import BAD_VALUE, MISSING_FIELD, UNKNOWN_TYPE
from gridwatch.domain.validation.guesses import kind_of

_REGISTERS: Final = frozenset({"total_energy_kwh", "total_energy_wh"})
_PERHAPS_REGISTERS: Final = frozenset({"energy_kwh", "energy_wh"})


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurement of a message, as `measured.Decoder`."""
    members = members_of(payload)
    given = {name: one for name, one in members.items() if one is not None}
    problems = Problems()
    time = zoned("timestamp", given["timestamp"], problems) if "timestamp" in given else None
    device = _text("device_id", given, problems)
    names = [name for name in given if name in NAMED and NAMED[name].field in FIELDS[asked.kind]]
    if not _REGISTERS.isdisjoint(names):
        names = [name for name in names if name not in _PERHAPS_REGISTERS]
    values = _values(names, given, asked, problems)
    for name in TEXTS & FIELDS[asked.kind]:
        if (text := _text(name, given, problems)) is not None:
            values[name] = text
    problems.check()
    if values:
        used = {"device_id", "timestamp", *names, *TEXTS}
        return [Measured(values, time, device, others(members, used, asked.kind))]
    if any(name in NAMED or name in TEXTS for name in given):
        return []  # a measurement, of another kind
    raise _nothing(given, asked)


def _values(
    names: list[str], given: dict[str, Any], asked: Asked, problems: Problems
) -> dict[str, float | str]:
    """The values by field. Of two of one field the one in the model's unit counts; they must agree."""
    found: dict[str, float | str] = {}
    sources: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name != NAMED[name].field):
        field = NAMED[name].field
        values = Values(asked.kind, problems)
        values.number(name, given[name], NAMED[name])
        if field not in found:
            found |= values.found
            sources[field] = name
        elif values.found and not _agree(found[field], values.found[field], field):
            what = f"differs from {sources[field]}, and both are {field}: publish one of them"
            problems.add(BAD_VALUE, name, what)
    return found


def _agree(one: Any, other: Any, field: str) -> bool:
    """Whether two values are one, rounded in different units: to whole °F, or by a hundredth."""
    return isclose(one, other, rel_tol=0.01, abs_tol=0.6 if field.endswith("_c") else 0)


def _text(name: str, given: dict[str, Any], problems: Problems) -> str | None:
    text = given.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        problems.add(UNKNOWN_TYPE, name, f"is {kind_of(text)}: publish text")
    elif not text:
        problems.add(BAD_VALUE, name, "is an empty text: leave it out, or say something")
    else:
        return text
    return None


def _nothing(given: dict[str, Any], asked: Asked) -> Exception:
    for name, (field, example) in UNITLESS.items():
        if name in given and field in FIELDS[asked.kind]:
            what = f'{name} does not say its unit: publish it under a name with one, such as "{example}"'
            return malformed(AMBIGUOUS_UNIT, what, name)
    fields = ", ".join(sorted(FIELDS[asked.kind]))
    return malformed(MISSING_FIELD, f"there is no measurement of kind {asked.kind}: publish one of {fields}")
