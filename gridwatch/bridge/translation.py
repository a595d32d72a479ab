"""What becomes of a message: rows for Kafka. Pure, but for its memory of the last time that it assigned.

Each rule of a message decodes it by itself. A measurement goes to the topic of its kind; one of an energy
device that has a register (or power, where the rule knows the interval) goes to the raw topic, too, as a
reading of the meter with the device's name. What is no measurement becomes one dead letter.

A measurement without a time of its own gets the time of its arrival and the flag TIME_ASSIGNED. A retained
message without one is not assigned a reading: it may be years old.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from gridwatch.bridge.formats.measured import Asked, Malformed, Measured
from gridwatch.bridge.rules import Routes, Rule
from gridwatch.codecs.wire import RAW_MAX_BYTES, raw_text
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.validation.findings import FUTURE_TIMESTAMP, TOO_LARGE
from gridwatch.domain.validation.rules import is_meter_id
from gridwatch.models.homelab import TIME_ASSIGNED, HomelabDeadLetter, MqttSource
from gridwatch.topics import HOMELAB_DEAD_LETTERS

CLOCK_NOT_SET: Final = "CLOCK_NOT_SET"
BAD_DEVICE_ID: Final = "BAD_DEVICE_ID"
NO_RULE: Final = "NO_RULE"
DECODER_FAILED: Final = "DECODER_FAILED"
"""Reasons for dead letters, beside those of the formats."""

logger = logging.getLogger(__name__)

MOST_PAYLOAD_BYTES: Final = 256 * 1024
#: Before this no clock that is set can be, µs: 2000-01-01.
_CLOCKS_SINCE: Final = 946_684_800_000_000
_REGISTER: Final = "total_energy_kwh"
_PASSED_ON: Final = ("power_kw", "voltage", "current", "power_factor", "frequency")
_encode: Final = msgspec.json.Encoder().encode


class Message(NamedTuple):
    """A message as the broker delivered it at `received`, µs."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    redelivered: bool
    received: int


