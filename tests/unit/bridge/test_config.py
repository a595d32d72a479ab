"""The configuration of a bridge: every key, and every mistake with its file, table, key and remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gridwatch.bridge.config import Broker, Config, read_config
from gridwatch.bridge.rules import DEFAULT_RULES, Rule
from gridwatch.errors import UsageProblem

RULE = '[[rule]]\nname = "r"\nfilter = "a/+"\nkind = "energy"\n'
SECRET = "hunter2"


def written(folder: Path, text: str) -> Path:
    file = folder / "bridge.toml"
    file.write_text(text, encoding="utf-8")
    return file


def read(folder: Path, text: str) -> Config:
    return read_config(written(folder, text))


def refused(folder: Path, text: str) -> str:
    """The error that a file is; it names the file, and has a remedy."""
    with pytest.raises(UsageProblem) as problem:
        read(folder, text)
    assert str(folder / "bridge.toml") in problem.value.message
    assert problem.value.remedy
    assert SECRET not in str(problem.value)
    return problem.value.message


def test_every_key_is_read(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    (tmp_path / "password").write_text(f"{SECRET}\n")
    config = read(
        tmp_path,
        """
[mqtt]
url = "mqtts://broker.example:8884"
client_id = "bridge-1"
username = "gridwatch"
password_file = "password"
version = "5"
session_expiry = "2d"
keep_alive = "45s"
share = "home"
ca_file = "ca.pem"
cert_file = "cert.pem"
key_file = "key.pem"

[[rule]]
name = "plugs"
filter = "tele/+/SENSOR"
kind = "energy"
format = "tasmota"
device = -2
readings = false
interval = "10s"
zone = "Europe/Berlin"

