"""The pages as a person has them: Chromium shows what the tables hold, and keeps up with them.

Needs a Chromium on the PATH (`apt-get install chromium`); `make browser` runs it, `make test` leaves it out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from benchmarks.measuring.chromium import DESKTOP, PHONE, Chromium, Page
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from tests.processes import Site
from tests.records import Raw, meters_of, reading, tick

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">/\'"&ü'
LONG = "計" * 66
GAPPY = meters_of(0, 1)[0]
PAGES = (
    *("/", "/meters/", "/meters/?sort=gap_count", "/gaps/", "/registry/", "/outages/"),
    *("/partitions/", "/dead-letters/", "/ready/"),
)
TIMES = "[...document.querySelectorAll('{0} time')].map((one) => one.dateTime)"
COLUMN = "[...document.querySelectorAll('{0} tbody tr')].map((row) => row.cells[{1}].innerText)"
#: Whether anything is wider than the window.
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("browser"), max_meter_id_bytes=256) as site:
        seen = ("08:00", "08:30", "09:00", "10:30", "11:00")
        site.produce(
            [
                reading(meter, f"2024-01-01T{clock}:00Z", 1.5)
                for clock in seen
                for meter in (GAPPY, HOSTILE, LONG, *meters_of(1, 20))
            ]
            + [reading(GAPPY, "2024-01-01T10:20:00Z", 0.5), reading(GAPPY, "2024-01-01T08:40:00Z", 0.25)]
            + [Raw(0, None, HOSTILE.encode()), Raw(0, None, b'{"meter_id": "' + HOSTILE[:3].encode() + b'"}')]
            + [tick("2024-01-01T11:50:00Z", partition) for partition in range(6)]
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


def asked(page: Page, script: str, *parts: Any) -> Any:
    return page.run(script.format(*parts))


@pytest.mark.parametrize("meter_id", [GAPPY, HOSTILE, LONG])
def test_a_meter_is_shown_as_its_state_has_it(worker: Service, page: Page, meter_id: str) -> None:
    path = f"/meters/{quote(meter_id, safe='')}/"
    said = worker.page(path)
    page.open(worker.url + path)
    assert page.text("h1") == said["meter_id"] == meter_id
    for name in ("last_seen", "expected_next", "watermark"):
        assert asked(page, TIMES, f"#{name}") == [said[name]]
    assert page.text("#interval") == f"{said['interval_minutes']} min"
    for name in ("gap_count", "late_count", "partition"):
        assert page.text(f"#{name}") == str(said[name])
    assert asked(page, COLUMN, "#gaps", 2) == [gap["state"] for gap in said["gaps"]] == ["OPEN", "CLOSED"]
    counts = (
        "Object.fromEntries({0}.map((kind) =>"
        " [kind, document.querySelectorAll('.wide-plot .' + kind).length]))"
    )
    drawn = asked(page, counts, '["reading", "late", "too-late", "open", "missing"]')
    statuses = [one["status"] for one in said["readings"]]
    late, too_late = (1, 1) if meter_id == GAPPY else (0, 0)
    assert (statuses.count("LATE"), statuses.count("TOO_LATE")) == (late, too_late)
    # A late reading is a bar and a sign.
    expected = {
        "reading": statuses.count("OK"),
        "late": 2 * late,
        "too-late": 2 * too_late,
        "open": 1,
        "missing": 1,
    }
    assert drawn == expected
    assert page.run("document.querySelectorAll('main img, main script').length") == 0
    assert "onerror" not in page.run("document.title") or meter_id == HOSTILE


def test_the_overview_counts_what_the_tables_hold(worker: Service, page: Page) -> None:
    said, partitions = worker.page("/"), worker.page("/partitions/")["partitions"]
    page.open(worker.url + "/")
    assert page.text("#meters") == str(sum(one["meters"] for one in partitions)) == "23"
    assert page.text("#open_gaps") == str(sum(one["open_gaps"] for one in partitions)) == "23"
    assert page.text("#lag") == "0"
    assert page.text("#readings_invalid") == "2"
    assert page.text("#late_share") == f"{100 * said['late_share']:.1f} %"
    assert asked(page, TIMES, "#watermarks") == [one["watermark"] for one in partitions]
    assert asked(page, COLUMN, "#watermarks", 6) == [str(one["meters"]) for one in partitions]
    assert page.run("document.querySelectorAll('.plots svg').length") == 4
    assert "READY" in page.text("#readiness")


@pytest.mark.parametrize(
    ("path", "name"), [("/meters/", "meters"), ("/meters/?sort=late_count", "meters"), ("/gaps/", "gaps")]
)
def test_a_list_shows_what_the_tables_hold_in_order_and_leads_to_every_meter(
    worker: Service, page: Page, path: str, name: str
) -> None:
    said = worker.page(path)
    page.open(worker.url + path)
    shown = asked(page, "[...document.querySelectorAll('#{0} tbody a')].map((one) => one.textContent)", name)
    assert shown == [one["meter_id"] for one in said[name]]
    links = asked(page, "[...document.querySelectorAll('#{0} tbody a')].map((one) => one.pathname)", name)
    assert links == [f"/meters/{quote(one['meter_id'], safe='')}/" for one in said[name]]
    page.run(f"document.querySelectorAll('#{name} tbody a')[{shown.index(HOSTILE)}].click()")
    page.until(f"document.querySelector('h1')?.innerText === {json.dumps(HOSTILE)}")


def test_dead_letters_are_shown_as_they_came(worker: Service, page: Page) -> None:
    page.open(worker.url + "/dead-letters/")
    said = worker.page("/dead-letters/")["dead_letters"]
    assert asked(page, COLUMN, "#dead-letters", 2) == [one["raw"] for one in said]
    assert {one["raw"] for one in said} == {HOSTILE, '{"meter_id": "' + HOSTILE[:3] + '"}'}


def test_an_open_page_keeps_up_and_keeps_its_place(worker: Service, site: Site, page: Page) -> None:
    page.look((1200, 300))
    page.open(worker.url + "/meters/?limit=1000")
    page.run("scrollTo(0, 250)")
    page.run("document.querySelectorAll('#meters tbody a')[5].focus({preventScroll: true})")
    # Marks that a new page would not have, and a count of whatever moves under the reader's eyes.
    page.run("window.here = document.activeElement; window.shifts = 0")
    page.run(
        "new PerformanceObserver((seen) => seen.getEntries().forEach((one) => { shifts += one.value; }))"
        ".observe({type: 'layout-shift'})"
    )
    newcomer = meters_of(2, 1)[0]
    last = meters_of(1, 20)[-1]
    site.produce([reading(newcomer, "2024-01-01T11:49:55Z"), reading(last, "2024-01-01T11:49:55Z", 2.5)])
    site.wait_processed()
    page.until(f"document.querySelector('#meters').innerText.includes('{newcomer}')")
    seen = worker.page(f"/meters/{last}/")["last_seen"]
    page.until(f"document.querySelector('[data-key=\"{last}\"] time').dateTime === '{seen}'")
    assert page.run("window.here === document.activeElement && window.here.isConnected")
    assert page.run("scrollY") == 250
    assert page.run("window.shifts") < 0.1
    assert page.text("#count").startswith("24 shown of 24")


def test_what_is_typed_and_unfolded_stays_and_the_search_answers_while_it_is_typed(
    worker: Service, page: Page
) -> None:
    page.open(worker.url + "/meters/")
    page.run("document.querySelector('#prefix').focus()")
    page.write(GAPPY[:-1])
    few = "document.querySelectorAll('#meters tbody tr').length < 15"
    page.until(f"{few} && location.search.includes('{GAPPY[:-1]}')")
    shown = page.run("document.querySelectorAll('#meters tbody tr').length")
    assert shown == len(worker.page(f"/meters/?prefix={GAPPY[:-1]}")["meters"])
    assert page.run("document.activeElement.value") == GAPPY[:-1]
    page.open(worker.url + f"/meters/{GAPPY}/")
    page.run("document.querySelector('#readings-plotted').open = true")
    refresh(page)
    assert page.run("document.querySelector('#readings-plotted').open")


def refresh(page: Page) -> None:
    """Pause and go on, which asks at once; wait for what comes."""
    page.run("document.querySelector('#live-updated').textContent = ''")
    page.run("document.querySelector('#live').click(); document.querySelector('#live').click()")
    page.until("document.querySelector('#live-updated').textContent !== ''")


def test_a_page_can_be_paused_and_stays_so_on_the_next(worker: Service, page: Page) -> None:
    page.open(worker.url + "/")
    page.run("document.querySelector('#live').click()")
    page.open(worker.url + "/partitions/")
    assert page.run("document.querySelector('#live').getAttribute('aria-pressed')") == "false"


def test_everything_is_reached_by_keyboard_and_what_has_the_focus_is_seen(
    worker: Service, page: Page
) -> None:
    page.open(worker.url + "/meters/?sort=gap_count")
    reached = []
    for _ in range(24):
        page.press("Tab")
        reached.append(
            page.run("(document.activeElement.innerText || document.activeElement.id || '').trim()")
        )
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") != "none", reached[-1]
    assert reached[0] == "To the content"
    assert {"Overview", "Gaps", "Dead letters", "Live", "prefix", "Search"} <= set(reached)
    assert any(name.startswith("Late") for name in reached)
    late = "[...document.querySelectorAll('#meters thead a')].find((one) => one.innerText.startsWith('Late'))"
    page.run(f"{late}.focus()")
    page.press("Enter", "\r")
    page.until("document.querySelector('th[aria-sort]')?.innerText.startsWith('Late')")
    assert page.run("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "descending"


@pytest.mark.parametrize("path", [*PAGES, f"/meters/{GAPPY}/"])
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
        if role in ("link", "button", "searchbox", "combobox", "table", "img", "image", "region"):
            assert name or role == "table", (role, nodes)
    assert page.run("[...document.querySelectorAll('th')].every((one) => one.scope === 'col')")
    assert page.run("document.documentElement.lang") == "en"


#: Relative luminance of text against what lies behind it, after WCAG 2.
CONTRAST = """(() => {
  const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const linear = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const c = parts(getComputedStyle(one).backgroundColor);
      if (c.length === 3 || c[3] > 0.5) return c;
    }
    return [255, 255, 255];
  };
  let worst = [99, ""];
  for (const one of document.querySelectorAll("body *:not(script)")) {
    if (![...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    if (one.closest("svg, [aria-hidden]") || !one.checkVisibility()) continue;
    const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, one.outerHTML.slice(0, 200)];
  }
  return worst;
})()"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", [*PAGES, f"/meters/{GAPPY}/"])
def test_text_stands_out_in_dark_and_in_light(worker: Service, page: Page, path: str, dark: bool) -> None:
    page.look(DESKTOP, dark=dark)
    page.open(worker.url + path)
    paper = page.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper.removeprefix("rgb(").removesuffix(")").split(","))) < 3 * 60) is dark
    ratio, where = page.run(CONTRAST)
    assert ratio >= 4.5, where


