"""What a message would become, for people: `gridwatch bridge --check`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gridwatch.bridge.config import Config
from gridwatch.bridge.filters import levels_of, matches
from gridwatch.bridge.translation import Message, Translator
from gridwatch.domain.policy import Policy


def explain(config: Config, policy: Policy, raw_topic: str, message: Message) -> tuple[list[str], bool]:
    """Lines that explain it, and whether it becomes what somebody would want: no dead letter."""
    lines: list[str] = []
    levels = levels_of(message.topic)
    found = [rule for rule in config.rules if matches(levels_of(rule.filter), levels)]
    for rule in found:
        device = rule.device_of(levels)
        lines.append(
            f"rule {rule.name}: {rule.filter} matches; {rule.kind} as {rule.format}; "
            f"device by topic: {device or '-'}"
        )
    if not found:
        lines.append(f"no rule matches; filters: {', '.join(rule.filter for rule in config.rules)}")
        return lines, False
    translator = Translator(config.rules, policy, config.broker.client_id, raw_topic)
    outputs = translator.translate(message)
    for output in outputs:
        content = json.dumps(json.loads(output.value), indent=2, ensure_ascii=False)
        lines.append(f"{output.topic}[{output.partition}]  key {output.key.decode()}\n{content}")
    if not outputs:
        lines.append("nothing: the message is not about measurements")
    bad = any(counts.reasons for counts in translator.counts.values())
    return lines, not bad


def rules_table(config: Config) -> list[dict[str, Any]]:
    """Every rule, for a list of them."""
    return [
        {
            "name": rule.name,
            "subscribes to": config.broker.subscription(rule.filter),
            "format": rule.format,
            "writes": rule.topic.name,
            "readings": "yes" if rule.kind == "energy" and rule.readings else "no",
        }
        for rule in config.rules
    ]


def as_columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows under the names of their columns, as lines."""
    names = list(rows[0])
    cells = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
