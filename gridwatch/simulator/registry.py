"""The fleet and its regions as CSV: what `--registry` and `--regions-file` write."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from gridwatch.errors import GridwatchError
from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.draws import draw, keys
from gridwatch.simulator.model.fleet import Fleet

METERS_HEAD = (
    "meter_id", "region", "feeder", "transformer", "customer_class", "interval", "timezone", "max_kw",
    "installed_at",
)  # fmt: skip
REGIONS_HEAD = ("region", "capacity_kw", "base_price_per_kwh", "currency", "timezone")
_FIRST_INSTALLED = date(2015, 1, 1)
#: Days after which the last one was: before the first instant that can be simulated.
_INSTALLED_WITHIN = 1800
_CURRENCY = "EUR"


def write_registry(path: Path, fleet: Fleet, zone: str, every: int) -> None:
    """Every meter with its place in the grid."""
    days = draw(keys(fleet.seed, "installed", fleet.number), 0, _INSTALLED_WITHIN).tolist()
    interval = f"{every // 60}m" if every % 60 == 0 else f"{every}s"
    _write(
        path,
        METERS_HEAD,
        (
            (
                meter,
                meter.split("-", 1)[0],
                meter.rsplit("-", 2)[0],
                meter.rsplit("-", 1)[0],
                KINDS[kind].name,
                interval,
                zone,
                KINDS[kind].max_kw,
                f"{_FIRST_INSTALLED + timedelta(days=day)}T00:00:00Z",
            )
            for meter, kind, day in zip(fleet.ids, fleet.kind.tolist(), days, strict=True)
        ),
    )


def write_regions(path: Path, fleet: Fleet, zone: str) -> None:
    """Every region with the power that it is built for: the peaks of its meters, added up."""
    regions = np.arange(len(fleet.region_names), dtype=np.int64)
    cents = draw(keys(fleet.seed, "price", regions), 0, 13)
    _write(
        path,
        REGIONS_HEAD,
        (
            (
                name,
                int(fleet.peak[fleet.region == number].sum()) / 1000,
                f"{0.24 + int(cents[number]) / 100:.4f}",
                _CURRENCY,
                zone,
            )
            for number, name in enumerate(fleet.region_names)
        ),
    )


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head)
            writer.writerows(rows)
    except OSError as problem:
        raise GridwatchError(
            f"{path}: cannot be written: {problem.strerror}", "name another file"
        ) from problem
