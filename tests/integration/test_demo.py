"""`gridwatch demo` as a user runs it: it finds everything, and cleans up however it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridwatch.embedded.jars import cache_folder
from gridwatch.settings import PREFIX

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

_SMALL = ("--meters", "6", "--days", "1")
_GONE_SECONDS = 60.0


class Place:
    """Where one demo runs: a current folder, a home, and a folder for what is temporary, all of its own."""

    def __init__(self, folder: Path) -> None:
        self.here, self.home, self.temporary = (folder / name for name in ("here", "home", "temporary"))
        for one in (folder, self.here, self.home, self.temporary):
            one.mkdir(exist_ok=True)
            one.chmod(0o755)  # the user that PostgreSQL runs as when we are root passes through
        kept = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        self.env = kept | {
            "TMPDIR": str(self.temporary),
            "HOME": str(self.home),
            "GRIDWATCH_CACHE": str(cache_folder()),
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gridwatch", "demo", *_SMALL, *arguments],
            env=self.env | env,
            cwd=self.here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> list[str]:
        """The command of every process started from here: they all inherit where temporary files go."""
        mark = f"TMPDIR={self.temporary}\0".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in process.joinpath("environ").read_bytes():
                    found.append(process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # it has ended, or is somebody else's
        return found

    def assert_nothing_is_left(self, *, temporary: bool = True) -> None:
        assert self.processes() == []
        assert list(self.home.iterdir()) == []
        if temporary:
            assert list(self.temporary.iterdir()) == []


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="gridwatch-test-"))
    yield Place(folder)
    shutil.rmtree(folder)


def _read_until(demo: subprocess.Popen[str], wanted: str) -> str:
    """What it says up to a line with `wanted` in it."""
    printed = ""
    assert demo.stdout is not None
    for line in demo.stdout:
        printed += line
        if wanted in line:
            return printed
    raise AssertionError(f"it ended with {demo.wait()} without printing {wanted!r}:\n{printed}")


def test_everything_injected_is_found_also_without_java_and_maven_on_the_path(place: Place) -> None:
    demo = place.start(PATH=str(Path(sys.executable).parent))
    printed, _ = demo.communicate(timeout=200)
    assert demo.returncode == 0, printed
    scored = [
        line
        for line in printed.splitlines()
        if re.search(r"│ (gaps|late readings) .*│ +1\.000 │ +1\.000 │", line)
    ]
    assert len(scored) == 2, printed
    assert f"report: {place.here}/gridwatch-report.html" in printed
    assert [path.name for path in place.here.iterdir()] == ["gridwatch-report.html"]
    report = (place.here / "gridwatch-report.html").read_text()
    assert report.count("<svg") == 4 + 2 * 2
    assert not re.search(r"(?:src|href)=|url\(|@import|<script", report), "it loads something"
    assert "METER_0001" in report
    place.assert_nothing_is_left()


def test_a_kept_demo_can_be_used_until_ctrl_c(place: Place) -> None:
    demo = place.start("--keep")
    printed = _read_until(demo, "running until Ctrl-C")
    settings = dict(re.findall(r"export (GRIDWATCH_\w+)=(\S+)", printed))
    doctor = subprocess.run(
        [sys.executable, "-m", "gridwatch", "doctor", "--json"],
        env=place.env | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    findings = {finding["check"]: finding for finding in json.loads(doctor.stdout)["findings"]}
    partitions = findings["partitions"]["details"]["partitions"]
    assert len(partitions) == 6
    assert all(row["lag"] == 0 for row in partitions)
    assert any(row["watermark"] for row in partitions)
    page = re.search(r"pages of the worker: (\S+)", printed)
    assert page is not None
    with urllib.request.urlopen(f"{page[1]}meters/METER_0001/?format=json", timeout=10) as answer:
        assert json.load(answer)["meter_id"] == "METER_0001"
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=90)
    assert demo.returncode == 0, rest
    place.assert_nothing_is_left()


@pytest.mark.parametrize("stage", ["starting Apache Kafka", "starting worker and sink"])
def test_ctrl_c_ends_it_with_130_and_leaves_nothing(stage: str, place: Place) -> None:
    demo = place.start()
    _read_until(demo, stage)
    demo.send_signal(signal.SIGINT)
    printed, _ = demo.communicate(timeout=90)
    assert demo.returncode == 130, printed
    assert "Traceback" not in printed
    place.assert_nothing_is_left()


def test_killed_it_leaves_no_process(place: Place) -> None:
    demo = place.start()
    _read_until(demo, "generating sample data")
    assert len(place.processes()) >= 5, "demo, worker, sink, Kafka, PostgreSQL"
    demo.kill()
    demo.communicate(timeout=90)
    deadline = time.monotonic() + _GONE_SECONDS
    while place.processes() and time.monotonic() < deadline:
        time.sleep(0.2)
    place.assert_nothing_is_left(temporary=False)
