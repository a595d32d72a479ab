"""Messages, and what a translator makes of them."""

from __future__ import annotations

import json
from typing import Any

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.rules import DEFAULT_RULES, Rule
from gridwatch.bridge.translation import Message, Output, Translator
from gridwatch.codecs.decode import decode_readings, decode_telemetry
from gridwatch.domain.outputs import DeadLetter
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord

NOW = 1_767_225_600_000_000
POLICY = Policy(partitions=3)
RAW = "smartmeter_raw"
LETTERS = "homelab.dead_letters"
#: One rule for every format and kind: `<format>/<kind>/<device>/…`.
EVERYTHING = tuple(
    Rule(f"{name}-{kind}", f"{name}/{kind}/+/#", kind, name)
    for name in FORMATS
    for kind in ("energy", "heatpump", "temperature")
)


def translator(*rules: Rule) -> Translator:
    return Translator(rules or DEFAULT_RULES, POLICY, "bridge-1", RAW)


def message(topic: str, payload: bytes | dict[str, Any], *, received: int = NOW, **more: Any) -> Message:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = {"qos": 1, "retained": False, "redelivered": False} | more
    return Message(topic, content, received=received, **given)


def translated(
    payload: bytes | dict[str, Any], topic: str = "homelab/energy/plug-1", **more: Any
) -> list[Output]:
    return translator().translate(message(topic, payload, **more))


def content(output: Output) -> dict[str, Any]:
    return json.loads(output.value)  # type: ignore[no-any-return]


def letter(outputs: list[Output]) -> dict[str, Any]:
    """The one dead letter that a message became."""
    (one,) = outputs
    assert one.topic == LETTERS
    return content(one)


def refused(reading: Output) -> list[tuple[str, ...]]:
    """The reasons for which the worker refuses a reading."""
    state = PartitionState(reading.partition)
    processor = Processor(POLICY, state, {}, decode=decode_readings, decode_other=decode_telemetry)
    outcome = processor.process([LogRecord(0, NOW + 1000, reading.value)])
    return [one.reasons for one in outcome.outputs if isinstance(one, DeadLetter)]


ENERGY = {"timestamp": "2025-12-31T23:50:00Z", "total_energy_kwh": 4711.25, "power_w": 1250, "voltage": 230.1}
