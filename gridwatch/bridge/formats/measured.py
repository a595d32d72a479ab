"""What a decoder makes of a message: measurements, or the reasons why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["energy", "heatpump", "temperature"]
"""Which of the models of `gridwatch.models.homelab` a measurement becomes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement of one device.

    values: fields of the model of its kind: finite numbers in the units of the model, and text.
    time: when it was measured, µs since the Unix epoch; None if the message does not say.
    device: the device's own name for itself, where the payload has one; None: a level of the topic names it.
    more: the payload's other members, passed on as they stand.
    """

    values: Mapping[str, float | str]
    time: int | None = None
    device: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


class Malformed(Exception):
    """A message that is no measurement: codes as in docs/, a sentence with the remedy, the field at fault."""

    def __init__(self, reasons: Sequence[str], message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule wants of a message.

    kind: the kind of measurement.
    levels: the levels of the message's topic.
    field: of a payload that is one value, the model's field with its unit as the rule names it (`power_w`);
        None: the last level of the topic that is such a name.
    zone: the time zone of local times, of the rule or of the settings.
    """

    kind: Kind
    levels: tuple[str, ...]
    field: str | None = None
    zone: str = "UTC"


Decoder = Callable[[bytes, Asked], list[Measured]]
"""Decodes one payload. An empty list: a message that is not about measurements (a status, an announcement).
`Malformed` when it should be one and is not. Never anything else, whatever the bytes."""
