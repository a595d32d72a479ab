"""Rules: which messages become what. Every rule whose filter matches a message applies to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gridwatch.bridge.filters import first_wildcard, levels_of, matches
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Decoder, Kind
from gridwatch.topics import HOMELAB_ENERGY, HOMELAB_HEATPUMP, HOMELAB_TEMPERATURE, Topic

TOPICS: Final[dict[Kind, Topic]] = {
    "energy": HOMELAB_ENERGY,
    "heatpump": HOMELAB_HEATPUMP,
    "temperature": HOMELAB_TEMPERATURE,
}
#: So many topics are remembered, and none that is longer: together they are of megabytes.
_MOST_ROUTES: Final = 100_000
_LONGEST_TOPIC: Final = 256


@dataclass(frozen=True)
class Rule:
    """One rule.

    filter: the MQTT filter that is subscribed to.
    kind: what it measures, and so the Kafka topic.
    format: a name of FORMATS.
    device: the place of the topic's level that names the device, from 0 on; None: of the first wildcard.
    field: of a payload that is one value: what it is, with its unit.
    readings: whether energy devices become readings of meters, too.
    interval: of those readings, seconds; None: not said.
    zone: of local times; None: that of the settings.
    """

    name: str
    filter: str
    kind: Kind
    format: str = "json"
    device: int | None = None
    field: str | None = None
    readings: bool = True
    interval: int | None = None
    zone: str | None = None

    @property
    def decoder(self) -> Decoder:
        """Decodes its payloads."""
        return FORMATS[self.format]

    @property
    def topic(self) -> Topic:
        """Where its measurements go."""
        return TOPICS[self.kind]

    def asked(self, levels: Sequence[str], zone: str) -> Asked:
        """What it wants of a message of this topic."""
        return Asked(self.kind, tuple(levels), self.field, self.zone or zone)

    def device_of(self, levels: Sequence[str]) -> str | None:
        """The device that a topic names; None if it has not so many levels."""
        at = first_wildcard(levels_of(self.filter)) if self.device is None else self.device
        return levels[at] if at is not None and -len(levels) <= at < len(levels) else None


DEFAULT_RULES: Final = tuple(Rule(kind, f"homelab/{kind}/#", kind) for kind in TOPICS)


class Route(NamedTuple):
    """A rule and what it makes of a topic: the device that it names, and what the decoder is asked."""

    rule: Rule
    device: str | None
    asked: Asked


class Routes:
    """Finds the rules of a topic; remembers topics that it has seen.

    Args:
        zone: of local times, where a rule has none.
    """

    def __init__(self, rules: Sequence[Rule], zone: str) -> None:
        self._rules = [(levels_of(rule.filter), rule) for rule in rules]
        self._zone = zone
        self._known: dict[str, tuple[Route, ...]] = {}

    def of(self, topic: str) -> tuple[Route, ...]:
        """The rules whose filter matches, in their order."""
        found = self._known.get(topic)
        if found is None:
            levels = levels_of(topic)
            found = tuple(
                Route(rule, rule.device_of(levels), rule.asked(levels, self._zone))
                for filter_, rule in self._rules
                if matches(filter_, levels)
            )
            if len(topic) <= _LONGEST_TOPIC:
                if len(self._known) >= _MOST_ROUTES:
                    self._known.clear()
                self._known[topic] = found
        return found
