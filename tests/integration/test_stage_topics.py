"""A stage's topics have the partitions of the settings, or nothing starts: what is wrong is named."""

from __future__ import annotations

import uuid

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from gridwatch.embedded import EmbeddedKafka
from gridwatch.errors import GridwatchError
from gridwatch.kafka.broker import Broker, require_topics
from gridwatch.settings import Settings, load_settings
from tests.sums.stage import STAGE

pytestmark = pytest.mark.integration

OTHER_COUNT = 3


@pytest.fixture
def settings(kafka: EmbeddedKafka) -> Settings:
    return load_settings(broker=kafka.bootstrap, app_id=f"stage-{uuid.uuid4().hex[:8]}", partitions=6)


def test_a_topic_of_a_stage_that_is_missing_is_named_with_what_creates_it(settings: Settings) -> None:
    changelog = STAGE.changelog(settings.app_id)
    with pytest.raises(GridwatchError, match=f"{changelog.name}: topic is missing") as refusal:
        require_topics(settings, [changelog])
    assert refusal.value.remedy == "create them with: gridwatch topics create"


def test_a_topic_of_a_stage_with_another_partition_count_is_named_with_both(
    kafka: EmbeddedKafka, settings: Settings
) -> None:
    changelog = STAGE.changelog(settings.app_id)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    for created in admin.create_topics([NewTopic(changelog.name, OTHER_COUNT, 1)]).values():
        created.result(timeout=30)
    with pytest.raises(
        GridwatchError, match=f"{changelog.name}: partition count is 3, should be 6"
    ) as refusal:
        require_topics(settings, [changelog])
    assert "GRIDWATCH_PARTITIONS" in refusal.value.remedy


def test_topics_that_are_as_they_should_be_are_no_hindrance(settings: Settings) -> None:
    changelog = STAGE.changelog(settings.app_id)
    assert Broker(settings, [changelog]).create() == [changelog.name]
    require_topics(settings, [changelog])
