"""The configuration of a bridge: a TOML file, whose every mistake is named with its key and the remedy.

[mqtt]                                  where the broker is, and who we are
url = "mqtts://broker.example:8883"
client_id = "gridwatch-bridge"
username = "gridwatch"                  the password: GRIDWATCH_MQTT_PASSWORD, or `password_file`

[[rule]]                                what becomes of messages; without any, those of `homelab/…`
name = "plugs"
filter = "tele/+/SENSOR"
kind = "energy"
format = "tasmota"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gridwatch.bridge.filters import levels_of, overlap, problem_of
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.rules import DEFAULT_RULES, TOPICS, Rule
from gridwatch.domain.calendar import is_zone
from gridwatch.domain.policy import SECOND
from gridwatch.durations import micros, parse_duration
from gridwatch.errors import UsageProblem

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS: Final = ("5", "3.1.1")
#: MQTT has 32 bits for the first, the largest number of which is for ever, and 16 for the second.
_MOST_SESSION_SECONDS: Final = 2**32 - 2
_MOST_KEEP_ALIVE: Final = 2**16 - 1
_MOST_INTERVAL: Final = 366 * 86_400
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,65}")


@dataclass(frozen=True)
class Broker:
    """Where the MQTT broker is and who the bridge is to it.

    session_seconds: how long the broker keeps messages for a bridge that is away.
    share: the group of bridges that share the messages; empty: this one has them all.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    tls: bool = False
    client_id: str = "gridwatch-bridge"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    version: str = "5"
    session_seconds: int = 7 * 86_400
    keep_alive: int = 30
    share: str = ""
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def address(self) -> str:
        """As messages name it."""
        return f"{self.host}:{self.port}"

    def subscription(self, filter_: str) -> str:
        """What is subscribed to for a filter."""
        return f"$share/{self.share}/{filter_}" if self.share else filter_


@dataclass(frozen=True)
class Config:
    """A broker and rules."""

    broker: Broker = Broker()
    rules: tuple[Rule, ...] = DEFAULT_RULES


class _Table:
    """One table of the file: takes values out of it, and refuses what is left."""

    def __init__(self, where: str, values: Any) -> None:
        self._where = where
        if not isinstance(values, dict):
            raise UsageProblem(f"{where} is no table", f"write [{where}] above its keys")
        self._values: dict[str, Any] = dict(values)

    def take(self, name: str, kind: type | tuple[type, ...], what: str) -> Any:
        """A value of this type; None if there is none."""
        value = self._values.pop(name, None)
        if value is not None and (
            not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool)
        ):
            # The value is not shown: it may have a password.
            raise self.problem(name, f"must be {what}, not of the type {type(value).__name__}")
        return value

    def text(self, name: str) -> str | None:
        """A text; None if there is none."""
        return self.take(name, str, "text")  # type: ignore[no-any-return]

    def checked(self, name: str, is_good: Callable[[str], Any], allowed: str) -> str | None:
        """A text that is allowed; None if there is none."""
        value = self.text(name)
        if value is not None and not is_good(value):
            raise self.problem(name, f"must be {allowed}, not {value!r}")
        return value

    def duration(self, name: str, most: int) -> int | None:
        """A duration in whole seconds; None if there is none."""
        value = self.take(name, (str, int), "a duration such as 7d or 10s")
        if value is None:
            return None
        try:
            seconds = micros(parse_duration(str(value))) // SECOND
        except (ValueError, OverflowError) as error:
            raise self.problem(name, str(error)) from None
        if not 1 <= seconds <= most:
            raise self.problem(name, f"must be at least 1 s, and at most {most} s")
        return seconds

    def file(self, name: str, folder: Path) -> Path | None:
        """A file that can be read, relative to the folder; None if there is none."""
        value = self.text(name)
        if value is None:
            return None
        try:
            with (folder / value).open("rb"):
                return folder / value
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or "it is no name of a file"
            raise self.problem(name, f"cannot be read: {what}") from None

    def problem(self, name: str, what: str) -> UsageProblem:
        """The error about one of its values."""
        return UsageProblem(f"{self._where}: {name} {what}", "correct it; docs/mqtt.md has every key")

    def end(self) -> None:
        """UsageProblem if something is left."""
        for name in self._values:
            raise self.problem(name, "is no key that is known here")


