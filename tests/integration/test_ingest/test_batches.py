"""Batches over HTTP: what is accepted is in Kafka by the time of the answer, what is not has its reasons."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from gridwatch.deployment.service import Service
from gridwatch.domain.partitioning import partition_of
from tests.integration.test_ingest.entrance import JSON, LINES, PATH, ask, encoded, in_kafka, reading, send
from tests.processes import Site
from tests.records import PARTITIONS

pytestmark = pytest.mark.integration

GZIP = JSON | {"Content-Encoding": "gzip"}


def test_bad_readings_are_named_by_their_place_and_the_others_are_in_kafka(
    site: Site, ingest: Service
) -> None:
    meters = [f"BATCH_{number:04d}" for number in range(12)]
    batch: list[Any] = [reading(meter) for meter in meters]
    batch[2] = reading("")
    batch[5] = {**batch[5], "consumption_kwh": "much"}
    batch[11] = "no reading"
    answer = send(ingest, batch)
    assert answer.status == 202
    assert answer.content["accepted"] == 9
    assert [(one["index"], one["reasons"]) for one in answer.content["rejected"]] == [
        (2, ["BAD_METER_ID"]),
        (5, ["NOT_A_NUMBER"]),
        (11, ["NOT_AN_OBJECT"]),
    ]
    records = in_kafka(site.bootstrap, *meters)
    for at, meter in enumerate(meters):
        if at in (2, 5, 11):
            assert records[meter] == []
            continue
        (record,) = records[meter]
        assert record.partition() == partition_of(meter, PARTITIONS)
        value = json.loads(record.value())
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value.pop("ingested_at"))
        assert value == batch[at]


def test_a_batch_of_bad_readings_only_is_refused_with_the_reasons_of_each(ingest: Service) -> None:
    answer = send(ingest, [{"meter_id": "A"}, 7])
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.content["accepted"] == 0
    assert [one["index"] for one in answer.content["rejected"]] == [0, 1]


@pytest.mark.parametrize("form", ["array", "envelope", "lines", "gzip", "two gzip members", "chunked"])
def test_every_form_of_a_body_is_read_to_its_end(site: Site, ingest: Service, form: str) -> None:
    meters = [f"FORM_{form.replace(' ', '_')}_{number}" for number in range(30)]
    batch = [reading(meter) for meter in meters]
    lines = "".join(json.dumps(one) + "\n" for one in batch).encode()
    body, headers = {
        "array": (encoded(batch), JSON),
        "envelope": (json.dumps({"readings": batch}).encode(), JSON),
        "lines": (lines, LINES),
        "gzip": (gzip.compress(encoded(batch)), GZIP),
        "two gzip members": (
            gzip.compress(lines[:1000]) + gzip.compress(lines[1000:]),
            LINES | {"Content-Encoding": "gzip"},
        ),
        "chunked": (iter([encoded(batch)[:100], encoded(batch)[100:]]), JSON),
    }[form]
    answer = ask(ingest, body, headers)
    assert (answer.status, answer.content["accepted"], answer.content["rejected"]) == (202, 30, [])
    assert {len(records) for records in in_kafka(site.bootstrap, *meters).values()} == {1}


def test_the_order_of_a_meter_is_that_of_its_readings(site: Site, ingest: Service) -> None:
    for first in (0, 50):
        batch = [reading("ORDERED", number, more=number) for number in range(first, first + 50)]
        assert send(ingest, batch).status == 202
    records = in_kafka(site.bootstrap, "ORDERED")["ORDERED"]
    assert [json.loads(record.value())["more"] for record in records] == list(range(100))


def test_a_stamp_of_somebody_else_is_replaced_and_nothing_else_changes(site: Site, ingest: Service) -> None:
    element = json.dumps(reading("STAMPED"), separators=(",", ":"))[:-1]
    for stamp in (r'"ingested_at":1', r'"ingested\u005fat":1'):
        body = f'[{element},"big":{"7" * 5000},"huge":1e999,"half":"\\ud800",{stamp}}}]'
        answer = ask(ingest, body.encode())
        assert answer.status == 202, answer.content
    for record in in_kafka(site.bootstrap, "STAMPED")["STAMPED"]:
        text = record.value().decode()
        assert text.startswith(
            f'{element},"big":{"7" * 5000},"huge":1e999,"half":"\\ud800","ingested_at":"20'
        )
        assert "005f" not in text


def test_the_telemetry_profile_asks_for_more(ingest: Service) -> None:
    whole = reading("TELEMETRY", voltage=230.0, current=1.0, power_kw=0.23, energy_kwh=0.01)
    del whole["consumption_kwh"]
    for batch, status in (([whole], 202), ([reading("TELEMETRY")], 400)):
        answer = ask(ingest, encoded(batch), path=f"{PATH}?profile=telemetry")
        assert answer.status == status, answer.content


MANY = b"[" + b",".join([b"{}"] * 5001) + b"]"
REFUSED: dict[str, tuple[bytes, Mapping[str, str], str, int, str]] = {
    "no JSON": (b"[{", JSON, PATH, 400, "bad-body"),
    "nothing": (b"", JSON, PATH, 400, "bad-body"),
    "no reading": (b"[]", JSON, PATH, 400, "bad-body"),
    "no array": (b'{"meter_id":"A"}', JSON, PATH, 400, "bad-body"),
    "no UTF-8": (b'["\xe4"]', JSON, PATH, 400, "bad-body"),
    "no gzip": (b"[]", GZIP, PATH, 400, "bad-body"),
    "half of its gzip": (gzip.compress(b"[{}]")[:-9], GZIP, PATH, 400, "bad-body"),
    "10,000 deep": (b"[" * 10_000 + b"]" * 10_000, JSON, PATH, 400, "bad-body"),
    "a profile of its own": (b"[{}]", JSON, f"{PATH}?profile=mine", 400, "bad-request"),
    "no such page": (b"[{}]", JSON, "/telemetry", 404, "not-found"),
    "too many": (MANY, JSON, PATH, 413, "too-large"),
    "too many lines": (b"1\n" * 5001, LINES, PATH, 413, "too-large"),
    "too many values": (b"[" + b"1," * 300_000 + b"1]", JSON, PATH, 413, "too-large"),
    "blank lines": (b"\n" * 4_000_000, LINES, PATH, 413, "too-large"),
    "too large": (b"[" + b" " * 5_000_000 + b"]", JSON, PATH, 413, "too-large"),
    "text": (b"[{}]", {"Content-Type": "text/plain"}, PATH, 415, "media-type"),
    "no type": (b"[{}]", {}, PATH, 415, "media-type"),
    "Latin-1": (b"[{}]", {"Content-Type": "application/json; charset=latin-1"}, PATH, 415, "media-type"),
    "Brotli": (b"[{}]", JSON | {"Content-Encoding": "br"}, PATH, 415, "media-type"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_is_refused_has_its_status_and_kind(ingest: Service, case: str) -> None:
    body, headers, path, status, kind = REFUSED[case]
    answer = ask(ingest, body, headers, path=path)
    assert (answer.status, answer.kind) == (status, kind)
    assert answer.content["request_id"] == answer.headers["x-request-id"]
    assert len(answer.content["detail"]) < 400


def test_another_method_is_told_which_one_is_right(ingest: Service) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = ask(ingest, None, {}, method=method)
        assert (answer.status, answer.kind, answer.headers["allow"]) == (405, "method", "POST")


def test_the_id_of_a_request_is_given_back_if_it_is_one(ingest: Service) -> None:
    answer = send(ingest, [reading("ID")], JSON | {"X-Request-ID": "head-end/7:a_b.c-d"})
    assert answer.headers["x-request-id"] == answer.content["request_id"] == "head-end/7:a_b.c-d"
    for strange in ("a b", "x" * 129, "ü", "<script>", ""):
        given = send(ingest, [reading("ID")], JSON | {"X-Request-ID": strange}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", given)


def test_several_clients_lose_nothing_and_get_nothing_twice(site: Site, ingest: Service) -> None:
    meters = [f"CLIENT_{number}" for number in range(8)]
    answers: list[int] = []

    def client(meter: str) -> None:
        for first in range(0, 200, 20):
            batch = [reading(meter, number) for number in range(first, first + 20)]
            answers.append(send(ingest, batch).status)

    threads = [threading.Thread(target=client, args=(meter,)) for meter in meters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 80
    for meter, records in in_kafka(site.bootstrap, *meters).items():
        times = [json.loads(record.value())["timestamp"] for record in records]
        assert len(set(times)) == len(times) == 200, meter


def test_the_pages_of_health_are_there(ingest: Service) -> None:
    assert (ingest.status("/live/"), ingest.status("/ready/")) == (200, 200)
    before = _samples(ingest)
    send(ingest, [reading("COUNTED"), reading("")])
    after = _samples(ingest)
    for name, more in (
        ("accepted_readings_total", 1.0),
        ('rejected_readings_total{reason="BAD_METER_ID"}', 1.0),
        ('answers_total{status="202"}', 1.0),
    ):
        metric = f"gridwatch_ingest_{name}"
        assert after[metric] - before.get(metric, 0.0) == more
    assert after["gridwatch_ingest_pending_bytes"] == 0.0
    assert ingest.page("/openapi.json")["info"]["title"] == "gridwatch ingest"


def _samples(service: Service) -> dict[str, float]:
    lines = service.text("/metrics/").splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[:1] != "#"
    }
