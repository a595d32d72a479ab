"""Security: one description, and what each client library gets of it under each protocol."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from gridwatch.kafka import security
from gridwatch.kafka.security import Security, aiokafka_config, librdkafka_config
from gridwatch.settings import Settings, load_settings

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
TLS = ("SSL", "SASL_SSL")
SASL = ("SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PASSWORD = "hunter2"
FILES = {"ssl_cafile": Path("ca.pem"), "ssl_certfile": Path("cert.pem"), "ssl_keyfile": Path("key.pem")}


def settings(protocol: str, **more: Any) -> Settings:
    """Settings of a client that logs in as `meter`, whatever the protocol makes of it."""
    usual = {
        "broker": "kafka://a:1,b:2",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": "meter",
        "sasl_password": PASSWORD,
    }
    return load_settings(security_protocol=protocol, **usual | more)


class Context:
    """An ssl.SSLContext that only remembers which files it was given."""

    def __init__(self, cafile: Path | None) -> None:
        self.files: list[Path | None] = [cafile]

    def load_cert_chain(self, certfile: Path, keyfile: Path | None) -> None:
        self.files += [certfile, keyfile]


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> list[Context]:
    """Every context that is made."""
    made: list[Context] = []

    def create(*, cafile: Path | None) -> Context:
        made.append(Context(cafile))
        return made[-1]

    monkeypatch.setattr(security.ssl, "create_default_context", create)
    return made


@pytest.mark.parametrize(
    ("protocol", "more"),
    [
        ("PLAINTEXT", {}),
        ("SSL", {}),
        (
            "SASL_PLAINTEXT",
            {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "meter", "sasl.password": PASSWORD},
        ),
        (
            "SASL_SSL",
            {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "meter", "sasl.password": PASSWORD},
        ),
    ],
)
def test_librdkafka_gets_addresses_protocol_and_login(protocol: str, more: dict[str, str]) -> None:
    expected = {"bootstrap.servers": "a:1,b:2", "security.protocol": protocol} | more
    assert librdkafka_config(settings(protocol)) == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_aiokafka_gets_addresses_protocol_login_and_a_context(protocol: str, contexts: list[Context]) -> None:
    expected: dict[str, Any] = {"bootstrap_servers": "a:1,b:2", "security_protocol": protocol}
    given = aiokafka_config(settings(protocol))
    if protocol in TLS:
        expected["ssl_context"] = contexts[0]
    if protocol in SASL:
        expected |= {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "meter",
            "sasl_plain_password": PASSWORD,
        }
    assert given == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_faust_gets_credentials_of_the_same_protocol(protocol: str, contexts: list[Context]) -> None:
    credentials = Security.of(settings(protocol)).faust()
    if protocol == "PLAINTEXT":
        assert credentials is None
        return
    assert credentials.protocol.value == protocol
    if protocol in SASL:
        assert isinstance(credentials, faust.SASLCredentials)
        assert (credentials.username, credentials.password) == ("meter", PASSWORD)
        assert credentials.mechanism.value == "SCRAM-SHA-512"
        assert credentials.ssl_context is (contexts[0] if protocol in TLS else None)
    else:
        assert isinstance(credentials, faust.SSLCredentials)
        assert credentials.context is contexts[0]


@pytest.mark.parametrize("protocol", TLS)
@pytest.mark.parametrize(
    "files",
    [{}, {"ssl_cafile": FILES["ssl_cafile"]}, FILES, {k: FILES[k] for k in ("ssl_certfile", "ssl_keyfile")}],
    ids=lambda files: "+".join(files) or "none",
)
def test_certificates_reach_every_form(
    protocol: str, files: dict[str, Path], contexts: list[Context]
) -> None:
    secured = settings(protocol, **files)
    aiokafka_config(secured)
    Security.of(secured).faust()
    expected: list[Path | None] = [files.get("ssl_cafile")]
    if "ssl_certfile" in files:
        expected += [files["ssl_certfile"], files["ssl_keyfile"]]
    assert [context.files for context in contexts] == [expected, expected]
    conf = librdkafka_config(secured)
    keys = {
        "ssl_cafile": "ssl.ca.location",
        "ssl_certfile": "ssl.certificate.location",
        "ssl_keyfile": "ssl.key.location",
    }
    assert {key: conf.get(key) for key in keys.values()} == {
        key: str(files[name]) if name in files else None for name, key in keys.items()
    }


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_no_file_is_read_without_tls(protocol: str, contexts: list[Context]) -> None:
    secured = settings(protocol, **FILES)
    assert not any(key.startswith("ssl") for key in librdkafka_config(secured) | aiokafka_config(secured))
    Security.of(secured).faust()
    assert contexts == []


@pytest.mark.parametrize("protocol", TLS)
def test_brokers_are_verified_by_name_and_certificate(protocol: str) -> None:
    context = Security.of(settings(protocol)).ssl_context()
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("key", ["ssl_cafile", "ssl_certfile"])
def test_a_file_that_is_not_there_is_an_error_of_the_system(key: str, tmp_path: Path) -> None:
    missing = Security.of(settings("SSL", **{key: tmp_path / "missing.pem"}))
    with pytest.raises(OSError, match="No such file"):
        missing.ssl_context()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_each_library_accepts_its_form(protocol: str, mechanism: str) -> None:
    secured = settings(protocol, sasl_mechanism=mechanism, broker="127.0.0.1:1")
    silent = {"log_level": 0, "error_cb": lambda _error: None}
    Producer(librdkafka_config(secured) | silent)
    AdminClient(librdkafka_config(secured) | silent)

    async def connectable() -> None:
        for client in (AIOKafkaProducer, AIOKafkaConsumer):
            await client(**aiokafka_config(secured)).stop()

    asyncio.run(connectable())
    credentials = Security.of(secured).faust()
    if protocol in SASL:
        assert credentials.mechanism.value == mechanism


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_password_is_never_shown(protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    one = Security.of(settings(protocol))
    credentials = one.faust()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("any").warning("%s %r %s", one, one, credentials)
        aiokafka_config(settings(protocol))
        librdkafka_config(settings(protocol))
    assert PASSWORD not in caplog.text
    assert PASSWORD not in f"{one} {one!r} {credentials} {credentials!r}"


def test_replay_is_not_made_to_wait_for_faust() -> None:
    look = "import sys, gridwatch.kafka.producers; assert 'faust' not in sys.modules"
    subprocess.run([sys.executable, "-c", look], check=True)
