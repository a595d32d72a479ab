"""The alert rules: each names metrics that there are, how long it waits, and its remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gridwatch.health.metrics import METRICS
from gridwatch.models.incident import IncidentKind

RULES = (Path(__file__).parents[3] / "dashboards" / "alerts.yml").read_text(encoding="utf-8")
ALERTS = {block.split("\n", 1)[0].strip(): block for block in RULES.split("- alert:")[1:]}
#: What an alert that waits for nothing looks at: counts over an hour do not flicker.
OVER_TIME = "increase("


def known() -> set[str]:
    """Every sample name that a service exposes."""
    return {metric.sample for metric in METRICS}


def field(block: str, name: str) -> str:
    found = re.search(rf"^ +{name}: *(.+)$", block, re.MULTILINE)
    assert found, f"no {name} in {block}"
    return found[1].strip()


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_reads_metrics_that_there_are(alert: str) -> None:
    asked = set(re.findall(r"gridwatch_\w+", field(ALERTS[alert], "expr")))
    assert asked
    assert asked <= known()


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_waits_says_how_bad_it_is_and_names_the_remedy(alert: str) -> None:
    block = ALERTS[alert]
    if OVER_TIME not in field(block, "expr"):
        assert re.fullmatch(r"\d+[sm]", field(block, "for"))
    assert re.search(r"severity: (critical|warning)", field(block, "labels"))
    assert field(block, "summary").endswith((".", '."'))
    assert len(field(block, "remedy").split()) > 5


@pytest.mark.parametrize(
    "metric",
    [
        "gridwatch_partitions_owned",
        "gridwatch_stalled_seconds",
        "gridwatch_consumer_lag_records",
        "gridwatch_commit_age_seconds",
        "gridwatch_sink_waiting_seconds",
        "gridwatch_watermark_stalled_seconds",
        "gridwatch_tick_overdue_seconds",
        "gridwatch_ack_wait_seconds",
        "gridwatch_foreign_changelog_rows_total",
        "gridwatch_undecodable",
        "gridwatch_open_transaction_seconds",
        "gridwatch_dead_letter_run",
        "gridwatch_reread_batches_total",
        "gridwatch_regional_windows_emitted_total",
        "gridwatch_unpublished_age_seconds",
        "gridwatch_sources_out",
        "gridwatch_incidents_open",
        "gridwatch_region_load_percent",
        "gridwatch_ingest_ready",
        "gridwatch_ingest_ack_wait_seconds",
        "gridwatch_ingest_rejected_readings_total",
        "gridwatch_bridge_ready",
        "gridwatch_bridge_connected",
        "gridwatch_bridge_ack_wait_seconds",
        "gridwatch_bridge_dead_letters_total",
        "gridwatch_bridge_dropped_messages_total",
    ],
)
def test_every_kind_of_silence_has_an_alert(metric: str) -> None:
    assert any(metric in re.findall(r"gridwatch_\w+", field(block, "expr")) for block in ALERTS.values())


@pytest.mark.parametrize(
    ("alert", "severity"), [("GridwatchStorm", "critical"), ("GridwatchIncident", "warning")]
)
def test_a_storm_is_critical_and_a_narrower_incident_is_a_warning(alert: str, severity: str) -> None:
    assert f"severity: {severity}" in field(ALERTS[alert], "labels")
    kinds = [kind for kind in get_args(IncidentKind) if (kind == "storm") == (severity == "critical")]
    matched = re.search(r'kind(!?=)"(\w+)"', field(ALERTS[alert], "expr"))
    assert matched
    assert [kind for kind in get_args(IncidentKind) if (kind == matched[2]) == (matched[1] == "=")] == kinds


def test_no_plain_value_reads_as_yaml_of_another_kind() -> None:
    for line in RULES.splitlines():
        plain = re.match(r" +(?:- )?\w+: ([^\"{].*)$", line)
        assert not plain or (": " not in plain[1] and " #" not in plain[1]), line


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_names_labels_only_that_its_metrics_have(alert: str) -> None:
    asked = set(re.findall(r"gridwatch_\w+", field(ALERTS[alert], "expr")))
    labels = [{*metric.all_labels, "instance"} for metric in METRICS if metric.sample in asked]
    assert set(re.findall(r"\$labels\.(\w+)", ALERTS[alert])) <= set.intersection(*labels)
