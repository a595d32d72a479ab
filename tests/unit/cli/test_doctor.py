"""The doctor: each finding is right, has a remedy when something is wrong, and no check blocks it."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from gridwatch.cli.commands import doctor as command
from gridwatch.cli.doctor import diagnosis
from gridwatch.cli.doctor.api_versions import kafka_release, parse_features, release_of
from gridwatch.cli.doctor.clocks import check_clock
from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.cli.doctor.services import check_partitions, check_sink, check_worker, pages_url
from gridwatch.settings import Settings, load_settings

Pages = dict[str, tuple[int, object]]


@contextmanager
def served(pages: Pages) -> Iterator[int]:
    """These pages (path without query: status, JSON) on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, answer = pages.get(self.path.partition("?")[0], (404, {}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _row(partition: int, owner: str | None = "http://127.0.0.1:1") -> dict[str, object]:
    return {"partition": partition, "owner": owner, "watermark": "2024-01-01T10:00:00Z", "lag": 0}


def test_a_ready_worker_with_all_partitions_is_good() -> None:
    pages: Pages = {
        "/ready/": (200, {"ready": True, "reasons": []}),
        "/partitions/": (200, {"partitions": [_row(number) for number in range(6)]}),
    }
    with served(pages) as port:
        findings = check_worker(load_settings(web_port=port))
    assert [finding.ok for finding in findings] == [True, True]
    assert findings[1].details["partitions"][0]["watermark"] == "2024-01-01T10:00:00Z"


def test_reasons_of_a_worker_that_is_not_ready_are_reported() -> None:
    pages: Pages = {"/ready/": (503, {"ready": False, "reasons": ["state is being recovered"]})}
    with served(pages) as port:
        finding = check_worker(load_settings(web_port=port))[0]
    assert not finding.ok
    assert "state is being recovered" in finding.message
    assert finding.remedy


def test_another_server_on_the_port_is_not_mistaken_for_a_worker() -> None:
    with served({"/ready/": (200, b"<html>hello</html>")}) as port:
        findings = check_worker(load_settings(web_port=port))
    assert [finding.ok for finding in findings] == [False]


def test_a_service_that_does_not_answer_is_reported_with_its_address_and_how_to_start_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        finding = check_sink(load_settings(sink_web_port=port))[0]
    assert not finding.ok
    assert f"127.0.0.1:{port}" in finding.message
    assert "gridwatch sink" in finding.remedy


@pytest.mark.parametrize("rows", [[_row(0)], [_row(0), _row(1, None)], []])
def test_a_partition_without_owner_is_wrong(rows: list[dict[str, object]]) -> None:
    finding = check_partitions(rows, 2)
    assert not finding.ok
    assert "1" in finding.message


def test_pages_bound_to_all_interfaces_are_read_on_loopback() -> None:
    assert pages_url(load_settings(web_host="0.0.0.0"), 1) == "http://127.0.0.1:1"


@pytest.mark.parametrize("ahead", [-60.0, 60.0])
def test_a_clock_a_minute_off_is_wrong_either_way(ahead: float) -> None:
    finding = check_clock("clock", ahead, "the database at x")
    assert not finding.ok
    assert "60 s" in finding.message


def test_a_clock_a_second_off_is_good() -> None:
    assert check_clock("clock", -1.0, "the database at x").ok


@pytest.mark.parametrize(
    ("level", "release"),
    [(7, "Kafka 3.3"), (19, "Kafka 3.7"), (22, "Kafka 4.0"), (27, "Kafka 4.1"), (90, "Kafka later than 4.1")],
)
def test_the_release_of_a_broker_is_known_by_its_metadata_level(level: int, release: str) -> None:
    assert release_of(level) == release


def test_other_features_are_skipped() -> None:
    apis = bytes([3]) + struct.pack(">hhh", 0, 0, 9) + b"\0" + struct.pack(">hhh", 18, 0, 4) + b"\0"
    supported = bytes([2, 17]) + b"metadata.version" + struct.pack(">hh", 1, 27) + b"\0"
    tags = bytes([2]) + bytes([1, 8]) + struct.pack(">q", 5) + bytes([0, len(supported)]) + supported
    answer = struct.pack(">ih", 1, 0) + apis + struct.pack(">i", 0) + tags
    assert parse_features(answer) == {"metadata.version": 27}


@pytest.mark.parametrize("answer", [b"", b"\0\0\0\1\0\0\5"])
def test_a_truncated_answer_is_an_os_error(answer: bytes) -> None:
    with pytest.raises(OSError, match="too soon"):
        parse_features(answer)


def test_a_broker_that_closes_the_connection_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        with pytest.raises((OSError, struct.error)):
            kafka_release(load_settings(broker=f"127.0.0.1:{listening.getsockname()[1]}"))
        hanging_up.join()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces what the doctor checks at."""

    def replace(**checks: object) -> None:
        monkeypatch.setattr(diagnosis, "CHECKS", checks)

    return replace


def test_a_check_that_hangs_is_a_finding_and_blocks_no_other(checks: Callable[..., None]) -> None:
    let_go = threading.Event()

    def hang(_settings: Settings) -> list[Finding]:
        let_go.wait(60)
        return []

    checks(broker=hang, sink=lambda _settings: [good("sink", "ready")])
    began = time.monotonic()
    found = diagnosis.diagnose(load_settings(), limit=0.3)
    let_go.set()
    assert time.monotonic() - began < 10
    answers = {finding.check: finding.ok for finding in found.findings}
    assert answers == {"versions": True, "broker": False, "sink": True}
    assert not found.ok


def test_a_check_that_fails_is_a_finding(checks: Callable[..., None]) -> None:
    def fail(_settings: Settings) -> list[Finding]:
        raise ZeroDivisionError("a bug")

    checks(broker=fail)
    finding = diagnosis.diagnose(load_settings()).findings[-1]
    assert not finding.ok
    assert "a bug" in finding.message


def test_exit_code_and_json_follow_the_findings(checks: Callable[..., None]) -> None:
    checks(sink=lambda _settings: [wrong("sink", "not there", "start it", url="x")])
    ended = CliRunner().invoke(command.command, ["--json"])
    assert ended.exit_code == 1
    answer = json.loads(ended.stdout)
    assert answer["ok"] is False
    assert answer["findings"][-1] == {
        "check": "sink",
        "ok": False,
        "message": "not there",
        "remedy": "start it",
        "details": {"url": "x"},
    }
    checks(sink=lambda _settings: [good("sink", "ready")])
    assert CliRunner().invoke(command.command, []).exit_code == 0


def test_every_wrong_finding_is_shown_with_its_remedy(checks: Callable[..., None]) -> None:
    checks(sink=lambda _settings: [wrong("sink", "not there", "start it")])
    shown = CliRunner().invoke(command.command, []).stdout
    assert "WRONG sink" in shown
    assert "remedy: start it" in shown


def test_partitions_are_shown_as_a_table(checks: Callable[..., None]) -> None:
    checks(worker=lambda _settings: [good("partitions", "2", partitions=[_row(0), _row(1, None)])])
    lines = CliRunner().invoke(command.command, []).stdout.splitlines()
    assert lines[-3].split()[:2] == ["partition", "watermark"]
    assert lines[-1].split()[:2] == ["1", "2024-01-01T10:00:00Z"]
