"""Topics recreated under a running worker: state is rebuilt where possible, else it is reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import GAP_ALERTS, RAW, VALIDATED, changelog
from tests.integration.test_silence import answers, metrics, said
from tests.processes import Site, gridwatch
from tests.records import PARTITIONS, meters_of, reading

pytestmark = [pytest.mark.failure, pytest.mark.integration]

SEEN_SECONDS = 60.0


@pytest.fixture
def site(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path) as site:
        yield site


def meters() -> list[str]:
    return [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]


def recreate(site: Site, topic: str) -> None:
    """Delete a topic and let gridwatch create it again."""
    admin = AdminClient({"bootstrap.servers": site.bootstrap, "log_level": 0})
    admin.delete_topics([topic])[topic].result(timeout=30)
    until(f"{topic} is gone", lambda: topic not in admin.list_topics(timeout=30).topics, SEEN_SECONDS)
    made = gridwatch("topics", "create", env=site.environment(), folder=site.folder)
    assert made.returncode == 0, made.stderr


def at_ten(site: Site) -> Service:
    """A worker that has seen a reading of one meter in each partition."""
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    return worker


@pytest.mark.parametrize("worker_is", ["running", "down"])
def test_a_recreated_changelog_is_rebuilt_from_the_raw_topic(site: Site, worker_is: str) -> None:
    worker = at_ten(site)
    if worker_is == "down":
        worker.kill()
    recreate(site, changelog(site.app_id).name)
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in meters()])
    if worker_is == "down":
        worker.start().wait_until_ready()
    site.wait_processed()
    worker.until("it is ready", worker.is_ready, SEEN_SECONDS)
    # As if nothing had happened: the second reading is no first one, and its gap is found.
    outputs = site.outputs()
    later = [one for one in outputs[VALIDATED.name].values() if one["timestamp"] == "2024-01-01T12:00:00Z"]
    assert [one["flags"] for one in later] == [[]] * PARTITIONS
    gaps = [(one["state"], one["missing_intervals"]) for one in outputs[GAP_ALERTS.name].values()]
    assert gaps == [("CLOSED", 3)] * PARTITIONS
    assert "its changelog is gone, and there is another one of that name" in worker.process.log_tail(5000)


@pytest.mark.parametrize("worker_is", ["running", "down"])
def test_a_recreated_raw_topic_is_reported_and_not_mixed_with_the_old_one(site: Site, worker_is: str) -> None:
    site.produce([reading(meter, "2024-01-01T09:30:00Z") for meter in meters()])
    worker = at_ten(site)
    if worker_is == "down":
        worker.kill()
    recreate(site, RAW.name)
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in meters()])
    if worker_is == "down":
        worker.start()
        worker.until("its page answers", lambda: answers(worker), SEEN_SECONDS)

    def all_reported() -> bool:
        reported = said(worker)
        return (
            all(
                f"partition {one}: {RAW.name} ends at offset 1, its state is at 2" in reported
                for one in range(PARTITIONS)
            )
            and "GRIDWATCH_APP_ID" in reported
        )

    worker.until("readiness reports every partition", all_reported, SEEN_SECONDS)
    assert metrics(worker)["gridwatch_ready"] == 0
    assert {one["timestamp"][11:16] for one in site.outputs()[VALIDATED.name].values()} == {"09:30", "10:00"}
    worker.stop()
    # The remedy of the message: under another app id all of it is processed, from the start.
    heir = site.worker("heir", app_id=f"{site.app_id}-b")
    made = gridwatch("topics", "create", env=site.environment(app_id=f"{site.app_id}-b"), folder=site.folder)
    assert made.returncode == 0, made.stderr
    heir.start().wait_until_ready()
    until("it has", lambda: processed(heir), SEEN_SECONDS)


def processed(worker: Service) -> bool:
    return all(one["committed"] == 1 for one in worker.page("/partitions/")["partitions"])
