"""Rules: which messages become what. Every rule whose filter matches a message applies to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gridwatch.bridge.filters import first_wildcard, levels_of, matches
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Decoder, Kind
from gridwatch.topics import HOMELAB_ENERGY, HOMELAB_HEATPUMP, HOMELAB_TEMPERATURE, Topic

TOPICS: Final[dict[Kind, Topic]] = {
    "energy": HOMELAB_ENERGY,
    "heatpump": HOMELAB_HEATPUMP,
    "temperature": HOMELAB_TEMPERATURE,
}
_MOST_ROUTES: Final = 100_000


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


class Routes:
    """Finds the rules of a topic; remembers topics that it has seen."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(levels_of(rule.filter), rule) for rule in rules]
        self._known: dict[str, tuple[Rule, ...]] = {}

    def of(self, topic: str) -> tuple[Rule, ...]:
        """The rules whose filter matches."""
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= _MOST_ROUTES:
                self._known.clear()
            levels = levels_of(topic)
            found = tuple(rule for filter_, rule in self._rules if matches(filter_, levels))
            self._known[topic] = found
        return found
