"""DSMR: telegrams of the P1 port of a smart meter, raw, or as the JSON that DSMR-reader publishes.

Objects and units as the P1 Companion Standard has them: registers kWh, powers kW, V, A. The register is
1.8.0 if the meter has it, else the sum of both tariffs, 1.8.1 + 1.8.2; so for export, 2.8.x. Power is
1.7.0 − 2.7.0. Voltage is phase L1's; the current is, if there is no other phase. A sum needs both of its
parts.

A raw telegram begins with `/` and ends with `!` and the CRC16 of everything up to and including the `!`.
Only a telegram that names no version (before DSMR 4) may be without. Its time is `YYMMDDhhmmss` with `W`
for winter (+01:00) or `S` for summer (+02:00); its device is the equipment identifier 0-0:96.1.1.

DSMR-reader's members (`electricity_delivered_1`, …) are text, numbers with a decimal point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import (
    AMBIGUOUS_UNIT,
    BAD_CHECKSUM,
    DUPLICATE_KEY,
    Problems,
    malformed,
)
from gridwatch.bridge.formats.quantities import (
    CURRENT_A,
    ENERGY_KWH,
    EXPORTED_KWH,
    FIELDS,
    POWER_KW,
    VOLTAGE_V,
    Values,
    others,
)
from gridwatch.bridge.formats.strict_json import members_of, number_in, text_of
from gridwatch.bridge.formats.times import zoned
from gridwatch.domain.validation.findings import BAD_TIMESTAMP, MISSING_FIELD, NOT_A_NUMBER, TOO_LARGE

#: The objects of a telegram by the name that DSMR-reader gives them, with their unit.
_OBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    "1-0:1.8.0": ("electricity_delivered", "kWh"),
    "1-0:1.8.1": ("electricity_delivered_1", "kWh"),
    "1-0:1.8.2": ("electricity_delivered_2", "kWh"),
    "1-0:2.8.0": ("electricity_returned", "kWh"),
    "1-0:2.8.1": ("electricity_returned_1", "kWh"),
    "1-0:2.8.2": ("electricity_returned_2", "kWh"),
    "1-0:1.7.0": ("electricity_currently_delivered", "kW"),
    "1-0:2.7.0": ("electricity_currently_returned", "kW"),
    "1-0:32.7.0": ("phase_voltage_l1", "V"),
    "1-0:31.7.0": ("phase_power_current_l1", "A"),
    "1-0:51.7.0": ("phase_power_current_l2", "A"),
    "1-0:71.7.0": ("phase_power_current_l3", "A"),
}
_NUMBERS: Final = frozenset(name for name, _ in _OBJECTS.values())
MAX_TELEGRAM: Final = 16_384
"""Characters of a telegram. Those of meters have one or two thousand."""
_TIMESTAMP: Final = "0-0:1.0.0"
_EQUIPMENT: Final = "0-0:96.1.1"
_READ: Final = frozenset({*_OBJECTS, _TIMESTAMP, _EQUIPMENT})
_VERSIONS: Final = ("1-3:0.2.8", "0-0:96.1.4")
"""The version of DSMR, and that of the Belgian eMUCS."""
_TELEGRAM: Final = re.compile(r"/.*!([0-9A-Fa-f]{4})?\s*", re.DOTALL)
_LINE: Final = re.compile(r"([0-9]+-[0-9]+:[0-9]+\.[0-9]+\.[0-9]+)\(([^()]*)\)")
_STAMP: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([WS])")
_OFFSETS: Final = {"W": "+01:00", "S": "+02:00"}


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    text = text_of(payload)
    problems = Problems()
    if text.startswith("/"):
        more: dict[str, Any] = {}
        values, time, device = _telegram(text, problems)
    else:
        members = members_of(payload)
        values, device = _numbers(members, problems), None
        stamp = members.get("timestamp")
        time = None if stamp is None else zoned("timestamp", stamp, problems)
        more = others(members, _NUMBERS | {"timestamp"}, asked.kind)
    found = _measured(values, asked, problems)
    problems.check()
    if not found and "power_kw" not in FIELDS[asked.kind]:
        return []
    if not found:
        what = "the message has no register, no power and no voltage of electricity"
        raise malformed(MISSING_FIELD, f"{what}: publish the meter's telegram, or DSMR-reader's JSON of it")
    return [Measured(found, time, device, more)]


def _measured(
    values: Mapping[str, int | Decimal], asked: Asked, problems: Problems
) -> dict[str, float | str]:
    collected = Values(asked.kind, problems)
    for quantity, name in ((ENERGY_KWH, "electricity_delivered"), (EXPORTED_KWH, "electricity_returned")):
        if name in values:
            collected.number(name, values[name], quantity)
        elif f"{name}_1" in values and f"{name}_2" in values:
            collected.total(name, [values[f"{name}_1"], values[f"{name}_2"]], quantity)
    drawn, fed = (values.get(f"electricity_currently_{way}") for way in ("delivered", "returned"))
    if drawn is not None and fed is not None:
        against = -fed if isinstance(fed, int) else fed.copy_negate()
        collected.total("electricity_currently_delivered", [drawn, against], POWER_KW)
    collected.number("phase_voltage_l1", values.get("phase_voltage_l1"), VOLTAGE_V)
    if values.get("phase_power_current_l2") is None and values.get("phase_power_current_l3") is None:
        collected.number("phase_power_current_l1", values.get("phase_power_current_l1"), CURRENT_A)
    return collected.found


def _numbers(members: dict[str, Any], problems: Problems) -> dict[str, int | Decimal]:
    values: dict[str, int | Decimal] = {}
    for name, given in members.items():
        if name not in _NUMBERS or given is None:
            continue
        number = number_in(given) if isinstance(given, str) else given
        if isinstance(number, bool) or not isinstance(number, int | Decimal | None):
            number = None
        if number is not None:
            values[name] = number
        else:
            problems.add(NOT_A_NUMBER, name, "must be a number: publish it as DSMR-reader does")
    return values


def _telegram(text: str, problems: Problems) -> tuple[dict[str, int | Decimal], int | None, str | None]:
    lines: dict[str, str] = {}
    _check_sum(text)
    for line in text.splitlines():
        if (match := _LINE.fullmatch(line.strip())) is None:
            continue
        code, content = match.groups()
        if code not in _READ:
            continue
        if code in lines:
            raise malformed(DUPLICATE_KEY, f"{code} occurs twice: publish one telegram a message", code)
        lines[code] = content
    values: dict[str, int | Decimal] = {}
    for code, (name, unit) in _OBJECTS.items():
        if code not in lines:
            continue
        number, _, written = lines[code].partition("*")
        if (parsed := number_in(number)) is None:
            problems.add(NOT_A_NUMBER, code, "has no number: publish the bytes of the meter unchanged")
        elif written != unit:
            problems.add(AMBIGUOUS_UNIT, code, f"must be in {unit}: publish the bytes of the meter unchanged")
        else:
            values[name] = parsed
    time = _stamp(lines[_TIMESTAMP], problems) if _TIMESTAMP in lines else None
    device = _identifier(lines.get(_EQUIPMENT, ""))
    return values, time, device


def _check_sum(text: str) -> None:
    match = _TELEGRAM.fullmatch(text)
    if len(text) > MAX_TELEGRAM:
        raise malformed(TOO_LARGE, f"the telegram has {len(text)} characters: publish one a message")
    unchanged = "publish the bytes of the meter unchanged, to the last line"
    if match is None:
        raise malformed(BAD_CHECKSUM, f"the telegram does not end with ! and its checksum: {unchanged}")
    if match[1] is None:
        if any(f"{code}(" in text for code in _VERSIONS):
            raise malformed(BAD_CHECKSUM, f"the telegram is without its checksum: {unchanged}")
        return
    body = text[: text.rindex("!") + 1]
    # Some publish lines with LF alone; the meter's checksum is of CR LF.
    written = {body.encode(), re.sub("\r?\n", "\r\n", body).encode()}
    if int(match[1], 16) not in map(crc16, written):
        raise malformed(BAD_CHECKSUM, f"the checksum {match[1]} is not that of the telegram: {unchanged}")


def crc16(data: bytes) -> int:
    """CRC16 of a telegram: x¹⁶ + x¹⁵ + x² + 1, least significant bit first, initially 0, not inverted."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _stamp(content: str, problems: Problems) -> int | None:
    match = _STAMP.fullmatch(content)
    if match is None:
        problems.add(BAD_TIMESTAMP, _TIMESTAMP, "must be YYMMDDhhmmss with W or S: set the meter's clock")
        return None
    year, month, day, hour, minute, second, season = match.groups()
    stamp = f"20{year}-{month}-{day}T{hour}:{minute}:{second}{_OFFSETS[season]}"
    return zoned(_TIMESTAMP, stamp, problems)


def _identifier(content: str) -> str | None:
    """The equipment identifier: hexadecimal digits of its characters. None if it is written otherwise."""
    try:
        name = bytes.fromhex(content).decode("ascii").rstrip("\0 ")
    except ValueError:
        return None
    return name if name and name.isprintable() else None
