"""Regions, incidents and a meter's windows in Chromium: the pages show what the topics have."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from benchmarks.measuring.chromium import DESKTOP, PHONE, Chromium, Page
from gridwatch.deployment.service import Service
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import (
    AGGREGATES_1M,
    INCIDENTS,
    REGIONAL_AGGREGATES,
    REGIONAL_PARTIALS,
    SOURCE_OUT_HEADER,
    Topic,
)
from gridwatch.views.following import FRESH_SECONDS
from tests.browser.test_pages_in_chromium import COLUMN, CONTRAST, TOO_WIDE
from tests.processes import Site
from tests.records import PARTITIONS, Raw, meters_of, produce, reading, tick
from tests.unit.views.meter.test_windows import window
from tests.unit.views.regional.kinds import bundle, closed, incident, out, row

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">/\'"&ü'
LONG = "計" * 66
METER = meters_of(0, 1)[0]
SILENT = meters_of(1, 30)
STORM = incident("R02", 20, "storm", "R02", meters_open=30, meters_active=240, meters_peak=31, meters=SILENT)
FEEDER = incident(HOSTILE, 21, region="R02", parent_id=STORM.id)
OVER = incident("T1", 3, "transformer", "R01")
LOADS = {"R01": 55.0, "R02": 92.5, HOSTILE: 81.0, LONG: None}
QUARTERS = range(-90, 9)
PAGES = (
    *("/", "/regions/", "/regions/?sort=region", "/incidents/", "/incidents/?state=open"),
    *(f"/regions/{quote(region, safe='')}/" for region in LOADS),
    *(f"/incidents/{quote(one.id, safe='')}/" for one in (STORM, FEEDER)),
    f"/meters/{METER}/",
)


def write(site: Site, topic: Topic, keyed: Iterable[tuple[str, Any]]) -> None:
    """Records as the stages write them, each in the partition of its key."""
    records = (
        Raw(partition_of(key, PARTITIONS), key.encode(), msgspec.json.encode(value)) for key, value in keyed
    )
    produce(site.bootstrap, records, topic.name)


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("regions"), max_meter_id_bytes=256) as site:
        seconds = [f"2024-01-01T08:00:{second:02}Z" for second in range(0, 60, 10)]
        site.produce(
            [reading(METER, stamp, 0.01) for stamp in seconds]
            + [tick("2024-01-01T08:00:50Z", partition) for partition in range(PARTITIONS)]
        )
        rows = [row(region, quarter, load) for region, load in LOADS.items() for quarter in QUARTERS]
        write(site, REGIONAL_AGGREGATES, ((one.region, one) for one in rows))
        write(site, INCIDENTS, ((one.id, one) for one in (STORM, FEEDER, OVER, closed(OVER))))
        sources = [*(bundle(number, 140) for number in range(4)), bundle(4, 100), bundle(5, 30)]
        said = [Raw(0, b"", msgspec.json.encode(one)) for one in sources]
        said.append(Raw(0, b"", msgspec.json.encode(out(5)), ((SOURCE_OUT_HEADER, b"1"),)))
        produce(site.bootstrap, said, REGIONAL_PARTIALS.name)
        windows = (window(number, meter_id=METER) for number in range(40))
        produce(
            site.bootstrap,
            [Raw(0, METER.encode(), msgspec.json.encode(one)) for one in windows],
            AGGREGATES_1M.name,
        )
        yield site


@pytest.fixture(scope="module")
def worker(site: Site) -> Service:
    running = site.worker().start().wait_until_ready()
    site.wait_processed()
    return running


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


@pytest.fixture
def page(browser: Chromium) -> Iterator[Page]:
    """A window; the browser refused nothing of what was in it, and nothing failed."""
    window = browser.page()
    yield window
    assert window.complaints == []
    window.order("Page.close")


def test_regions_are_shown_with_a_cell_for_each_quarter_of_the_day(worker: Service, page: Page) -> None:
    said = worker.page("/regions/")
    page.open(worker.url + "/regions/")
    names = [one["region"] for one in said["regions"]]
    assert names == ["R02", HOSTILE, "R01", LONG]
    assert page.run(COLUMN.format("#heat", 0)) == page.run(COLUMN.format("#regions", 0)) == names
    assert page.run(COLUMN.format("#heat", 2)) == ["92.5 %", "81.0 %", "55.0 %", "INSUFFICIENT"]
    cells = "[...document.querySelectorAll('#heat .strip')].map((one) => one.querySelectorAll('rect').length)"
    assert page.run(cells) == [96] * 4
    first = "[...document.querySelectorAll('#heat rect:first-child')]"
    assert len(set(page.run(f"{first}.map((one) => getComputedStyle(one).fill)"))) == 4
    assert "partition 5" in page.text("#sources")
    assert "partition 4" in page.text("#sources")
    assert page.run("document.querySelectorAll('main img, main script').length") == 0


def test_a_search_keeps_its_place_and_a_name_leads_to_its_region(worker: Service, page: Page) -> None:
    page.open(worker.url + "/regions/")
    page.run("document.querySelector('#prefix').focus()")
    page.write("R0")
    page.until("document.querySelectorAll('#heat tbody tr').length === 2 && location.search.includes('R0')")
    page.open(worker.url + "/regions/?prefix=%3C")
    page.run("document.querySelector('#heat tbody a').click()")
    page.until("document.querySelector('#load')?.innerText === '81.0 %'")
    assert page.text("h1") == f"Region {HOSTILE}"


def test_a_region_shows_what_its_topic_has(worker: Service, page: Page) -> None:
    said = worker.page("/regions/R02/")
    page.open(worker.url + "/regions/R02/")
    assert (page.text("#load"), page.text("#reporting")) == ("92.5 %", "97")
    assert len(page.run(COLUMN.format("#windows", 0))) == len(said["windows"]) == 96
    assert page.run(COLUMN.format("#incidents", 0)) == ["feeder", "storm"]
    assert page.run("document.querySelectorAll('.wide-plot .level').length") == 3


def test_incidents_lead_to_their_meters(worker: Service, page: Page) -> None:
    page.open(worker.url + "/incidents/")
    assert page.run(COLUMN.format("#incidents", 1)) == [HOSTILE, "R02", "T1"]
    assert page.run(COLUMN.format("#incidents", 3)) == ["OPEN", "OPEN", "CLOSED"]
    page.run("document.querySelectorAll('#incidents tbody tr')[1].querySelector('a').click()")
    page.until("document.querySelector('h1')?.innerText === 'Storm in R02'")
    links = page.run("[...document.querySelectorAll('#meters a')].map((one) => one.pathname)")
    assert links == [f"/meters/{meter_id}/" for meter_id in SILENT]
    assert page.text("#meters_peak") == "31"
    assert page.run(COLUMN.format("#narrower", 1)) == [HOSTILE]


def test_the_overview_has_the_highest_load_and_the_open_incidents(worker: Service, page: Page) -> None:
    page.open(worker.url + "/")
    page.until("document.querySelector('#incidents_open')?.innerText === '2'")
    assert page.text("#highest_load") == "92.5 %"


def test_a_meter_shows_its_windows(worker: Service, page: Page) -> None:
    minutes, quarters = worker.page(f"/meters/{METER}/")["windows"]
    assert minutes["windows"][0]["window_start"] == "2024-01-01T10:39:00Z"
    page.open(worker.url + f"/meters/{METER}/")
    assert "5 readings of 6 expected" in page.text("#window-60")
    assert page.run("document.querySelectorAll('#windows-60 tbody tr').length") == len(minutes["windows"])
    assert page.run("document.querySelectorAll('.wide-plot .band').length") >= 1
    assert quarters["windows"] or "None of 15 min" in page.text("#window-900")


def test_an_open_page_of_regions_keeps_up(worker: Service, site: Site, page: Page) -> None:
    page.open(worker.url + "/regions/R01/")
    write(site, REGIONAL_AGGREGATES, [("R01", row("R01", QUARTERS[-1], 61.5, revision=2))])
    time.sleep(FRESH_SECONDS)
    page.until("document.querySelector('#load').innerText === '61.5 %'")
    assert page.run("document.querySelectorAll('#windows tbody tr').length") == 96


@pytest.mark.parametrize("path", PAGES)
def test_a_screen_reader_finds_names_headings_and_landmarks(worker: Service, page: Page, path: str) -> None:
    page.open(worker.url + path)
    tree = page.order("Accessibility.getFullAXTree")["nodes"]
    nodes = [
        (one["role"]["value"], one.get("name", {}).get("value", "")) for one in tree if not one["ignored"]
    ]
    for role in ("main", "navigation", "banner", "contentinfo"):
        assert [found for found, _ in nodes].count(role) == 1, role
    assert page.run("document.querySelectorAll('h1').length") == 1
    for role, name in nodes:
        if role in ("link", "button", "searchbox", "combobox", "img", "image", "region"):
            assert name, (role, nodes)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", PAGES)
def test_text_stands_out_in_dark_and_in_light(worker: Service, page: Page, path: str, dark: bool) -> None:
    page.look(DESKTOP, dark=dark)
    page.open(worker.url + path)
    ratio, where = page.run(CONTRAST)
    assert ratio >= 4.5, where


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_screen(worker: Service, page: Page, path: str) -> None:
    for width, height in (DESKTOP, PHONE, (320, PHONE[1])):
        page.look((width, height))
        page.open(worker.url + path)
        assert not page.run(TOO_WIDE), width
        tables = "[...document.querySelectorAll('.wide')]"
        assert page.run(f"{tables}.filter((one) => one.scrollWidth > one.clientWidth + 1).length") == 0, width