@pytest.mark.parametrize(
    "path", [*PAGES, f"/meters/{GAPPY}/", f"/meters/{quote(HOSTILE, safe='')}/", f"/meters/{quote(LONG)}/"]
)
def test_on_a_phone_nothing_is_wider_than_the_screen(worker: Service, page: Page, path: str) -> None:
    for width in (PHONE[0], 320):
        page.look((width, PHONE[1]))
        page.open(worker.url + path)
        assert not page.run(TOO_WIDE)
        tables = "[...document.querySelectorAll('.wide')]"
        assert page.run(f"{tables}.filter((one) => one.scrollWidth > one.clientWidth + 1).length") == 0


def test_a_bad_question_is_answered_as_a_page_with_the_reason(worker: Service, page: Page) -> None:
    page.open(worker.url + "/meters/?limit=%3Cb%3E")
    assert page.text("h1") == "400 Bad Request"
    assert "limit: '<b>' is not a whole number from 1 to 1000" in page.text("main")
    # The browser notes the status of the page itself.
    assert all("400" in complaint for complaint in page.complaints)
    page.complaints.clear()


def test_a_worker_that_goes_away_is_said_and_what_was_shown_stays(
    worker: Service, site: Site, page: Page
) -> None:
    """Last of its module: it stops the worker."""
    page.open(worker.url + "/")
    worker.kill()
    page.run("document.querySelector('#live').click(); document.querySelector('#live').click()")
    page.until("document.querySelector('#live-trouble').textContent.includes('does not answer')")
    assert page.text("#meters") == "24"
    assert page.complaints
    page.complaints.clear()
    worker.start().wait_until_ready()
    page.until("document.querySelector('#live-trouble').textContent === ''", 60)
    page.complaints.clear()
