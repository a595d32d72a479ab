"""How a kind of meter file is laid out: one frozen profile each.

A profile only describes. What it leaves open (`zone` None, more than one delimiter or decimal mark) is
found out from the file or taken from the settings, and the run says what it assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Fields that every reading has.
REQUIRED_FIELDS = ("meter_id", "timestamp", "consumption_kwh")
#: Optional fields of a reading that hold text; the other optional ones hold numbers.
TEXT_FIELDS = frozenset({"region", "sent_at"})
#: Optional fields that go through to the raw record when the file has them.
OPTIONAL_FIELDS = (
    "interval_minutes",
    "region",
    "voltage",
    "current",
    "power_kw",
    "power_factor",
    "frequency",
    "sent_at",
)


@dataclass(frozen=True)
class Profile:
    """The layout of a file and the meaning of its columns.

    `columns` maps the fields of a reading to the headers accepted for it, compared without case and
    surrounding blanks. `kwh_per_unit` turns the file's energy into kWh. `anchor` says which end of
    its interval a stamp names. `null_tokens` are values that stand for "no reading": such a row is
    left out, as if the meter had not reported.
    """

    name: str
    meaning: str
    columns: dict[str, tuple[str, ...]]
    delimiters: tuple[str, ...] = (",", ";", "\t")
    decimal_marks: tuple[str, ...] = (".", ",")
    null_tokens: frozenset[str] = frozenset()
    kwh_per_unit: float = 1.0
    unit: str = "kWh per interval"
    zone: str | None = None
    anchor: Literal["start", "end", "unknown"] = "unknown"

    def accepted(self, field: str) -> tuple[str, ...]:
        """The headers that name `field`: its aliases, or an optional field's own name."""
        return self.columns.get(field, (field,))


SPEC = Profile(
    name="spec",
    meaning="meter_id, timestamp, consumption_kwh: one reading a row",
    columns={
        "meter_id": ("meter_id", "meterId", "id"),
        "timestamp": ("timestamp",),
        "consumption_kwh": ("consumption_kwh", "consumption", "kwh"),
    },
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (SPEC,)}