class Output(NamedTuple):
    """A row for Kafka."""

    topic: str
    partition: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class Counts:
    """What one rule made of messages."""

    messages: int = 0
    redelivered: int = 0
    retained: int = 0
    ignored: int = 0
    measurements: int = 0
    assigned: int = 0
    readings: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class Translator:
    """Translates messages by rules.

    Args:
        bridge: the client id, which is in every record.
        raw_topic: where readings go.
    """

    def __init__(self, rules: Sequence[Rule], policy: Policy, bridge: str, raw_topic: str) -> None:
        self._routes = Routes(rules, policy.timezone)
        self._policy = policy
        self._bridge = bridge
        self._raw_topic = raw_topic
        self._place = lru_cache(maxsize=100_000)(
            lambda key: (key.encode(), partition_of(key, policy.partitions))
        )
        self._assigned = 0
        self._letters = 0
        #: By name of the rule; messages that no rule matches are under "".
        self.counts: dict[str, Counts] = {rule.name: Counts() for rule in rules} | {"": Counts()}

    def translate(self, message: Message) -> list[Output]:
        """The rows of a message, in the order in which they are to be written."""
        routes = self._routes.of(message.topic)
        if not routes:
            self._count(message, self.counts[""])
            unknown = (
                f"no rule has a filter for {message.topic}: add one, or unsubscribe with another client_id"
            )
            return [self._letter(message, "", Malformed([NO_RULE], unknown), None)]
        outputs: list[Output] = []
        for rule, device, asked in routes:
            outputs += self._by_rule(message, rule, device, asked)
        return outputs

    def _by_rule(self, message: Message, rule: Rule, device: str | None, asked: Asked) -> list[Output]:
        counts = self.counts[rule.name]
        self._count(message, counts)
        outputs: list[Output] = []
        try:
            if len(message.payload) > MOST_PAYLOAD_BYTES:
                size = f"{len(message.payload)} bytes, at most {MOST_PAYLOAD_BYTES} are read"
                raise Malformed([TOO_LARGE], size)
            found = rule.decoder(message.payload, asked)
        except Malformed as problem:
            return [self._letter(message, rule.name, problem, device)]
        except Exception as error:  # a mistake of a decoder costs one message, and is not tried for ever
            logger.exception("a message of %s could not be read as %s", message.topic, rule.format)
            what = f"the decoder {rule.format} failed ({error!r}): report it with this message"
            return [self._letter(message, rule.name, Malformed([DECODER_FAILED], what), device)]
        for one in found:
            try:
                outputs += self._measurement(message, rule, one, device, counts)
            except Malformed as problem:
                outputs.append(self._letter(message, rule.name, problem, one.device or device))
        counts.ignored += not found
        return outputs

    def _measurement(
        self, message: Message, rule: Rule, one: Measured, device: str | None, counts: Counts
    ) -> list[Output]:
        name = one.device or device
        if name is None or not is_meter_id(name, self._policy) or "+" in name or "#" in name:
            most = self._policy.max_meter_id_bytes
            allowed = f"a device has a name of 1 to {most} bytes without control characters, + and #"
            raise Malformed([BAD_DEVICE_ID], f"{allowed}: set `device` of the rule to the level that has it")
        time, assigned = one.time, one.time is None
        if time is None:
            time = self._assigned = max(message.received, self._assigned + 1)
        elif time > message.received + self._policy.max_future_skew:
            ahead = (time - message.received) / 1_000_000
            raise Malformed([FUTURE_TIMESTAMP], f"the time is {ahead:g} s ahead: set the device's clock")
        elif time < _CLOCKS_SINCE:
            raise Malformed([CLOCK_NOT_SET], f"the time is {format_instant(time)}: set the device's clock")
        stamp, received = format_instant(time), format_instant(message.received)
        key, partition = self._place(name)
        value = {
            **one.more,
            **one.values,
            "device_id": name,
            "timestamp": stamp,
            "received_at": received,
            "source": self._source(message),
        }
        if assigned:
            value["flags"] = [TIME_ASSIGNED]
        counts.measurements += 1
        counts.assigned += assigned
        outputs = [Output(rule.topic.name, partition, key, _encode(value))]
        reading = None if assigned and message.retained else reading_of(rule, name, stamp, one.values)
        if reading is not None:
            counts.readings += 1
            reading["ingested_at"] = received
            outputs.append(Output(self._raw_topic, partition, key, _encode(reading)))
        return outputs

    @staticmethod
    def _count(message: Message, counts: Counts) -> None:
        counts.messages += 1
        counts.redelivered += message.redelivered
        counts.retained += message.retained

    def _source(self, message: Message) -> MqttSource:
        return MqttSource(message.topic, message.qos, message.retained, self._bridge)

    def _letter(self, message: Message, rule: str, problem: Malformed, device: str | None) -> Output:
        reasons = self.counts[rule].reasons
        reasons[problem.reasons[0]] = reasons.get(problem.reasons[0], 0) + 1
        self._letters += 1
        text, encoding = raw_text(message.payload)
        letter = HomelabDeadLetter(
            f"{self._bridge}/{message.received}-{self._letters}",
            list(problem.reasons),
            problem.message,
            problem.field,
            text,
            encoding,  # type: ignore[arg-type]
            len(message.payload),
            len(message.payload) > RAW_MAX_BYTES,
            device,
            format_instant(message.received),
            self._source(message),
        )
        partition = partition_of(message.topic, self._policy.partitions)
        return Output(HOMELAB_DEAD_LETTERS.name, partition, message.topic.encode(), _encode(letter))


def reading_of(rule: Rule, meter: str, stamp: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The reading of a meter that a measurement is; None if it is none."""
    register, power = values.get(_REGISTER), values.get("power_kw")
    if rule.kind != "energy" or not rule.readings:
        return None
    if register is None and (rule.interval is None or power is None):
        return None
    reading: dict[str, Any] = {"meter_id": meter, "timestamp": stamp}
    if register is not None:
        reading["energy_register_kwh"] = register
    if rule.interval is not None:
        reading["interval_seconds"] = rule.interval
    reading |= {name: values[name] for name in _PASSED_ON if name in values}
    return reading
