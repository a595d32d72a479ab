"""The pages of the registry over real HTTP: what control records said, on two workers, is what is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import GAP_ALERTS, OUTAGE_HEADER, REGION_HEADER, REGISTRY_HEADER
from tests.processes import Site
from tests.records import PARTITIONS, Raw, meters_of, reading, ticks

pytestmark = pytest.mark.integration

#: One of each a partition: it reports, is suspended, was never heard, is to come, lies in a planned outage.
KINDS = ("live", "suspended", "never", "to come", "out")
BY_KIND = {
    kind: sorted(meters_of(partition, len(KINDS))[number] for partition in range(PARTITIONS))
    for number, kind in enumerate(KINDS)
}
ALL = sorted(meter for meters in BY_KIND.values() for meter in meters)
AS_OF = "2024-01-01T00:00:00Z"


def hour(number: int) -> str:
    return f"2024-01-{1 + number // 24:02}T{number % 24:02}:00:00Z"


def control(header: str, partition: int, key: str, **fields: Any) -> Raw:
    body = {"version": 1, "as_of": AS_OF, **fields}
    return Raw(partition, key.encode(), json.dumps(body).encode(), ((header, b"1"),))


def meter(meter_id: str, **fields: Any) -> Raw:
    given = {"status": "active", "interval": "1h", "region": "R01", "feeder": "R01-F1", **fields}
    partition = partition_of(meter_id, PARTITIONS)
    return control(REGISTRY_HEADER, partition, meter_id, meter_id=meter_id, **given)


def records() -> Iterator[Raw]:
    for partition in range(PARTITIONS):
        for number in (1, 2):
            yield control(
                *(REGION_HEADER, partition, f"R0{number}"),
                region=f"R0{number}",
                capacity_kw=100 * number,
                holidays=["2024-12-25"],
            )
        outage = {"scope": "region", "target": "R02", "from": hour(20), "until": hour(60), "why": "works"}
        yield control(OUTAGE_HEADER, partition, "works", outage_id="works", **outage)
        later = {"scope": "meter", "target": BY_KIND["live"][0], "from": hour(90), "until": hour(91)}
        yield control(OUTAGE_HEADER, partition, "later", outage_id="later", **later)
    for kind, meters in BY_KIND.items():
        region = "R02" if kind == "out" else "R01"
        for one in meters:
            yield meter(one, region=region, status="planned" if kind == "to come" else "active")
            if kind == "suspended":
                yield meter(one, status="suspended", valid_from=hour(12), version=2)
            if kind == "to come":
                yield meter(one, valid_from="2024-02-01T00:00:00Z", interval="15m", version=2)
    for number in range(27):
        for kind, last in (("live", 27), ("suspended", 12), ("out", 20)):
            if number < last:
                yield from (reading(one, hour(number)) for one in BY_KIND[kind])
    yield from ticks(hour(26))


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("registry")) as site:
        site.produce(records())
        yield site


@pytest.fixture(scope="module")
def workers(site: Site) -> tuple[Service, Service]:
    first = site.worker("first").start().wait_until_ready()
    second = site.worker("second").start().wait_until_ready()
    urls = {first.url, second.url}

    def shared() -> bool:
        owners = {one["owner"] for one in first.page("/partitions/")["partitions"]}
        return owners == urls and first.is_ready() and second.is_ready()

    until("both workers own partitions and are ready", shared, 90)
    site.wait_processed()
    return first, second


def ids(page: Any, name: str = "meters") -> list[str]:
    return [one["meter_id"] for one in page[name]]


def test_registered_meters_of_all_workers_are_listed_page_by_page(workers: tuple[Service, Service]) -> None:
    for worker in workers:
        seen: list[str] = []
        after = ""
        while True:
            page = worker.page(f"/registry/?limit=7&after={quote(after)}")
            seen += ids(page)
            assert page["incomplete"] == []
            if page["next"] is None:
                break
            after = page["next"]
        assert seen == ALL


def test_they_are_counted_and_found_by_status_region_and_whether_they_were_heard(
    workers: tuple[Service, Service],
) -> None:
    for worker in workers:
        counts = worker.page("/registry/")["counts"]
        assert (counts["registered"], counts["complete"]) == (len(ALL), True)
        assert {name: count for name, count in counts["by_status"].items() if count} == {
            "active": 3 * PARTITIONS,
            "suspended": PARTITIONS,
            "planned": PARTITIONS,
        }
        assert counts["by_region"] == {"R01": 4 * PARTITIONS, "R02": PARTITIONS}
        assert counts["by_hearing"] == {"heard": 3 * PARTITIONS, "awaited": 0, "never": PARTITIONS}
        for query, kind in (
            ("status=suspended", "suspended"),
            ("status=planned", "to come"),
            ("region=R02", "out"),
            ("heard=never", "never"),
        ):
            assert ids(worker.page(f"/registry/?{query}")) == BY_KIND[kind]
        assert [(one["region"], one["capacity_kw"]) for one in worker.page("/registry/")["regions"]] == [
            ("R01", 100.0),
            ("R02", 200.0),
        ]
        overview = worker.page("/")
        assert (overview["registered"], overview["never_heard"]) == (len(ALL), PARTITIONS)


def test_what_is_to_come_is_said_with_its_time(workers: tuple[Service, Service]) -> None:
    for one in workers[0].page("/registry/?status=planned")["meters"]:
        assert one["pending"] == [
            {
                "from": "2024-02-01T00:00:00Z",
                "status": "active",
                "changes": {"status": "active", "interval_seconds": 900},
            }
        ]


def test_gaps_are_planned_or_of_meters_never_heard_or_neither(workers: tuple[Service, Service]) -> None:
    for worker in workers:
        planned = worker.page("/gaps/?reason=planned")["gaps"]
        assert sorted(one["meter_id"] for one in planned) == sorted(BY_KIND["suspended"] + BY_KIND["out"])
        never = worker.page("/gaps/?reason=never_heard")["gaps"]
        assert sorted(one["meter_id"] for one in never) == BY_KIND["never"]
        assert worker.page("/gaps/?reason=unplanned")["gaps"] == []
        every = worker.page("/gaps/")
        assert every["open_gaps"] == len(every["gaps"]) == 3 * PARTITIONS


def test_a_meters_page_says_what_its_alert_said(site: Site, workers: tuple[Service, Service]) -> None:
    alerts = {alert["meter_id"]: alert for alert in site.outputs()[GAP_ALERTS.name].values()}
    for kind, reason in (("never", "NEVER_HEARD"), ("suspended", "PLANNED"), ("out", "PLANNED")):
        for one in BY_KIND[kind]:
            for worker in workers:
                page = worker.page(f"/meters/{one}/")
                (gap,) = page["gaps"]
                told = alerts[one]
                common = gap.keys() & told.keys()
                assert {name: told[name] for name in common} == {name: gap[name] for name in common}
                assert told["reason"] == reason
                assert (gap["never_heard"], gap["planned"]) == (kind == "never", kind != "never")
                assert (page["last_seen"] is None) == (kind == "never")
                assert page["registry"]["interval_seconds"] == 3600
                outages = [(found["outage_id"], found["phase"]) for found in page["outages"]]
                assert outages == ([("works", "now")] if kind == "out" else [])
    page = workers[0].page(f"/meters/{BY_KIND['live'][0]}/")
    assert [(found["outage_id"], found["phase"]) for found in page["outages"]] == [("later", "coming")]
    page = workers[0].page(f"/meters/{BY_KIND['to come'][0]}/")
    assert (page["gaps"], page["last_seen"], page["registry"]["status"]) == ([], None, "planned")


def test_planned_outages_are_listed_once_and_known_by_all_partitions(
    workers: tuple[Service, Service],
) -> None:
    for worker in workers:
        page = worker.page("/outages/")
        assert [(one["outage_id"], one["phase"], one["known_by"]) for one in page["outages"]] == [
            ("works", "now", PARTITIONS),
            ("later", "coming", PARTITIONS),
        ]
        assert page["incomplete"] == []
        assert [one["why"] for one in worker.page("/outages/?phase=now")["outages"]] == ["works"]
