"""`gridwatch bridge --check` and `--rules`: what a message would become, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gridwatch import cli
from gridwatch.bridge.config import Broker, Config
from gridwatch.bridge.explain import as_columns, explain, rules_table
from gridwatch.bridge.rules import Rule
from gridwatch.bridge.translation import Message
from gridwatch.domain.policy import Policy
from gridwatch.errors import GridwatchError

NOW = 1_767_225_600_000_000
ENERGY = '{"timestamp": "2025-12-31T23:50:00Z", "total_energy_kwh": 1.5}'


def explained(topic: str, payload: bytes, *rules: Rule) -> tuple[str, bool]:
    config = Config(Broker(), rules) if rules else Config()
    lines, good = explain(
        config, Policy(partitions=3), "smartmeter_raw", Message(topic, payload, 1, False, False, NOW)
    )
    return "\n".join(lines), good


def test_every_rule_and_every_row_is_explained() -> None:
    text, good = explained("homelab/energy/a", ENERGY.encode())
    assert good
    assert "rule energy: homelab/energy/# matches; energy as json; device by topic: a" in text
    assert "homelab.energy[" in text and "smartmeter_raw[" in text and '"meter_id": "a"' in text


def test_a_dead_letter_is_explained_with_its_reasons() -> None:
    text, good = explained("homelab/energy/a", b"21.5")
    assert not good and "homelab.dead_letters[" in text and "NOT_AN_OBJECT" in text


def test_a_topic_without_a_rule_is_explained_with_the_filters() -> None:
    text, good = explained("other", b"1")
    assert not good and "no rule matches; filters: homelab/energy/#, " in text


def test_a_message_that_is_not_about_measurements_is_fine() -> None:
    text, good = explained("tele/a/LWT", b"Online", Rule("r", "tele/+/+", "energy", "tasmota"))
    assert good and "nothing: the message is not about measurements" in text


def test_rules_are_listed_with_what_they_subscribe_to() -> None:
    config = Config(
        Broker(share="home"), (Rule("r", "a/+", "energy"), Rule("long", "b", "temperature", "value"))
    )
    assert as_columns(rules_table(config)) == [
        "name  subscribes to    format  writes               readings",
        "r     $share/home/a/+  json    homelab.energy       yes",
        "long  $share/home/b    value   homelab.temperature  no",
    ]


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    ran = CliRunner().invoke(cli.cli, ["bridge", *arguments], input=stdin)
    code = ran.exception.exit_code if isinstance(ran.exception, GridwatchError) else ran.exit_code
    return code, ran.output + str(ran.exception or "")


def test_check_exits_with_0_for_rows_and_1_for_a_dead_letter() -> None:
    code, text = run("--check", "homelab/energy/a", ENERGY)
    assert code == 0 and "smartmeter_raw[" in text
    code, text = run("--check", "homelab/energy/a", "{")
    assert code == 1 and "NOT_JSON" in text and "would become a dead letter" in text
    code, text = run("--check", "other", "{}")
    assert code == 1 and "no rule matches" in text


def test_a_payload_of_a_hyphen_is_stdin_byte_by_byte() -> None:
    assert run("--check", "homelab/energy/a", "-", stdin=ENERGY.encode())[0] == 0
    code, text = run("--check", "homelab/energy/a", "-", stdin=b"\xff\0")
    assert code == 1 and "NOT_UTF8" in text and '"raw": "/wA="' in text
    code, text = run("--check", "homelab/energy/a", "-")
    assert code == 1 and "EMPTY" in text


def test_rules_and_mistakes_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[[rule]]\nname = "r"\nfilter = "a/+"\nkind = "energy"\n')
    code, text = run("--config", str(file), "--rules")
    assert code == 0 and "a/+" in text and "homelab.energy" in text
    file.write_text("[mqtt]\nport = 1\n")
    code, text = run("--config", str(file), "--rules")
    assert code == 2 and f"{file}: [mqtt]: port" in text
    assert run("--config", str(tmp_path / "none.toml"), "--rules")[0] == 2
    assert run("--check", "only-a-topic")[0] == 2


@pytest.mark.parametrize("topic", ["homelab/energy/\udcff", "homelab/\udcff"])
def test_a_topic_that_is_no_text_is_a_mistake_of_usage(topic: str) -> None:
    code, text = run("--check", topic, ENERGY)
    assert code == 2 and "UTF-8" in text


def test_the_command_prints_rows_and_errors_apart(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gridwatch", "bridge", "--check", "homelab/temperature/a"]
    good = subprocess.run([*command, '{"temperature_c": 20}'], capture_output=True, check=False, cwd=tmp_path)
    assert good.returncode == 0 and not good.stderr
    assert json.loads(good.stdout.decode().partition("key a\n")[2])["temperature_c"] == 20
    bad = subprocess.run([*command, b"\xff"], capture_output=True, check=False, cwd=tmp_path)
    assert bad.returncode == 1 and b"NOT_UTF8" in bad.stdout and b"remedy" in bad.stderr
