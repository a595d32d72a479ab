"""`/metrics/`: every metric is declared once, and has a name, a help and its values."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gridwatch.health.exposition import Samples, exposition
from gridwatch.health.metrics import (
    COUNTER,
    METRICS,
    SERVICES,
    SINK,
    SYSTEM_METRICS,
    WORKER,
    Service,
    metrics_of,
    system_metrics_of,
)
from gridwatch.health.system_metrics import system_metric
from gridwatch.streaming.faust.continuity import CAUSES

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
#: Those that read topics.
CONSUMERS = [service for service in SERVICES if "reread_batches" in metrics_of(service)]


def families(samples: Samples) -> dict[str, Any]:
    body, content_type = exposition(samples, "text/plain")
    assert content_type.startswith("text/plain")
    return {family.name: family for family in text_string_to_metric_families(body.decode())}


def test_every_metric_is_declared_once() -> None:
    old = [metric.deprecated.family for metric in METRICS if metric.deprecated]
    names = [metric.family for metric in METRICS] + old
    assert len(set(names)) == len(names)
    declared = [metric.name for metric in SYSTEM_METRICS]
    assert len(set(declared)) == len(declared)
    assert {metric.service for metric in (*METRICS, *SYSTEM_METRICS)} == set(SERVICES)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.sample)
def test_a_metric_is_named_as_prometheus_wants_it_and_explained(metric: Any) -> None:
    assert re.fullmatch(r"gridwatch_[a-z]+(_[a-z]+)*", metric.family)
    assert metric.sample.endswith("_total") == (metric.kind == COUNTER)
    assert len(metric.meaning) > 10


@each_service
def test_every_metric_of_a_service_is_there_with_its_help_also_without_any_value(service: Service) -> None:
    found = families(Samples(service, *service.labels))
    for metric in metrics_of(service).values():
        family = found[metric.family]
        assert (family.documentation, family.type, family.samples) == (metric.meaning, metric.kind, [])


def test_what_was_measured_is_there_under_its_labels() -> None:
    samples = Samples(WORKER, "smartmeter")
    samples.put("ready", 1.0)
    samples.put("foreign_changelog_rows", 4, "readings")
    samples.put("open_gaps", 7, "readings", 3)
    samples.put("open_gaps", 2, "readings", 0)
    samples.put("jump_candidates", None, "readings", 0)
    found = families(samples)
    gaps = {sample.labels["partition"]: sample.value for sample in found["gridwatch_open_gaps"].samples}
    assert gaps == {"0": 2.0, "3": 7.0}
    assert [sample.value for sample in found["gridwatch_ready"].samples] == [1.0]
    (counted,) = [s for s in found["gridwatch_foreign_changelog_rows"].samples if s.name.endswith("_total")]
    assert (counted.value, counted.labels) == (4.0, {"flow": "smartmeter", "stage": "readings"})
    assert found["gridwatch_jump_candidates"].samples == []


@pytest.mark.parametrize(
    ("name", "labels"),
    [("no_such_thing", ()), ("waiting_seconds", ()), ("ready", ("x",)), ("open_gaps", ("readings",))],
)
def test_a_value_that_is_not_declared_so_is_an_error(name: str, labels: tuple[str, ...]) -> None:
    with pytest.raises(LookupError, match=name):
        Samples(WORKER, "smartmeter").put(name, 1.0, *labels)


def test_a_system_metric_that_is_not_declared_is_an_error() -> None:
    with pytest.raises(LookupError, match="no_such_thing"):
        system_metric("no_such_thing", 0, 1.0, 0, 1)
    assert system_metric("sink_rows", 3, 7, 0, 1_000_000).id == "sink_rows@1970-01-01T00:00:00Z/3"


@pytest.mark.parametrize("service", CONSUMERS, ids=lambda service: service.name)
def test_every_re_read_is_counted_under_its_cause_also_those_that_never_happened(service: Service) -> None:
    samples = Samples(service, *service.labels)
    for cause in CAUSES:
        samples.put("reread_batches", 3.0 if cause == "gap" else 0.0, cause)
    family = families(samples)[f"{service.prefix}reread_batches"]
    assert family.type == "counter"
    counted = {sample.labels["cause"]: sample.value for sample in family.samples}
    assert counted == {"gap": 3.0, "idle": 0.0, "asleep": 0.0, "changelog": 0.0}


def test_only_services_that_read_topics_count_re_reads() -> None:
    assert CONSUMERS == [WORKER, SINK]


def test_the_system_metrics_of_the_topic_are_all_among_those_of_the_worker() -> None:
    shown = {name: metric.meaning for name, metric in metrics_of(WORKER).items()}
    assert system_metrics_of(WORKER).items() <= shown.items()
    assert set(system_metrics_of(SINK)) == {"sink_rows", "sink_commit_seconds"}


@pytest.mark.parametrize(
    ("service", "new", "old", "labels"),
    [
        (WORKER, "gridwatch_stalled_seconds", "gridwatch_standing_seconds", ("readings", 3)),
        (SINK, "gridwatch_sink_stalled_seconds", "gridwatch_sink_standing_seconds", ("a topic", 3)),
        (
            WORKER,
            "gridwatch_watermark_stalled_seconds",
            "gridwatch_watermark_standing_seconds",
            ("readings", 3),
        ),
    ],
)
def test_a_renamed_metric_has_its_values_under_the_old_name_too(
    service: Service, new: str, old: str, labels: tuple[object, ...]
) -> None:
    samples = Samples(service, *service.labels)
    samples.put(new.removeprefix(service.prefix), 7.0, *labels)
    found = families(samples)
    assert found[old].documentation == f"deprecated: use {new}"
    assert [(one.labels, one.value) for one in found[old].samples] == [
        (one.labels, one.value) for one in found[new].samples
    ]
    assert [one.value for one in found[old].samples] == [7.0]


def test_a_deprecated_name_takes_no_values_of_its_own() -> None:
    with pytest.raises(LookupError, match="standing_seconds"):
        Samples(WORKER, "smartmeter").put("standing_seconds", 1.0, "readings", 0)


@each_service
def test_the_process_is_measured_too(service: Service) -> None:
    body, _ = exposition(Samples(service, *service.labels), "")
    assert b"process_resident_memory_bytes" in body


@each_service
def test_open_metrics_are_given_to_those_that_ask_for_them(service: Service) -> None:
    samples = Samples(service, *service.labels)
    body, content_type = exposition(samples, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
