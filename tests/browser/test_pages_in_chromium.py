"""The pages as a person sees them: Chromium shows what the JSON says, and nothing is refused or missing.

Needs a Chromium on the PATH (`apt-get install chromium`); `make browser` runs it, `make test` leaves it out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest

from gridwatch.embedded import EmbeddedKafka
from tests.processes import Service, Site
from tests.records import meters_of, reading, tick

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">/\'"&ü'
SEEN_SECONDS = 120


def chromium() -> str:
    """The browser; a failure that says how to get one where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium on the PATH: apt-get install chromium"
    return found


class Page(HTMLParser):
    """A page's elements as the browser holds them: text and exact instant by id, tags and classes counted."""

    def __init__(self, dom: str) -> None:
        super().__init__()
        self.pieces: dict[str, list[str]] = {}
        self.instants: dict[str, str] = {}
        self.classes: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._inside: list[tuple[str, str]] = []
        self.feed(dom)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append(tag)
        self.classes.append(known.get("class") or "")
        if tag == "a":
            self.links.append(known.get("href") or "")
        if tag not in ("meta", "link", "input", "br"):
            self._inside.append((tag, known.get("id") or ""))
        if tag == "time":
            for _, name in self._inside:
                self.instants[name] = known["datetime"] or ""

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag, name in self._inside:
            self.pieces.setdefault(name or tag, []).append(data)

    def text(self, name: str) -> str:
        """All text inside the element with that id, or the elements of that tag."""
        return "".join(self.pieces[name])


def seen(url: str, folder: Path) -> Page:
    """The page after the browser has read it; fails if the browser refused any of it."""
    command = [
        chromium(),
        "--headless",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={folder}",
        "--dump-dom",
        url,
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SEEN_SECONDS, check=True)
    complaints = [line for line in ended.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints
    return Page(ended.stdout)


@pytest.fixture(scope="module")
def worker(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("browser")) as site:
        gappy = meters_of(0, 1)[0]
        site.produce(
            [
                reading(meter, f"2024-01-01T{clock}:00Z", 1.5)
                for clock in ("08:00", "08:30", "09:00", "10:30", "11:00")
                for meter in (gappy, HOSTILE)
            ]
            + [tick("2024-01-01T11:50:00Z", partition) for partition in range(6)]
        )
        running = site.worker().start()
        site.wait_worked()
        yield running


@pytest.mark.parametrize("meter_id", [meters_of(0, 1)[0], HOSTILE])
def test_a_meter_is_shown_as_its_json_says(worker: Service, tmp_path: Path, meter_id: str) -> None:
    path = f"/meters/{quote(meter_id, safe='')}/"
    said = worker.page(path)
    page = seen(worker.url + path, tmp_path)
    assert page.text("h1") == said["meter_id"] == meter_id
    for name in ("last_seen", "expected_next", "watermark"):
        assert page.instants[name] == said[name]
    for name in ("interval_minutes", "gap_count", "late_count", "partition"):
        assert page.text(name) == str(said[name])
    states = [piece for piece in page.pieces["gaps"] if piece in ("OPEN", "CLOSED", "PARTIAL", "FILLED")]
    assert states == [gap["state"] for gap in said["gaps"]] == ["OPEN", "CLOSED"]
    assert page.classes.count("bar") == len(said["recent_readings"])
    assert page.classes.count("region open") == 1
    assert page.classes.count("region missing") == 1
    assert not {"img", "script"} & set(page.tags)


def test_the_overview_counts_what_its_json_counts(worker: Service, tmp_path: Path) -> None:
    said = worker.page("/")
    page = seen(worker.url + "/", tmp_path)
    assert (page.text("meters"), page.text("open_gaps"), page.text("lag")) == ("2", "2", "0")
    assert (said["meters"], said["open_gaps"], said["lag"]) == (2, 2, 0)
    assert "READY" in page.text("main")


def test_the_list_leads_to_every_meter(worker: Service, tmp_path: Path) -> None:
    page = seen(worker.url + "/meters/", tmp_path)
    for meter in worker.page("/meters/")["meters"]:
        assert meter["meter_id"] in page.text("main")
        assert f"/meters/{quote(meter['meter_id'], safe='')}/" in page.links
