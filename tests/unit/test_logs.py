"""Logs as JSON: one object a line, with the place in the log that a message names."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from gridwatch.logs import JsonFormatter, logging_config
from gridwatch.settings import load_settings


def line(message: str, *args: Any, **more: Any) -> dict[str, Any]:
    record = logging.LogRecord("gridwatch.test", logging.WARNING, __file__, 1, message, args, None)
    record.__dict__.update(more)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    read: dict[str, Any] = json.loads(text)
    return read


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (
            ("partition %d: resuming at offset %d with %d meters", 3, 4711, 9),
            {"partition": 3, "offset": 4711},
        ),
        (("%s[%d]: no ack (%r)", "gridwatch-meters-changelog", 5, "x"), {"partition": 5}),
        (("dead letter %s[%d]@%d cannot be stored", "raw", 1, 42), {"partition": 1, "offset": 42}),
        (("has not committed TP(topic='smartmeter_raw', partition=2)",), {"partition": 2}),
        (
            ("Resetting offset for partition TopicPartition(topic='a', partition=4)",),
            {"topic": "a", "partition": 4},
        ),
        (("partitions are being handed out anew",), {}),
        (("page 12 of 3 offsets",), {}),
    ],
)
def test_what_a_message_names_is_a_field(said: tuple[Any, ...], known: dict[str, Any]) -> None:
    read = line(*said)
    assert {name: read[name] for name in known} == known
    if not known:
        assert not {"topic", "partition", "offset"} & read.keys()
    assert read["message"] == said[0] % said[1:]
    assert (read["level"], read["logger"]) == ("WARNING", "gridwatch.test")


def test_fields_given_with_the_call_come_first() -> None:
    assert line("partition 3: late", partition=7, offset=8)["partition"] == 7


def test_an_exception_and_lines_in_a_message_stay_on_one_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, __file__, 1, "it\nfailed", (), sys.exc_info())
    read = json.loads(JsonFormatter().format(record))
    assert read["message"] == "it\nfailed"
    assert "ValueError: two\nlines" in read["exception"]
    assert read["time"].endswith("Z")


def test_text_is_the_usual_way_and_json_on_request() -> None:
    assert logging_config(load_settings()) is None
    asked = logging_config(load_settings(log_format="json"))
    assert asked is not None
    assert asked["formatters"]["json"]["()"] is JsonFormatter
