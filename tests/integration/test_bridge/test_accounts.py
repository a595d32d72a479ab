"""TLS and accounts of the MQTT broker, with a real Mosquitto."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.entrances.mosquitto import Mosquitto
from gridwatch.deployment.polling import until
from gridwatch.embedded.ports import LOOPBACK
from tests.integration.test_bridge.home import SECONDS, Home, at, message
from tests.mosquitto import needs_mosquitto
from tests.processes import Site

pytestmark = [pytest.mark.integration, needs_mosquitto]

RIGHT, WRONG = "hunter2", "hunter3"


def run(*command: str | Path) -> None:
    program = shutil.which(str(command[0]))
    assert program, f"{command[0]} is not installed: apt-get install openssl mosquitto"
    subprocess.run([program, *command[1:]], check=True, capture_output=True)


def certificates(folder: Path) -> None:
    """A CA and a certificate of it for loopback, valid for a day."""
    ca, key, request = folder / "ca.pem", folder / "key.pem", folder / "request.pem"
    new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes")
    run(*new, "-x509", "-days", "1", "-subj", "/CN=home", "-keyout", folder / "ca-key.pem", "-out", ca)
    run(*new, "-subj", f"/CN={LOOPBACK}", "-keyout", key, "-out", request)
    names = folder / "names"
    names.write_text(f"subjectAltName=IP:{LOOPBACK}\n")
    signed = (
        "openssl",
        "x509",
        "-req",
        "-days",
        "1",
        "-in",
        request,
        "-CA",
        ca,
        "-CAkey",
        folder / "ca-key.pem",
    )
    run(*signed, "-CAcreateserial", "-extfile", names, "-out", folder / "cert.pem")


def account(folder: Path, password: str) -> None:
    run("mosquitto_passwd", "-b", "-c", folder / "accounts", "gridwatch", password)


class Guarded:
    """A Mosquitto with a listener of TLS, on which one account may do everything, and a plain one inside."""

    def __init__(self, folder: Path) -> None:
        certificates(folder)
        account(folder, RIGHT)
        self.folder = folder
        options = [f"{name} {folder / file}" for name, file in _FILES.items()]
        self.mosquitto = Mosquitto(folder / "mosquitto", options=["allow_anonymous false", *options])


_FILES = {"cafile": "ca.pem", "certfile": "cert.pem", "keyfile": "key.pem", "password_file": "accounts"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    one = Guarded(tmp_path)
    with one.mosquitto:
        yield one


def publish(guarded: Guarded, number: int) -> None:
    """As a device with the account."""
    account = ("-u", "gridwatch", "-P", RIGHT, "--cafile", guarded.folder / "ca.pem")
    place = ("-h", LOOPBACK, "-p", str(guarded.mosquitto.port), "-t", "homelab/energy/a", "-q", "1")
    run("mosquitto_pub", *account, *place, "-m", message(number).decode())


class Outside(Home):
    """A home whose devices are not ours."""

    def __init__(self, site: Site, guarded: Guarded) -> None:
        self.name = f"tls-{guarded.mosquitto.port}"
        self.site, self.mosquitto, self.folder = site, guarded.mosquitto, guarded.folder
        self.bridges = []
        self.url = f"mqtts://{LOOPBACK}:{guarded.mosquitto.port}"

    def __exit__(self, *_: object) -> None:
        for bridge in self.bridges:
            bridge.kill()


def test_tls_with_a_ca_of_ones_own_and_an_account(site: Site, guarded: Guarded) -> None:
    (guarded.folder / "password").write_text(f"{RIGHT}\n")
    with Outside(site, guarded) as home:
        lines = 'username = "gridwatch"\npassword_file = "password"\nca_file = "ca.pem"'
        bridge = home.bridge(lines, mqtt_url=home.url).start().wait_until_ready()
        for number in range(5):
            publish(guarded, number)
        home.wait_for([("a", at(number)) for number in range(5)])
        assert RIGHT not in bridge.excerpt()


def test_a_ca_that_is_not_known_is_named_and_the_service_stays(site: Site, guarded: Guarded) -> None:
    with Outside(site, guarded) as home:
        bridge = home.bridge('username = "gridwatch"', mqtt_url=home.url, mqtt_password=RIGHT).start()
        until("it says why", lambda: "certificate" in str(reasons(bridge)), SECONDS, transient=(OSError,))
        assert bridge.status("/live/") == 200


def test_a_wrong_password_is_named_and_the_right_one_connects(site: Site, guarded: Guarded) -> None:
    account(guarded.folder, WRONG)
    os.kill(guarded.mosquitto.pid, signal.SIGHUP)
    with Outside(site, guarded) as home:
        lines = 'username = "gridwatch"\nca_file = "ca.pem"'
        bridge = home.bridge(lines, mqtt_url=home.url, mqtt_password=RIGHT).start()
        until("it says why", lambda: "uthori" in str(reasons(bridge)), SECONDS, transient=(OSError,))
        assert bridge.status("/ready/") == 503 and bridge.status("/live/") == 200
        assert RIGHT not in str(reasons(bridge)) + bridge.excerpt()
        account(guarded.folder, RIGHT)
        os.kill(guarded.mosquitto.pid, signal.SIGHUP)
        bridge.wait_until_ready()
        publish(guarded, 1)
        home.wait_for([("a", at(1))])


def reasons(bridge: object) -> object:
    return bridge.page("/ready/")["reasons"]  # type: ignore[attr-defined]
