"""The fleet and its regions for the registry: as control records before the readings, and as CSV, which
`--registry` and `--regions-file` write."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from gridwatch.domain.instants import format_instant
from gridwatch.domain.reading import CONTROL_VERSION
from gridwatch.domain.registry.records import ACTIVE
from gridwatch.errors import GridwatchError
from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.draws import draw, keys
from gridwatch.simulator.model.fleet import Fleet
from gridwatch.topics import REGION_HEADER, REGISTRY_HEADER
from replay.order.emission import Control

METERS_HEAD = (
    "meter_id", "region", "feeder", "transformer", "customer_class", "interval", "timezone", "max_kw",
    "installed_at",
)  # fmt: skip
REGIONS_HEAD = ("region", "capacity_kw", "base_price_per_kwh", "currency", "timezone")
_FIRST_INSTALLED = date(2015, 1, 1)
#: Days after which the last one was: before the first instant that can be simulated.
_INSTALLED_WITHIN = 1800
_CURRENCY = "EUR"


def controls(fleet: Fleet, zone: str, every: int, as_of: int) -> Iterator[Control]:
    """The control records of regions and meters, as of the beginning of the run (µs): version 1 of each, so
    that what a partition knows already stands."""
    said = {"version": 1, "as_of": format_instant(as_of)}
    for row in _regions(fleet, zone):
        region = dict(zip(REGIONS_HEAD, row, strict=True))
        region["base_price_per_kwh"] = float(region["base_price_per_kwh"])
        value = json.dumps({**region, **said}, separators=(",", ":")).encode()
        yield Control(REGION_HEADER, CONTROL_VERSION, region["region"], value, everywhere=True)
    for row in _meters(fleet, zone, every):
        meter = dict(zip(METERS_HEAD, row, strict=True))
        value = json.dumps({**meter, "status": ACTIVE, **said}, separators=(",", ":")).encode()
        yield Control(REGISTRY_HEADER, CONTROL_VERSION, meter["meter_id"], value)


def write_registry(path: Path, fleet: Fleet, zone: str, every: int) -> None:
    """Every meter with its place in the grid."""
    _write(path, METERS_HEAD, _meters(fleet, zone, every))


def write_regions(path: Path, fleet: Fleet, zone: str) -> None:
    """Every region with the power that it is built for."""
    _write(path, REGIONS_HEAD, _regions(fleet, zone))


def _meters(fleet: Fleet, zone: str, every: int) -> Iterator[tuple[Any, ...]]:
    days = draw(keys(fleet.seed, "installed", fleet.number), 0, _INSTALLED_WITHIN).tolist()
    interval = f"{every // 60}m" if every % 60 == 0 else f"{every}s"
    for meter, kind, day in zip(fleet.ids, fleet.kind.tolist(), days, strict=True):
        yield (
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


def _regions(fleet: Fleet, zone: str) -> Iterator[tuple[Any, ...]]:
    """A region is built for the peaks of its meters, added up."""
    regions = np.arange(len(fleet.region_names), dtype=np.int64)
    cents = draw(keys(fleet.seed, "price", regions), 0, 13)
    for number, name in enumerate(fleet.region_names):
        yield (
            name,
            int(fleet.peak[fleet.region == number].sum()) / 1000,
            f"{0.24 + int(cents[number]) / 100:.4f}",
            _CURRENCY,
            zone,
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
