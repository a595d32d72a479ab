"""Anomalies in Chromium: the list of them, and a meter's windows and slots with what it usually uses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import msgspec
import pytest

from benchmarks.measuring.chromium import DESKTOP, PHONE, Chromium, Page
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import DAY, HOUR, MINUTE
from gridwatch.embedded import EmbeddedKafka
from gridwatch.models.anomaly import Anomaly
from gridwatch.topics import ANOMALIES
from gridwatch.views.following import FRESH_SECONDS
from tests.browser.test_pages_in_chromium import COLUMN, CONTRAST, TOO_WIDE
from tests.processes import Site
from tests.records import PARTITIONS, Raw, meters_of, produce, reading, tick
from tests.unit.views.anomalies.kinds import anomaly, closed, retracted

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">/\'"&ü'
LONG = "計" * 66
#: One has windows, one has slots of half an hour.
QUICK, SLOW = meters_of(0, 1)[0], meters_of(1, 1)[0]
#: A Friday; the last day is a Sunday, whose hours are those of Saturday.
FIRST = 1_704_412_800_000_000
END = FIRST + 3 * DAY - 2 * HOUR
NOON = FIRST + 2 * DAY + 12 * HOUR
VOLTAGE = anomaly(HOSTILE, 500, "VOLTAGE", unit="V", value=262.5, baseline=230.0, deviation_percent=14.1)
OVER = anomaly(LONG, 480, "LOW_POWER_FACTOR", unit=None, value=0.61, baseline=1.0, severity="critical")
GONE = anomaly(QUICK, -90)
PAGES = ("/", "/anomalies/", "/anomalies/?state=all&kind=SPIKE", f"/meters/{QUICK}/", f"/meters/{SLOW}/")


def readings(meter_id: str, interval: int) -> Iterable[Raw]:
    """Three days: more in the evening, a spike at noon of the last day and nearly nothing at four."""
    for number, time_ in enumerate(range(FIRST, END, interval)):
        hour = time_ % DAY // HOUR
        power = (1.6 if 17 <= hour < 22 else 0.8) + number * 37 % 11 / 200
        if NOON <= time_ < NOON + HOUR:
            power *= 5
        if NOON + 4 * HOUR <= time_ < NOON + 5 * HOUR:
            power /= 20
        yield reading(meter_id, format_instant(time_), round(power * interval / HOUR, 5))


def write(site: Site, *anomalies: Anomaly) -> None:
    """Anomalies as the worker writes them."""
    records = (
        Raw(partition_of(one.meter_id, PARTITIONS), one.meter_id.encode(), msgspec.json.encode(one))
        for one in anomalies
    )
    produce(site.bootstrap, records, ANOMALIES.name)


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("anomalies"), max_meter_id_bytes=256) as site:
        write(site, VOLTAGE, OVER, closed(OVER), GONE, retracted(GONE))
        raw = [*readings(QUICK, 5 * MINUTE), *readings(SLOW, 30 * MINUTE)]
        site.produce(raw + [tick(format_instant(END), partition) for partition in range(PARTITIONS)])
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


def test_anomalies_are_shown_the_open_ones_first(worker: Service, page: Page) -> None:
    said = worker.page("/anomalies/")
    page.open(worker.url + "/anomalies/")
    shown = said["anomalies"]
    links = "[...document.querySelectorAll('#anomalies .first > a')].map((one) => one.innerText)"
    assert page.run(links) == [one["meter_id"] for one in shown]
    assert page.run(COLUMN.format("#anomalies", 1)) == [one["kind"] for one in shown]
    assert {(one["meter_id"], one["kind"]) for one in shown} >= {
        *((meter_id, kind) for meter_id in (QUICK, SLOW) for kind in ("SPIKE", "DROP")),
        *((HOSTILE, "VOLTAGE"), (LONG, "LOW_POWER_FACTOR")),
    }
    assert "RETRACTED" not in {one["state"] for one in shown}
    counted = sum(sum(one["counts"].values()) for one in said["hours"])
    titles = page.run("[...document.querySelectorAll('.wide-plot .bar title')].map((one) => one.textContent)")
    assert sum(int(title.split(": ")[1].split()[0]) for title in titles) == counted
    assert page.run("document.querySelectorAll('main img, main script').length") == 0


def test_a_choice_is_applied_at_once_and_a_meter_leads_to_its_page(worker: Service, page: Page) -> None:
    page.open(worker.url + "/anomalies/")
    page.run(
        "document.querySelector('#state').value = 'retracted';"
        "document.querySelector('#state').dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.until("document.querySelectorAll('#anomalies tbody tr').length === 1")
    assert page.run(COLUMN.format("#anomalies", 10)) == ["RETRACTED revised"]
    page.run("document.querySelector('#anomalies tbody a').click()")
    page.until(f"document.querySelector('h1')?.innerText === '{QUICK}'")


@pytest.mark.parametrize(("meter_id", "hours"), [(QUICK, 48), (SLOW, 22)])
def test_a_meter_is_plotted_with_what_it_usually_uses_and_its_anomalies(
    worker: Service, page: Page, meter_id: str, hours: int
) -> None:
    said = worker.page(f"/meters/{meter_id}/")
    page.open(worker.url + f"/meters/{meter_id}/")
    kinds = [one["kind"] for one in said["anomalies"]["anomalies"]]
    assert page.run(COLUMN.format("#anomalies", 0)) == kinds
    assert {"SPIKE", "DROP"} <= set(kinds)
    assert page.run("document.querySelectorAll('.wide-plot .usual').length") >= 1
    labels = page.run("[...document.querySelectorAll('.wide-plot .span text')].map((one) => one.textContent)")
    assert {"SPIKE", "DROP"} <= set(labels)
    assert f"{len(said['usual']['buckets'])} of 48 hours" in page.text("#usual")
    assert len(said["usual"]["buckets"]) == hours


def test_an_open_list_keeps_up(worker: Service, site: Site, page: Page) -> None:
    page.open(worker.url + "/anomalies/?meter=" + SLOW)
    before = page.run("document.querySelectorAll('#anomalies tbody tr').length")
    time.sleep(FRESH_SECONDS)
    write(site, anomaly(SLOW, 510, "FREQUENCY", unit="Hz", value=51.2, baseline=50.0, deviation_percent=2.4))
    page.until(f"document.querySelectorAll('#anomalies tbody tr').length === {before + 1}")


def test_the_overview_counts_the_open_ones(worker: Service, page: Page) -> None:
    opened = worker.page("/anomalies/")["open"]
    page.open(worker.url + "/")
    page.until(f"document.querySelector('#anomalies_open')?.innerText === '{opened}'")


@pytest.mark.parametrize("path", PAGES)
def test_a_screen_reader_finds_names_headings_and_landmarks(worker: Service, page: Page, path: str) -> None:
    page.open(worker.url + path)
    tree = page.order("Accessibility.getFullAXTree")["nodes"]
    nodes = [
        (one["role"]["value"], one.get("name", {}).get("value", "")) for one in tree if not one["ignored"]
    ]
    for role in ("main", "navigation", "banner", "contentinfo"):
        assert [found for found, _ in nodes].count(role) == 1, role
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
