"""A worker's pages over real HTTP: they say what the flow committed, and nothing they are asked hurts.

Two workers on one host share the partitions, so half of the meters that either is asked about live with
the other.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from markupsafe import escape
from prometheus_client.parser import text_string_to_metric_families

from gridwatch.cluster import ASKED_BY
from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka
from gridwatch.health.metrics import WORKER, metrics_of
from gridwatch.topics import GAP_ALERTS
from tests.processes import Site
from tests.records import PARTITIONS, Raw, meters_of, reading, ticks

pytestmark = pytest.mark.integration

HOSTILE = [
    '<script>alert("1")</script>',
    "a/b/c",
    "it's & co",
    "100% of 50%25",
    "q?a=b#c",
    "ünï ✓ 計",
    "back\\slash",
    "..",
    ".",
    "+ +",
    "%2F%2e%2e",
    "'><svg/onload=document.title=1>",
    "\u202eright to left",
    "x" * 200,
    "計" * 200,
]
REFUSED = b"<script>document.title = 1</script>"
HEALTHY = [meter for partition in range(PARTITIONS) for meter in meters_of(partition, 3)[1:]]
#: One a partition, silent from 10:00 on.
SILENT = [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def get(worker: Service, path: str, accept: str = "application/json", **headers: str) -> Reply:
    """The path goes out as it is: no client tidies it up on the way."""
    return ask(worker, "GET", path, {"Accept": accept, **headers})


def ask(worker: Service, method: str, path: str, headers: dict[str, str]) -> Reply:
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def at(hour: int, minute: int = 0) -> str:
    return f"2024-01-01T{hour:02}:{minute:02}:00Z"


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("pages"), max_meter_id_bytes=1024) as site:
        raw = [
            reading(meter, at(hour, minute), 1.0 + hour / 10)
            for hour in (8, 9, 10, 11)
            for minute in (0, 30)
            for meter in HEALTHY + HOSTILE + SILENT
            if not (meter in SILENT and hour >= 10)
        ]
        refused = [Raw(partition, None, REFUSED) for partition in range(PARTITIONS)]
        site.produce([*raw, *refused, *ticks(at(11, 50))])
        yield site


@pytest.fixture(scope="module")
def workers(site: Site) -> tuple[Service, Service]:
    first, second = (
        site.worker("first").start().wait_until_ready(),
        site.worker("second").start().wait_until_ready(),
    )
    urls = {first.url, second.url}
    until("both workers own partitions and are ready", lambda: both_ready(first, second, urls), 90)
    site.wait_processed()
    return first, second


def both_ready(first: Service, second: Service, urls: set[str]) -> bool:
    owners = {one["owner"] for one in first.page("/partitions/")["partitions"]}
    return owners == urls and first.is_ready() and second.is_ready()


@pytest.mark.parametrize("meter_id", [HEALTHY[0], HEALTHY[5], *HOSTILE])
def test_every_meter_has_its_page_on_every_worker(workers: tuple[Service, Service], meter_id: str) -> None:
    for worker in workers:
        path = f"/meters/{quote(meter_id, safe='')}/"
        page = get(worker, path).json
        assert page["meter_id"] == meter_id
        assert page["partition"] == partition_of(meter_id, PARTITIONS)
        assert page["last_seen"] == "2024-01-01T11:30:00Z"
        assert page["expected_next"] == "2024-01-01T12:00:00Z"
        assert page["interval_minutes"] == 30
        assert (page["gap_count"], page["late_count"], page["gaps"]) == (0, 0, [])
        assert page["recent_readings"][-1] == {"timestamp": "2024-01-01T11:30:00Z", "consumption_kwh": 2.1}
        read = [(one["timestamp"], one["consumption_kwh"], one["status"]) for one in page["readings"]]
        assert read == [(at(hour, half), 1 + hour / 10, "OK") for hour in (8, 9, 10, 11) for half in (0, 30)]


def test_the_links_of_the_list_lead_to_the_meters(workers: tuple[Service, Service]) -> None:
    page = get(workers[0], "/meters/?limit=1000", "text/html").body.decode()
    links = [
        unescape(part.split('"')[0]) for part in page.split('<a href="')[1:] if part.startswith("/meters/")
    ]
    shown = [get(workers[0], link).json for link in links if link != "/meters/" and "limit=" not in link]
    assert {one["meter_id"] for one in shown} == {*HEALTHY, *HOSTILE, *SILENT}


def test_a_silent_meter_shows_its_open_gap_as_the_alert_tells_it(
    site: Site, workers: tuple[Service, Service]
) -> None:
    alerts = {alert["meter_id"]: alert for alert in site.outputs()[GAP_ALERTS.name].values()}
    for meter in SILENT:
        for worker in workers:
            page = get(worker, f"/meters/{meter}/").json
            (gap,) = page["gaps"]
            told = alerts[meter]
            assert {name: told[name] for name in gap.keys() & told.keys()} == {
                name: gap[name] for name in gap.keys() & told.keys()
            }
            assert gap.keys() >= {
                "gap_id",
                "state",
                "revision",
                "missing_from",
                "missing_to",
                "missing_ranges",
            }
            assert gap["state"] == "OPEN"


def test_a_page_says_what_the_changelog_holds(site: Site, workers: tuple[Service, Service]) -> None:
    partitions = {one["partition"]: one for one in workers[0].page("/partitions/")["partitions"]}
    assert sorted(partitions) == list(range(PARTITIONS))
    for number, one in partitions.items():
        known = [meter for meter in HEALTHY + HOSTILE + SILENT if partition_of(meter, PARTITIONS) == number]
        assert one["meters"] == len(known)
        assert one["open_gaps"] == 1
        assert one["watermark"] == one["last_tick"] == "2024-01-01T11:50:00Z"
        assert one["committed"] == one["end"] == 8 * (len(known) - 1) + 4 + 1 + 1
        assert (one["lag"], one["jump_candidates"]) == (0, 0)
        assert one["empty_since"] is not None
        assert one["owner"] in {worker.url for worker in workers}
    assert workers[1].page("/partitions/")["partitions"] == list(partitions.values())


def test_the_list_of_meters_goes_through_all_workers_in_order_page_by_page(
    workers: tuple[Service, Service],
) -> None:
    for worker in workers:
        seen: list[str] = []
        after = ""
        while True:
            page = get(worker, f"/meters/?limit=7&after={quote(after)}").json
            seen += [one["meter_id"] for one in page["meters"]]
            assert (page["total"], page["incomplete"]) == (len({*HEALTHY, *HOSTILE, *SILENT}), [])
            if page["next"] is None:
                break
            after = page["next"]
        assert seen == sorted({*HEALTHY, *HOSTILE, *SILENT})
        found = get(worker, f"/meters/?prefix={quote('<scr')}").json
        assert [one["meter_id"] for one in found["meters"]] == [HOSTILE[0]]


@pytest.mark.parametrize(
    "sort", ["last_seen", "expected_next", "gap_count", "late_count", "interval_minutes"]
)
def test_every_order_goes_through_all_workers_page_by_page(
    workers: tuple[Service, Service], sort: str
) -> None:
    for order in ("asc", "desc"):
        seen: list[tuple[Any, str]] = []
        after = ""
        while True:
            page = get(workers[1], f"/meters/?limit=11&sort={sort}&order={order}&after={quote(after)}").json
            seen += [(one[sort], one["meter_id"]) for one in page["meters"]]
            assert (page["complete"], page["incomplete"]) == (True, [])
            if page["next"] is None:
                break
            after = page["next"]
        assert {meter_id for _, meter_id in seen} == {*HEALTHY, *HOSTILE, *SILENT}
        assert len(seen) == len({*HEALTHY, *HOSTILE, *SILENT})
        values = [value for value, _ in seen]
        assert values == sorted(values, reverse=order == "desc")


def test_dead_letters_of_all_partitions_are_shown_by_every_worker(workers: tuple[Service, Service]) -> None:
    for worker in workers:
        seen: list[tuple[int, str]] = []
        before = ""
        while True:
            page = get(worker, f"/dead-letters/?limit=4&before={before}").json
            seen += [(one["partition"], one["raw"]) for one in page["dead_letters"]]
            if page["next"] is None:
                break
            before = quote(page["next"])
        assert sorted(seen) == [(partition, REFUSED.decode()) for partition in range(PARTITIONS)]
        html = get(worker, "/dead-letters/", "text/html").body
        assert b"&lt;script&gt;document.title" in html
        assert b"<script>" not in html


def test_the_rates_of_all_workers_are_added_up(workers: tuple[Service, Service]) -> None:
    meters = len({*HEALTHY, *HOSTILE})
    for worker in workers:
        page = get(worker, "/").json
        received = {one["window_start"]: one["readings_received"] for one in page["windows"]}
        # What is refused counts where the watermark stands, ten seconds behind the readings of 11:30.
        assert {start: count for start, count in received.items() if count} == {
            at(11): meters,
            at(11, 25): PARTITIONS,
            at(11, 30): meters,
        }
        assert (page["late_share"], page["readings_invalid"]) == (0.0, PARTITIONS)


def test_gaps_of_all_workers_come_once_page_by_page(workers: tuple[Service, Service]) -> None:
    for worker in workers:
        seen: list[str] = []
        after = ""
        while True:
            page = get(worker, f"/gaps/?limit=2&after={quote(after)}").json
            seen += [one["meter_id"] for one in page["gaps"]]
            assert (page["open_gaps"], page["incomplete"]) == (len(SILENT), [])
            if page["next"] is None:
                break
            after = page["next"]
        assert sorted(seen) == sorted(SILENT)
        assert get(worker, "/gaps/?state=ended").json["gaps"] == []


def test_a_browser_gets_html_and_who_asks_for_json_gets_json(workers: tuple[Service, Service]) -> None:
    pages = (
        "/meters/",
        f"/meters/{SILENT[0]}/",
        "/gaps/",
        "/registry/",
        "/outages/",
        "/partitions/",
        "/dead-letters/",
        "/live/",
        "/ready/",
    )
    for path in ("/", *pages):
        for worker in workers:
            html = get(worker, path, "text/html,application/xhtml+xml,*/*;q=0.8")
            assert (html.status, html.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert html.body.startswith(b"<!doctype html>")
            assert "default-src 'none'" in html.headers["Content-Security-Policy"]
            assert get(worker, path).headers["Content-Type"] == "application/json; charset=utf-8"
            asked = get(worker, f"{path}?format=json", "text/html")
            assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
            assert asked.json.keys() == get(worker, path).json.keys()


def test_a_meter_id_that_is_a_script_stays_text(workers: tuple[Service, Service]) -> None:
    for path in (
        "/meters/",
        f"/meters/{quote(HOSTILE[0], safe='')}/",
        f"/meters/?prefix={quote(HOSTILE[0])}",
    ):
        page = get(workers[0], path, "text/html").body
        assert page.count(b"<script") == page.count(b'<script src="/live.js" defer></script>') == 1
        assert b"&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/meters/NOBODY/", 404, "no meter 'NOBODY' is known"),
        ("/meters/%00partition/", 404, "is known"),
        ("/meters/%FF%FE/", 404, "is known"),
        ("/meters/?limit=0", 400, "limit: '0' is not a whole number from 1 to 1000"),
        ("/meters/?limit=1001", 400, "limit: '1001'"),
        ("/meters/?limit=5&limit=6", 400, "limit: given 2 times"),
        ("/meters/?prefix=%00", 400, "prefix: control characters"),
        ("/meters/?prefx=a", 400, "unknown parameter 'prefx'"),
        ("/meters/?format=xml", 400, "format: 'xml' is not json or html"),
        ("/gaps/?reason=bad", 400, "reason: 'bad' is not one of all, unplanned, planned, never_heard"),
        ("/registry/?status=lost", 400, "status: 'lost' is not one of planned, installed, active"),
        ("/outages/?after=x", 400, "after: 'x' is not a cursor of the list of planned outages"),
        ("/gaps/?state=OPEN", 400, "state: 'OPEN' is not one of all, open, ended"),
        ("/gaps/?after=nowhere", 400, "after: 'nowhere' is not a cursor"),
        ("/gaps/?after=open:77:", 400, "after: 'open:77:' is not a cursor"),
        ("/gaps/?state=open&after=ended:1:2:A", 400, "after: 'ended:1:2:A' is not a cursor"),
        ("/meters/?sort=size", 400, "sort: 'size' is not one of meter_id, last_seen"),
        ("/meters/?order=up", 400, "order: 'up' is not one of asc, desc"),
        ("/meters/?sort=late_count&after=x", 400, "after: 'x' is not a cursor"),
        ("/meters/?id=a&limit=5", 400, "unknown parameter 'limit'"),
        ("/meters/?limit=%3Cscript%3E", 400, "limit: '<script>' is not a whole number"),
        (f"/meters/?prefix={'x' * 1025}", 400, "prefix: longer than 1024 characters"),
        ("/dead-letters/?before=1", 400, "before: '1' is not partition:offset"),
        ("/dead-letters/?before=99:1", 400, "before: '99' is not a whole number from 0 to 5"),
        ("/dead-letters/?limit=201", 400, "limit: '201' is not a whole number from 1 to 200"),
        ("/rates/?x=1", 400, "unknown parameter 'x'"),
        ("/?x=1", 400, "unknown parameter 'x'"),
        (f"/meters/{SILENT[0]}/?x=1", 400, "unknown parameter 'x'"),
        ("/partitions/?x=1", 400, "unknown parameter 'x'"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    workers: tuple[Service, Service], path: str, status: int, reason: str
) -> None:
    as_json = get(workers[0], path)
    if "format=" not in path:
        assert as_json.json["status"] == status
        assert reason in as_json.json["reasons"][0]
    as_html = get(workers[0], path, "text/html")
    assert as_json.status == as_html.status == status
    assert as_html.headers["Content-Type"] == "text/html; charset=utf-8"
    if "format=" not in path:
        assert escape(as_json.json["reasons"][0]) in as_html.body.decode()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_are_read_only(workers: tuple[Service, Service], method: str) -> None:
    for path in ("/", "/meters/", f"/meters/{SILENT[0]}/"):
        assert ask(workers[0], method, path, {}).status == 405


def test_fausts_own_views_work_beside_ours(workers: tuple[Service, Service]) -> None:
    assert get(workers[0], "/table/").json[0]["name"] == "meters"
    assert get(workers[0], "/table/meters/").json["name"] == "meters"
    for worker in workers:
        assert get(worker, f"/table/meters/{SILENT[0]}/", "text/html").json["meter_id"] == SILENT[0]
        owner = get(worker, f"/router/meters/{SILENT[0]}/").json
        shown = worker.page("/partitions/")["partitions"][0]["owner"]
        assert owner == shown


def test_prometheus_reads_every_metric_of_the_partitions_owned(workers: tuple[Service, Service]) -> None:
    partitions: set[str] = set()
    for worker in workers:
        page = get(worker, "/metrics/", "text/plain").body.decode()
        families = {family.name: family for family in text_string_to_metric_families(page)}
        assert {metric.family for metric in metrics_of(WORKER).values()} <= families.keys()
        assert [sample.value for sample in families["gridwatch_ready"].samples] == [1.0]
        owned = {sample.labels["partition"] for sample in families["gridwatch_state_meters"].samples}
        assert not owned & partitions
        partitions |= owned
        for name in ("open_gaps", "consumer_lag_records"):
            values = {sample.value for sample in families[WORKER.prefix + name].samples}
            assert values == ({1.0} if name == "open_gaps" else {0.0})
    assert partitions == {str(number) for number in range(PARTITIONS)}


def test_prometheus_is_told_of_the_regions_by_the_owner_of_their_partition(
    workers: tuple[Service, Service],
) -> None:
    def samples(worker: Service, name: str) -> list[Any]:
        page = get(worker, "/metrics/", "text/plain").body.decode()
        families = {family.name: family for family in text_string_to_metric_families(page)}
        return list(families[WORKER.prefix + name].samples)

    def of_both(name: str) -> list[Any]:
        return [one for worker in workers for one in samples(worker, name)]

    until("all partitions are taken over", lambda: len(of_both("sources_out")) == PARTITIONS, 20)
    partitions = {one.labels["partition"] for one in of_both("sources_out")}
    assert partitions == {str(number) for number in range(PARTITIONS)}
    kinds = {one.labels["kind"] for one in of_both("incidents_open")}
    assert kinds == {"storm", "feeder", "transformer"}
    assert sum(one.value for one in of_both("bundles_emitted")) > 0


def test_a_question_is_handed_on_once_only(workers: tuple[Service, Service]) -> None:
    answers = [
        get(worker, f"/meters/{SILENT[0]}/", **{ASKED_BY: "http://somebody"}).status for worker in workers
    ]
    assert sorted(answers) == [200, 503]


def test_no_page_of_a_worker_says_less_than_all_without_naming_what_is_missing(
    workers: tuple[Service, Service],
) -> None:
    """Last of its module: it kills a worker."""
    first, second = workers
    owners = {one["partition"]: one["owner"] for one in first.page("/partitions/")["partitions"]}
    lost = next(meter for meter in SILENT if owners[partition_of(meter, PARTITIONS)] == second.url)
    second.kill()
    for path in ("/partitions/", "/meters/", "/gaps/", "/"):
        assert second.url in get(first, path).json["incomplete"][0]
    refused = get(first, f"/meters/{lost}/")
    assert refused.status == 503
    assert second.url in refused.json["reasons"][0]
    until("the other worker has taken over", lambda: get(first, f"/meters/{lost}/").status == 200, 90)
    assert get(first, "/meters/").json["incomplete"] == []
    first.wait_until_ready()
