"""docs/ingest.md and docs/mqtt.md say what the entrances do: problems, keys, defaults, reasons, limits."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from gridwatch.bridge import translation
from gridwatch.bridge.bridge import MOST_PENDING_BYTES
from gridwatch.bridge.client import RECEIVE_MAXIMUM
from gridwatch.bridge.config import Broker, check_rules, read_config
from gridwatch.bridge.explain import as_columns, rules_table
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.rules import Rule
from gridwatch.durations import micros, parse_duration
from gridwatch.ingest.body import MOST_BYTES
from gridwatch.ingest.elements import MOST_READINGS, MOST_VALUES
from gridwatch.ingest.problems import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
INGEST = (DOCS / "ingest.md").read_text(encoding="utf-8")
MQTT = (DOCS / "mqtt.md").read_text(encoding="utf-8")
#: A value that each key takes.
EXAMPLES = {
    "url": "mqtt://h:1",
    "version": "5",
    "session_expiry": "7d",
    "keep_alive": "30s",
    "kind": "energy",
    "format": "json",
    "device": 1,
    "readings": True,
    "interval": "10s",
    "zone": "UTC",
}


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = re.split(r"\n#{2,3} ", page.partition(f"# {heading}\n")[2])[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def keys(heading: str) -> list[str]:
    return [key for row in rows(MQTT, heading) for key in re.findall(r"`(\w+)`", row[0])]


def toml(**values: object) -> str:
    return "".join(
        f"{key} = {str(value).lower() if isinstance(value, bool | int) else repr(value)}\n"
        for key, value in values.items()
    )


def test_every_problem_is_explained_with_its_status() -> None:
    assert [(kind.strip("`"), int(status)) for kind, status, *_ in rows(INGEST, "Problems")] == [
        (name, kind.status) for name, kind in KINDS.items()
    ]


def test_the_limits_of_a_request_are_those_of_the_code() -> None:
    assert f"1 to {MOST_READINGS:,} readings and at most {MOST_BYTES:,} bytes" in INGEST
    assert f"at most {MOST_VALUES:,} values" in INGEST


def test_every_key_of_the_broker_is_explained(tmp_path: Path) -> None:
    written = {"session_seconds": "session_expiry", "password": "password_file"}
    known = {written.get(one.name, one.name) for one in fields(Broker)} - {"host", "port", "tls"} | {"url"}
    assert set(keys("`[mqtt]`")) == known
    (tmp_path / "file").write_text("x")
    given = {key: EXAMPLES.get(key, "file") for key in known}
    (tmp_path / "bridge.toml").write_text(f"[mqtt]\n{toml(**given)}")
    read_config(tmp_path / "bridge.toml")


def test_every_key_of_a_rule_is_explained(tmp_path: Path) -> None:
    known = [one.name for one in fields(Rule)]
    assert keys("`[[rule]]`") == known
    (tmp_path / "bridge.toml").write_text(f"[[rule]]\n{toml(**{k: EXAMPLES.get(k, 'x') for k in known})}")
    assert len(read_config(tmp_path / "bridge.toml").rules) == 1


def test_defaults_are_those_of_the_code() -> None:
    broker = {key.strip("`"): default.strip("`") for key, default, _ in rows(MQTT, "`[mqtt]`")}
    assert broker["url"] == f"mqtt://{Broker().address}"
    assert broker["client_id"] == Broker().client_id
    assert broker["version"] == Broker().version
    for key, seconds in (
        ("session_expiry", Broker().session_seconds),
        ("keep_alive", Broker().keep_alive),
    ):
        assert micros(parse_duration(broker[key])) == seconds * 1_000_000
    rule = {key.strip("`"): default.strip("`") for key, default, _ in rows(MQTT, "`[[rule]]`")}
    assert (rule["format"], rule["readings"]) == (Rule.format, str(Rule.readings).lower())


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    example = next(
        block for block in re.findall(r"^```\n(.*?)^```", MQTT, re.M | re.S) if "[[rule]]" in block
    )
    (tmp_path / "bridge.toml").write_text(example)
    config = read_config(tmp_path / "bridge.toml")
    check_rules(config.rules)
    assert [rule.name for rule in config.rules] == ["plugs", "thermometers"]


def test_the_default_rules_are_those_that_are_listed(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text("")
    assert "\n".join(as_columns(rules_table(read_config(tmp_path / "bridge.toml")))) in MQTT


@pytest.mark.parametrize("row", rows(MQTT, "Rules by format"), ids=lambda row: row[0])
def test_a_rule_of_the_table_finds_the_device_that_it_says(row: list[str], tmp_path: Path) -> None:
    _, topic, keys_of_rule = row
    content = "\n".join(re.findall(r"`([^`]+)`", keys_of_rule))
    assert tomllib.loads(content)
    (tmp_path / "bridge.toml").write_text(f'[[rule]]\nname = "x"\n{content}\n')
    [rule] = read_config(tmp_path / "bridge.toml").rules
    levels = topic.replace("**", "").split("/")
    assert f"**{rule.device_of(levels)}**" in topic


def test_every_format_has_a_rule() -> None:
    table = "\n".join(row[2] for row in rows(MQTT, "Rules by format"))
    assert {"json", *re.findall(r'format = "(\w+)"', table)} == set(FORMATS)


def test_the_reasons_are_those_of_the_bridge() -> None:
    named = {value for name, value in vars(translation).items() if name.isupper() and value == name}
    explained = {row[0].strip("`") for row in rows(MQTT, "Dead letters")}
    assert explained == named - {translation.TIME_ASSIGNED}  # a flag


def test_the_limits_of_the_bridge_are_those_of_the_code() -> None:
    assert translation.MOST_PAYLOAD_BYTES == 256 * 1024
    assert f"up to {MOST_PENDING_BYTES // 1024**2} MiB of what waits" in MQTT
    assert f"| messages without an acknowledgement | {RECEIVE_MAXIMUM} |" in MQTT
