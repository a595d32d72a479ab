"""`/metrics/`: every metric has a name, a help and its values."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from gridwatch.health.measures import SYSTEM_METRICS
from gridwatch.health.prometheus import (
    CAUSE_COUNTERS,
    PARTITION_GAUGES,
    PREFIX,
    WORKER_COUNTERS,
    WORKER_GAUGES,
    Scrape,
    exposition,
)
from gridwatch.streaming.faust.continuity import CAUSES


def test_every_metric_is_there_with_its_help_and_what_was_measured() -> None:
    scrape = Scrape(
        worker={"ready": 1.0, "foreign_changelog_rows": 4.0},
        partitions={3: {"open_gaps": 7.0}, 0: {"open_gaps": 2.0}},
    )
    body, content_type = exposition(scrape, "text/plain")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    for name, meaning in (WORKER_GAUGES | WORKER_COUNTERS | CAUSE_COUNTERS | PARTITION_GAUGES).items():
        assert families[PREFIX + name].documentation == meaning
    gaps = {sample.labels["partition"]: sample.value for sample in families["gridwatch_open_gaps"].samples}
    assert gaps == {"0": 2.0, "3": 7.0}
    assert [sample.value for sample in families["gridwatch_ready"].samples] == [1.0]
    (counted,) = [
        s for s in families["gridwatch_foreign_changelog_rows"].samples if s.name.endswith("_total")
    ]
    assert counted.value == 4.0
    assert content_type.startswith("text/plain")


def test_every_re_read_is_counted_under_its_cause_also_those_that_never_happened() -> None:
    body, _ = exposition(Scrape(causes=dict.fromkeys(CAUSES, 0.0) | {"gap": 3.0}), "text/plain")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    family = families["gridwatch_reread_batches"]
    assert family.type == "counter"
    counted = {sample.labels["cause"]: sample.value for sample in family.samples}
    assert counted == {"gap": 3.0, "idle": 0.0, "asleep": 0.0, "changelog": 0.0}


def test_the_system_metrics_of_the_topic_are_all_among_them() -> None:
    assert SYSTEM_METRICS.items() <= PARTITION_GAUGES.items()


def test_the_process_is_measured_too() -> None:
    body, _ = exposition(Scrape(), "")
    assert b"process_resident_memory_bytes" in body
