"""The pages of the registry in Chromium: they show what the partitions know, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.measuring.chromium import DESKTOP, PHONE, Chromium, Page
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from tests.browser.test_pages_in_chromium import COLUMN, TOO_WIDE
from tests.integration.test_pages_registry import ALL, BY_KIND, records
from tests.processes import Site
from tests.records import PARTITIONS

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/registry/",
    "/registry/?heard=never",
    "/outages/",
    "/gaps/?reason=planned",
    "/gaps/?reason=never_heard",
    *(f"/meters/{BY_KIND[kind][0]}/" for kind in BY_KIND),
)


@pytest.fixture(scope="module")
def worker(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("registry")) as site:
        site.produce(records())
        running = site.worker().start().wait_until_ready()
        site.wait_processed()
        yield running


@pytest.fixture
def page() -> Iterator[Page]:
    """A window in which nothing was refused, and nothing failed."""
    with Chromium() as browser:
        window = browser.page()
        yield window
        assert window.complaints == []
        window.order("Page.close")


def test_pages_fit_a_desk_and_a_phone(worker: Service, page: Page) -> None:
    for size in (DESKTOP, PHONE):
        page.look(size)
        for path in PAGES:
            page.open(worker.url + path)
            assert not page.run(TOO_WIDE), (size, path)


def test_registered_meters_are_shown_with_their_status(worker: Service, page: Page) -> None:
    page.open(worker.url + "/registry/")
    assert page.text("#registered") == str(len(ALL))
    assert page.text("#never_heard") == str(PARTITIONS)
    assert page.run(COLUMN.format("#registered-meters", 0)) == ALL
    assert set(page.run(COLUMN.format("#registered-meters", 1))) == {"ACTIVE", "SUSPENDED", "PLANNED"}
    assert page.run(COLUMN.format("#regions", 0)) == ["R01", "R02"]


def test_a_filter_is_kept_in_the_form_and_the_address(worker: Service, page: Page) -> None:
    page.open(worker.url + "/registry/?status=suspended")
    assert page.run(COLUMN.format("#registered-meters", 0)) == BY_KIND["suspended"]
    assert page.run("document.querySelector('#status').value") == "suspended"


def test_a_meter_that_was_never_heard_says_so(worker: Service, page: Page) -> None:
    page.open(worker.url + f"/meters/{BY_KIND['never'][0]}/")
    assert "NEVER HEARD" in page.text("#gap-status")
    assert page.text("#status") == "ACTIVE"
    page.open(worker.url + f"/meters/{BY_KIND['out'][0]}/")
    assert "PLANNED" in page.text("#gap-status")
    assert page.run(COLUMN.format("#outages", 1)) == ["NOW"]
