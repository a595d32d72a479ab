"""The admin client: reaches the brokers; lists, creates and compares topics."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from gridwatch.errors import GridwatchError
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import Topic, topics_of

REACH_SECONDS = 15.0


@dataclass(frozen=True)
class Difference:
    """One way in which a topic on the broker is not what `topics.py` says."""

    topic: str
    what: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.found}, should be {self.wanted}"


class Broker:
    """An admin client. GridwatchError when the brokers cannot be reached in time.

    Args:
        topics: the required topics; None: all of the flows of the settings.
    """

    def __init__(
        self, settings: Settings, topics: Collection[Topic] | None = None, timeout: float | None = None
    ) -> None:
        self._settings = settings
        self._topics = topics_of(settings.applications) if topics is None else topics
        self._timeout = REACH_SECONDS if timeout is None else timeout
        # librdkafka logs to stderr repeatedly while it cannot connect; the error below reports it once.
        self._admin = AdminClient(
            librdkafka_config(settings) | {"log_level": 0, "error_cb": lambda _error: None}
        )

    def partitions(self) -> dict[str, int]:
        """Every topic with its partition count."""
        try:
            metadata = self._admin.list_topics(timeout=self._timeout)
        except KafkaException as error:
            raise GridwatchError(
                f"no Kafka broker answers at {self._settings.bootstrap} ({error.args[0].str()})",
                "check GRIDWATCH_BROKER, or start one with: gridwatch up",
            ) from error
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    def create(self) -> list[str]:
        """Create the topics that are missing; returns their names."""
        there = self.partitions()
        missing = [topic for topic in self._topics if topic.name not in there]
        futures = (
            self._admin.create_topics(
                [
                    NewTopic(
                        topic.name,
                        num_partitions=self._settings.partitions,
                        replication_factor=self._settings.replication_factor,
                        config=topic.config,
                    )
                    for topic in missing
                ]
            )
            if missing
            else {}
        )
        for name, future in futures.items():
            try:
                future.result(timeout=self._timeout)
            except KafkaException as error:
                raise GridwatchError(f"topic {name} could not be created: {error.args[0].str()}") from error
        return [topic.name for topic in missing]

    def differences(self) -> list[Difference]:
        """What differs between the broker's topics and `topics.py`: missing, partitions, settings."""
        there = self.partitions()
        found: list[Difference] = []
        present: list[Topic] = []
        for topic in self._topics:
            if topic.name not in there:
                found.append(Difference(topic.name, "topic", "there", "missing"))
                continue
            present.append(topic)
            if there[topic.name] != self._settings.partitions:
                found.append(
                    Difference(
                        topic.name, "partition count", str(self._settings.partitions), str(there[topic.name])
                    )
                )
        return found + self._config_differences(present)

    def _config_differences(self, topics: list[Topic]) -> list[Difference]:
        if not topics:
            return []
        resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics]
        answers = {
            resource.name: future.result(timeout=self._timeout)
            for resource, future in self._admin.describe_configs(resources).items()
        }
        return [
            Difference(topic.name, key, wanted, answers[topic.name][key].value)
            for topic in topics
            for key, wanted in topic.config.items()
            if answers[topic.name][key].value != wanted
        ]


def require_topics(settings: Settings, topics: Collection[Topic] | None = None) -> None:
    """Raise GridwatchError unless the topics (None: all) exist with the right partition count."""
    wrong = [
        difference
        for difference in Broker(settings, topics).differences()
        if difference.what in ("topic", "partition count", "message.timestamp.type")
    ]
    if not wrong:
        return
    missing = all(difference.what == "topic" for difference in wrong)
    raise GridwatchError(
        "; ".join(str(difference) for difference in wrong),
        "create them with: gridwatch topics create"
        if missing
        else "set GRIDWATCH_PARTITIONS to the topics' count, or recreate the topics; "
        "compare with: gridwatch topics check",
    )
