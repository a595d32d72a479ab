"""Where the broker is and who we are to it: URLs, passwords, certificates; and rules side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridwatch.bridge.config import Config, address_in, check_rules, read_config
from gridwatch.bridge.rules import Rule
from gridwatch.bridge.service import configured
from gridwatch.errors import UsageProblem
from gridwatch.settings import load_settings

SECRET = "hunter2"


def written(folder: Path, text: str) -> Path:
    file = folder / "bridge.toml"
    file.write_text(text, encoding="utf-8")
    return file


def read(folder: Path, text: str) -> Config:
    return read_config(written(folder, text))


def test_a_password_is_in_no_text_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\r\n")
    config = read(tmp_path, "[mqtt]\npassword_file = 'secret'\nusername = 'u'")
    assert config.broker.password == SECRET
    for text in (repr(config), str(config.broker), config.broker.address):
        assert SECRET not in text


def test_the_file_of_the_password_is_found_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "secret").write_text("of the file")
    file = written(tmp_path, "[mqtt]\npassword_file = 'secret'")
    assert read_config(file, "of the settings").broker.password == "of the file"
    written(tmp_path, f"[mqtt]\npassword_file = '{tmp_path / 'secret'}'")
    assert read_config(file).broker.password == "of the file"
    assert read_config(written(tmp_path, ""), "of the settings").broker.password == "of the settings"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://h", ("h", 1883, False)),
        ("mqtts://h", ("h", 8883, True)),
        ("mqtt://h:1/", ("h", 1, False)),
        ("mqtt://[::1]:2", ("::1", 2, False)),
        ("MQTTS://H", ("h", 8883, True)),
    ],
)
def test_a_url_has_host_port_and_tls(url: str, address: tuple[str, int, bool]) -> None:
    assert tuple(address_in(url, "here").values()) == address


def test_the_url_of_the_settings_precedes_that_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "[mqtt]\nurl = 'mqtt://file:1'")
    assert configured(load_settings(bridge_config=file)).broker.host == "file"
    assert configured(load_settings(bridge_config=file, mqtt_url="mqtt://setting:2")).broker.port == 2
    assert configured(load_settings()).broker.host == "127.0.0.1"
    with pytest.raises(UsageProblem, match="GRIDWATCH_MQTT_URL") as problem:
        configured(load_settings(mqtt_url=f"mqtt://user:{SECRET}@h"))
    assert SECRET not in str(problem.value)


def test_the_password_of_the_settings_is_taken_and_not_shown() -> None:
    config = configured(load_settings(mqtt_password=SECRET))
    assert config.broker.password == SECRET
    assert SECRET not in repr(config)


@pytest.mark.parametrize("url", [f"http://user:{SECRET}@h", f"user:{SECRET}@h"])
def test_a_url_that_the_settings_refuse_is_not_shown(url: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        load_settings(mqtt_url=url)
    assert SECRET not in str(problem.value)


def test_certificates_without_tls_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    file = written(tmp_path, "[mqtt]\nurl = 'mqtt://h'\nca_file = 'ca.pem'")
    with pytest.raises(UsageProblem, match="mqtts://"):
        configured(load_settings(bridge_config=file))
    assert configured(load_settings(bridge_config=file, mqtt_url="mqtts://h")).broker.tls


def rule(name: str, filter_: str) -> Rule:
    return Rule(name, filter_, "energy")


@pytest.mark.parametrize(("one", "other"), [("a/#", "a/+"), ("a/+", "+/b"), ("#", "a"), ("a/#", "a")])
def test_filters_that_overlap_are_refused_unless_they_are_the_same(one: str, other: str) -> None:
    for pair in ((one, other), (other, one)):
        with pytest.raises(UsageProblem, match=r"the filters of x .* and y .* overlap"):
            check_rules(tuple(rule(name, filter_) for name, filter_ in zip("xy", pair, strict=True)))
    check_rules((rule("x", one), rule("y", one)))


def test_two_rules_have_two_names() -> None:
    check_rules((rule("x", "a"), rule("y", "b")))
    with pytest.raises(UsageProblem, match="two rules have the name x"):
        check_rules((rule("x", "a"), rule("x", "b")))
