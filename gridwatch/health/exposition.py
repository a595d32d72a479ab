"""What Prometheus reads at `/metrics/`: the metrics of one service, with the values of this moment.

The registry of prometheus_client is made for one scrape, so nothing of a library's appears by accident, and
nothing has to be kept up to date in between.
"""

from __future__ import annotations

from collections.abc import Iterable

import prometheus_client.core as families
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gridwatch.health.metrics import COUNTER, Metric, Service, metrics_of


class Samples(Collector):
    """The values of one scrape, under the names that `metrics.py` declares for a service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._declared = metrics_of(service)
        self._values: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in self._declared}

    def put(self, name: str, value: float | None, *labels: object) -> None:
        """Give a metric its value, for these values of its labels; None is no value.

        LookupError for a name that is not declared, or not with so many labels.
        """
        metric = self._declared.get(name)
        if metric is None or len(labels) != len(metric.labels):
            raise LookupError(
                f"{self.service.name}: no metric {name} with {len(labels)} labels is declared in"
                " gridwatch/health/metrics.py"
            )
        if value is not None:
            self._values[name][tuple(map(str, labels))] = float(value)

    def collect(self) -> Iterable[families.Metric]:
        """All metric families, those without a value too, and the deprecated names last."""
        declared = self._declared.items()
        return [
            *(_family(metric, self._values[name]) for name, metric in declared),
            *(_family(old, self._values[name]) for name, metric in declared if (old := metric.deprecated)),
        ]


def _family(
    metric: Metric, values: dict[tuple[str, ...], float]
) -> families.CounterMetricFamily | families.GaugeMetricFamily:
    kind = families.CounterMetricFamily if metric.kind == COUNTER else families.GaugeMetricFamily
    family = kind(metric.family, metric.meaning, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def exposition(samples: Samples, accept: str) -> tuple[bytes, str]:
    """The samples and the process's own metrics as text, and its content type, in the form asked for.

    Args:
        accept: the header of that name; OpenMetrics for those that want it, else Prometheus' own text.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(samples)
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
