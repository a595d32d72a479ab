"""Topics: each once, with a name of its own, and outputs that fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridwatch import topics
from gridwatch.topics import Topic, all_topics, changelog

_ALL = all_topics("gridwatch")


def test_names_are_those_that_users_rely_on() -> None:
    assert [topic.name for topic in (topics.RAW, topics.VALIDATED, topics.GAP_ALERTS)] == [
        "smartmeter_raw",
        "smartmeter_validated",
        "smartmeter_gap_alerts",
    ]
    assert [topic.name for topic in (topics.LATE_EVENTS, topics.METRICS, topics.DEAD_LETTERS)] == [
        "smartmeter_late_events",
        "smartmeter_metrics",
        "smartmeter_dead_letters",
    ]


def test_no_two_topics_share_a_name() -> None:
    names = [topic.name for topic in _ALL]
    assert len(set(names)) == len(names)


def test_two_workers_of_different_name_have_changelogs_of_their_own() -> None:
    assert changelog("gridwatch").name != changelog("other").name


def test_every_topic_is_listed() -> None:
    declared = {value.name for value in vars(topics).values() if isinstance(value, Topic)}
    assert declared < {topic.name for topic in _ALL}


@pytest.mark.parametrize("topic", _ALL, ids=lambda topic: topic.name)
def test_every_topic_says_what_is_in_it_and_how_long(topic: Topic) -> None:
    assert topic.meaning
    assert topic.key
    assert topic.config["cleanup.policy"] in ("delete", "compact")
    assert ("retention.ms" in topic.config) == (topic.config["cleanup.policy"] == "delete")


@pytest.mark.parametrize("topic", topics.OUTPUTS, ids=lambda topic: topic.name)
def test_every_output_has_a_record_shape(topic: Topic) -> None:
    assert topic.model is not None


def test_record_time_of_raw_readings_is_the_brokers() -> None:
    assert topics.RAW.config["message.timestamp.type"] == "LogAppendTime"


def test_an_oversized_reading_reaches_its_dead_letter() -> None:
    from gridwatch.settings import Settings

    largest_judged = Settings.model_fields["max_record_bytes"].metadata
    limit = max(getattr(constraint, "le", 0) for constraint in largest_judged)
    assert int(topics.RAW.config["max.message.bytes"]) > limit


def test_headers_have_names_of_their_own() -> None:
    headers = {topics.TICK_HEADER, topics.REPLAY_HEADER, topics.ROW_HEADER}
    assert len(headers) == 3


def test_another_flow_has_each_topic_under_its_own_name() -> None:
    daily = topics.flow("daily")
    assert {topic.name for topic in all_topics("gridwatch-daily", daily)} >= {
        *("daily_raw", "daily_validated", "daily_gap_alerts", "daily_late_events", "daily_metrics"),
        *("daily_dead_letters", "gridwatch-daily-meters-changelog"),
    }
    for own, declared in zip(daily.outputs, topics.OUTPUTS, strict=True):
        assert replace(own, name=declared.name) == declared


def test_the_default_flow_has_the_topics_as_they_are_declared() -> None:
    assert all(topics.SMARTMETER.of(topic) is topic for topic in (topics.RAW, *topics.OUTPUTS))
    assert topics.SMARTMETER.id("3-41-0") == "3-41-0"
    assert topics.flow("daily").id("3-41-0") == "daily/3-41-0"


def test_a_topic_without_the_prefix_gets_one_in_another_flow() -> None:
    topic = Topic("aggregates_1m", "sums", "id", None)
    assert topics.SMARTMETER.of(topic).name == "aggregates_1m"
    assert topics.flow("daily").of(topic).name == "daily_aggregates_1m"
    assert topics.flow_of("daily_aggregates_1m", [topic]) == (topics.flow("daily"), topic)


@pytest.mark.parametrize("name", ["smartmeter", "daily", "late", "smartmeter_late", "gap_alerts", "x_raw"])
def test_the_flow_of_a_topic_is_known_by_its_name(name: str) -> None:
    flow = topics.flow(name)
    for topic in topics.OUTPUTS:
        assert topics.flow_of(flow.of(topic).name) == (flow, topic)


@pytest.mark.parametrize("name", ["other", "daily_other", "_validated", "validated", "daily_raw"])
def test_a_topic_of_no_flow_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        topics.flow_of(name)


def test_the_topics_of_several_flows_are_those_of_each() -> None:
    both = topics.topics_of({"smartmeter": "gridwatch", "daily": "gridwatch-daily"})
    names = [topic.name for topic in both]
    each = (*_ALL, *all_topics("gridwatch-daily", topics.flow("daily")))
    assert set(names) == {topic.name for topic in each}
    assert len(set(names)) == len(names)
