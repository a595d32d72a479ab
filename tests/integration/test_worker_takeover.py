"""Two workers share the partitions, answer for each other, and one goes on where the other stopped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import GAP_ALERTS, VALIDATED
from tests.processes import Site
from tests.records import PARTITIONS, meters_of, reading

pytestmark = pytest.mark.integration

METERS = [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]


def owners(worker: Service) -> list[str]:
    """The worker of each partition, as one of them says."""
    return [one["owner"] for one in worker.page("/partitions/")["partitions"]]


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("two")) as site:
        yield site


@pytest.fixture(scope="module")
def pair(site: Site) -> tuple[Service, Service]:
    """Two workers with three partitions each, and a reading of one meter in every partition."""
    first, second = (
        site.worker("first").start().wait_until_ready(),
        site.worker("second").start().wait_until_ready(),
    )
    shared = sorted([first.url, second.url] * 3)
    until("the partitions are shared", lambda: sorted(map(str, owners(first))) == shared, 60)
    site.produce([reading(meter, "2024-01-01T10:00:00Z", region="north") for meter in METERS])
    site.wait_processed()
    return first, second


def test_both_say_the_same_about_who_owns_what(pair: tuple[Service, Service]) -> None:
    first, second = pair
    assert owners(first) == owners(second)


@pytest.mark.parametrize("meter", METERS)
def test_a_meter_is_the_same_on_the_worker_that_does_not_own_it(
    pair: tuple[Service, Service], meter: str
) -> None:
    first, second = pair
    page = first.page(f"/meters/{meter}/")
    assert page == second.page(f"/meters/{meter}/")
    assert (page["last_seen"], page["expected_next"]) == ("2024-01-01T10:00:00Z", "2024-01-01T10:30:00Z")
    assert (page["interval_minutes"], page["gap_count"], page["late_count"]) == (30, 0, 0)


def test_when_one_stops_the_other_goes_on_with_its_state(pair: tuple[Service, Service], site: Site) -> None:
    first, second = pair
    first.stop()
    until("the other has all partitions", lambda: owners(second) == [second.url] * PARTITIONS, 60)
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in METERS])
    site.wait_processed()
    said = site.outputs()
    later = [one for one in said[VALIDATED.name].values() if one["timestamp"] == "2024-01-01T12:00:00Z"]
    assert sorted(one["meter_id"] for one in later) == sorted(METERS)
    assert [one["flags"] for one in later] == [[]] * PARTITIONS
    gaps = {
        gap["meter_id"]: (gap["state"], gap["missing_intervals"], gap["region"])
        for gap in said[GAP_ALERTS.name].values()
    }
    assert gaps == dict.fromkeys(METERS, ("CLOSED", 3, "north"))
