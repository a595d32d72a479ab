"""Formats the log as JSON, one object a line (`GRIDWATCH_LOG_FORMAT=json`).

`time` (RFC 3339 UTC), `level`, `logger`, `process` and `message`; `topic`, `partition` and `offset` where
they are known; `exception` with its trace where there is one. Faust, its Kafka client and gridwatch name
partitions in a few forms. These are parsed from the message, so that every line that names a partition has
the field; fields given with a call (`extra=`) take precedence.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.settings import Settings

#: The forms in which messages name a topic, partition or offset.
_FORMS = (
    re.compile(r"(?P<topic>[\w.-]+)\[(?P<partition>\d+)\](?:@(?P<offset>\d+))?"),
    re.compile(r"TopicPartition\(topic='(?P<topic>[^']+)', partition=(?P<partition>\d+)\)"),
    re.compile(r"\bTP\(topic='(?P<topic>[^']+)', partition=(?P<partition>\d+)\)"),
    re.compile(r"\bpartition (?P<partition>\d+)\b"),
    re.compile(r"\boffset (?P<offset>\d+)\b"),
)
_FIELDS = ("topic", "partition", "offset")


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = record.getMessage().strip()
        line: dict[str, Any] = {
            "time": format_instant(int(record.created * 1_000_000)),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": message,
            **dict(_named_fields(record, message)),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _named_fields(record: logging.LogRecord, message: str) -> Iterator[tuple[str, Any]]:
    for name in _FIELDS:
        given = getattr(record, name, None)
        if given is None:
            found = (
                match[name] for form in _FORMS if name in form.groupindex for match in form.finditer(message)
            )
            given = next((int(text) if text.isdigit() else text for text in found if text), None)
        if given is not None:
            yield name, given


def logging_config(settings: Settings) -> dict[str, Any] | None:
    """The logging configuration for Faust; None for its default."""
    if settings.log_format == "text":
        return None
    handler = {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}
    return {
        "merge": True,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"default": handler},
    }


def log_to_stderr(settings: Settings, service: str, *loggers: str) -> None:
    """Let these loggers write to stderr, in the format of the settings: a service without Faust."""
    handler = logging.StreamHandler()
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter(f"%(asctime)s {service}: %(message)s"))
    for name in loggers:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)
