"""Renders `/metrics/` for Prometheus: the metrics of one service with their current values.

Each scrape gets its own registry of prometheus_client, so no library adds metrics by accident, and no value
has to be updated between scrapes.
"""

from __future__ import annotations

from collections.abc import Iterable

import prometheus_client.core as families
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gridwatch.health.metrics import COUNTER, Metric, Service, metrics_of


class Samples(Collector):
    """The values of one scrape, under the names that `metrics.py` declares for a service.

    Args:
        process: the values of the service's own labels.
    """

    def __init__(self, service: Service, *process: str) -> None:
        if len(process) != len(service.labels):
            raise LookupError(f"the metrics of a {service.name} have the labels {', '.join(service.labels)}")
        self.service = service
        self._process = process
        self._declared = metrics_of(service)
        self._values: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in self._declared}

    def put(self, name: str, value: float | None, *labels: object) -> None:
        """Set the value of a metric for these label values; None sets nothing.

        LookupError for a name that is not declared, or not with so many labels.
        """
        metric = self._declared.get(name)
        if metric is None or len(labels) != len(metric.labels):
            raise LookupError(
                f"{self.service.name}: no metric {name} with {len(labels)} labels is declared in"
                " gridwatch/health/metrics.py"
            )
        if value is not None:
            self._values[name][*self._process, *map(str, labels)] = float(value)

    def collect(self) -> Iterable[families.Metric]:
        """All metric families, also those without a value; deprecated names come last."""
        declared = self._declared.items()
        return [
            *(_family(metric, self._values[name]) for name, metric in declared),
            *(_family(old, self._values[name]) for name, metric in declared if (old := metric.deprecated)),
        ]


def _family(
    metric: Metric, values: dict[tuple[str, ...], float]
) -> families.CounterMetricFamily | families.GaugeMetricFamily:
    kind = families.CounterMetricFamily if metric.kind == COUNTER else families.GaugeMetricFamily
    family = kind(metric.family, metric.meaning, labels=metric.all_labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def exposition(samples: Samples, accept: str) -> tuple[bytes, str]:
    """The samples and the process metrics as text, and its content type.

    Args:
        accept: the header of that name; OpenMetrics if it asks for that, else the text format of Prometheus.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(samples)
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