[[rule]]
name = "attic"
filter = "attic"
kind = "temperature"
format = "value"
field = "temperature_c"
device = 0
""",
    )
    assert config.broker == Broker(
        host="broker.example",
        port=8884,
        tls=True,
        client_id="bridge-1",
        username="gridwatch",
        password=SECRET,
        version="5",
        session_seconds=2 * 86_400,
        keep_alive=45,
        share="home",
        ca_file=str(tmp_path / "ca.pem"),
        cert_file=str(tmp_path / "cert.pem"),
        key_file=str(tmp_path / "key.pem"),
    )
    assert config.rules == (
        Rule("plugs", "tele/+/SENSOR", "energy", "tasmota", -2, None, False, 10, "Europe/Berlin"),
        Rule("attic", "attic", "temperature", "value", 0, "temperature_c"),
    )
    assert config.broker.subscription("a/#") == "$share/home/a/#"


@pytest.mark.parametrize("text", ["", "[mqtt]\n", "rule = []"])
def test_without_keys_everything_has_its_default(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == Config(Broker(), DEFAULT_RULES)
    assert Broker().subscription("a/#") == "a/#"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[mqtt]\nport = 1", "[mqtt]: port is no key that is known here"),
        ("[other]\n", "other is no key"),
        ("mqtt = 3", "mqtt must be a table"),
        ("[rule]\nname = 'r'", "rule must be tables that begin with [[rule]]"),
        ("rule = [1]", "[[rule]] 1 is no table"),
        ("[mqtt]\nurl = 3", "[mqtt]: url must be text"),
        ("[mqtt]\nurl = 'http://h'", "[mqtt]: url must be mqtt://host:port"),
        ("[mqtt]\nurl = 'mqtt://'", "[mqtt]: url"),
        ("[mqtt]\nurl = 'mqtt://h:99999'", "[mqtt]: url"),
        ("[mqtt]\nurl = 'mqtt://h:0'", "[mqtt]: url"),
        ("[mqtt]\nurl = 'mqtt://h/topic'", "[mqtt]: url"),
        ("[mqtt]\nurl = 'mqtt://h?tls=1'", "[mqtt]: url"),
        ("[mqtt]\nurl = 'mqtt://[h'", "[mqtt]: url"),
        (f"[mqtt]\nurl = 'mqtt://user:{SECRET}@h'", "[mqtt]: url"),
        ("[mqtt]\nurl = 'mqtt://user@h'", "[mqtt]: url"),
        (f"[mqtt]\nurl = ['mqtt://user:{SECRET}@h']", "[mqtt]: url must be text"),
        (f"[mqtt]\npassword = '{SECRET}'", "[mqtt]: password is no key: use password_file"),
        ("[mqtt]\nclient_id = ''", "[mqtt]: client_id must be 1 to 65 letters"),
        ("[mqtt]\nclient_id = 'a b'", "[mqtt]: client_id"),
        (f"[mqtt]\nclient_id = '{'x' * 66}'", "[mqtt]: client_id"),
        ("[mqtt]\nusername = 3", "[mqtt]: username must be text"),
        ("[mqtt]\npassword_file = 'none'", "[mqtt]: password_file cannot be read: No such file"),
        ("[mqtt]\npassword_file = 'binary'", "[mqtt]: password_file is not text in UTF-8"),
        ('[mqtt]\npassword_file = "a\\u0000"', "[mqtt]: password_file cannot be read"),
        ("[mqtt]\nca_file = 'none'", "[mqtt]: ca_file cannot be read: No such file"),
        ("[mqtt]\ncert_file = '.'", "[mqtt]: cert_file cannot be read: Is a directory"),
        ("[mqtt]\ncert_file = 'binary'", "[mqtt]: cert_file goes with key_file"),
        ("[mqtt]\nkey_file = 'binary'", "[mqtt]: cert_file goes with key_file"),
        ("[mqtt]\nversion = '4'", "[mqtt]: version must be 5 or 3.1.1"),
        ("[mqtt]\nversion = 5", "[mqtt]: version must be text"),
        ("[mqtt]\nversion = '3.1.1'\nshare = 'a'", "[mqtt]: share needs MQTT 5"),
        ("[mqtt]\nshare = 'a/b'", "[mqtt]: share must be a name"),
        ("[mqtt]\nsession_expiry = '0s'", "[mqtt]: session_expiry a duration must be greater than 0"),
        ("[mqtt]\nsession_expiry = 'x'", "[mqtt]: session_expiry"),
        ("[mqtt]\nsession_expiry = true", "[mqtt]: session_expiry must be a duration"),
        ("[mqtt]\nsession_expiry = '60000d'", "[mqtt]: session_expiry must be at least 1 s, and at most"),
        ("[mqtt]\nkeep_alive = '1d'", "[mqtt]: keep_alive must be at least 1 s, and at most 65535 s"),
        ("[mqtt]\nkeep_alive = '10ms'", "[mqtt]: keep_alive must be at least 1 s"),
        ("[[rule]]\nfilter = 'a'\nkind = 'energy'", "[[rule]] 1: name is missing"),
        ("[[rule]]\nname = 'r'\nkind = 'energy'", "[[rule]] 1: filter is missing"),
        ("[[rule]]\nname = 'r'\nfilter = 'a'", "[[rule]] 1: kind is missing"),
        (RULE.replace('"r"', '"r r"'), "[[rule]] 1: name must be 1 to 64 letters"),
        (RULE.replace("a/+", "a+"), "[[rule]] 1: filter has a + that is not a whole level"),
        (RULE.replace("a/+", "$share/g/a"), "[[rule]] 1: filter begins with $share"),
        (RULE.replace("energy", "water"), "[[rule]] 1: kind must be one of energy, heatpump, temperature"),
        (RULE + "format = 'xml'", "[[rule]] 1: format must be one of json, tasmota"),
        (RULE + "device = '1'", "[[rule]] 1: device must be the place of a level"),
        (RULE + "device = true", "[[rule]] 1: device must be"),
        (RULE + "device = 1.0", "[[rule]] 1: device must be"),
        (RULE + "readings = 1", "[[rule]] 1: readings must be true or false"),
        (RULE + "interval = 'x'", "[[rule]] 1: interval"),
        (RULE + "zone = 'Mars'", "[[rule]] 1: zone must be a time zone"),
        (RULE + "field = 1", "[[rule]] 1: field must be text"),
        (RULE + "colour = 1", "[[rule]] 1: colour is no key that is known here"),
        (RULE + RULE.replace('"r"', '"s"') + "x = 1", "[[rule]] 2: x is no key"),
        ("[mqtt", "is not TOML"),
        ("a = 1\na = 2", "is not TOML"),
    ],
)
def test_every_mistake_names_its_file_table_and_key(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "binary").write_bytes(SECRET.encode() + b"\xff")
    assert named in refused(tmp_path, text)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"none\.toml cannot be read"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(UsageProblem, match="cannot be read"):
        read_config(tmp_path)
    (tmp_path / "bridge.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageProblem, match="is not TOML"):
        read_config(tmp_path / "bridge.toml")


def test_the_example_of_the_module_can_be_read(tmp_path: Path) -> None:
    from gridwatch.bridge import config

    lines = (config.__doc__ or "").splitlines()[2:]
    text = "\n".join(line.split("   ")[0] for line in lines)
    assert tomllib.loads(text)
    assert read(tmp_path, text).rules[0].format == "tasmota"