def read_config(path: Path, password: str | None = None) -> Config:
    """The configuration in a file. UsageProblem when it is not one.

    password: of the settings; the file may name another one's file.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}", "name another --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path} is not TOML: {error}", "correct it") from error
    whole = _Table(str(path), content)
    mqtt = whole.take("mqtt", dict, "a table")
    rules = whole.take("rule", list, "tables that begin with [[rule]]")
    whole.end()
    return Config(
        read_broker(mqtt or {}, f"{path}: [mqtt]", password, path.parent),
        tuple(_rule(values, f"{path}: [[rule]] {number}") for number, values in enumerate(rules, 1))
        if rules
        else DEFAULT_RULES,
    )


def read_broker(values: Mapping[str, Any], where: str, password: str | None, folder: Path) -> Broker:
    """The broker of a table."""
    table, given = _Table(where, values), dict[str, Any]()
    url = table.text("url")
    given |= {} if url is None else address_in(url, where)
    given["client_id"] = table.checked(
        "client_id", _CLIENT_ID.fullmatch, "1 to 65 letters, digits, dots, hyphens and underscores"
    )
    given["username"] = table.text("username")
    given["version"] = table.checked("version", _VERSIONS.__contains__, " or ".join(_VERSIONS))
    given["session_seconds"] = table.duration("session_expiry", _MOST_SESSION_SECONDS)
    given["keep_alive"] = table.duration("keep_alive", _MOST_KEEP_ALIVE)
    given["share"] = table.checked("share", _NAME.fullmatch, "a name of letters and digits")
    for name in ("ca_file", "cert_file", "key_file"):
        given[name] = None if (file := table.file(name, folder)) is None else str(file)
    file = table.file("password_file", folder)
    if file is not None:
        try:
            password = file.read_text(encoding="utf-8").rstrip("\r\n")
        except UnicodeDecodeError:  # its text would have the bytes
            raise table.problem("password_file", "is not text in UTF-8") from None
    given["password"] = password
    if "password" in values:
        raise table.problem("password", "is no key: use password_file, or GRIDWATCH_MQTT_PASSWORD")
    table.end()
    if given["share"] and given["version"] == "3.1.1":
        raise table.problem("share", "needs MQTT 5: leave out version")
    if bool(given["cert_file"]) != bool(given["key_file"]):
        raise table.problem("cert_file", "goes with key_file")
    return Broker(**{name: value for name, value in given.items() if value is not None})


def address_in(url: str, where: str) -> dict[str, Any]:
    """Host, port and tls of a URL. UsageProblem when it is none, without it: it may have a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme not in _PORTS
        or not parts.hostname
        or "@" in parts.netloc
        or port == 0
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise UsageProblem(
            f"{where}: url must be mqtt://host:port or mqtts://host:port",
            "write user name and password by username and GRIDWATCH_MQTT_PASSWORD",
        )
    return {"host": parts.hostname, "port": port or _PORTS[parts.scheme], "tls": parts.scheme == "mqtts"}


def _rule(values: Any, where: str) -> Rule:
    table, given = _Table(where, values), dict[str, Any]()
    for name in ("name", "filter", "kind"):
        given[name] = table.text(name)
        if not given[name]:
            raise table.problem(name, "is missing")
    if not _NAME.fullmatch(given["name"]):
        raise table.problem("name", "must be 1 to 64 letters, digits, dots, hyphens and underscores")
    problem = problem_of(given["filter"])
    if problem:
        raise table.problem("filter", problem)
    if given["kind"] not in TOPICS:
        raise table.problem("kind", f"must be one of {', '.join(TOPICS)}, not {given['kind']!r}")
    given["format"] = table.checked("format", FORMATS.__contains__, f"one of {', '.join(FORMATS)}")
    given["device"] = table.take("device", int, "the place of a level, from 0 on")
    given["field"] = table.text("field")
    given["readings"] = table.take("readings", bool, "true or false")
    given["interval"] = table.duration("interval", _MOST_INTERVAL)
    given["zone"] = table.checked("zone", is_zone, "a time zone such as Europe/Berlin")
    table.end()
    return Rule(**{name: value for name, value in given.items() if value is not None})


def check_rules(rules: tuple[Rule, ...]) -> None:
    """UsageProblem where two rules have one name, or filters that overlap: a broker may deliver a message
    once for each, and then it would count twice."""
    for at, rule in enumerate(rules):
        for other in rules[:at]:
            if rule.name == other.name:
                raise UsageProblem(f"two rules have the name {rule.name}", "give each a name of its own")
            if rule.filter != other.filter and overlap(levels_of(rule.filter), levels_of(other.filter)):
                raise UsageProblem(
                    f"the filters of {other.name} ({other.filter}) and {rule.name} ({rule.filter}) overlap",
                    "give both rules the same filter, or narrow one of them",
                )
