"""Meters are dealt to regions, feeders and transformers, the same way every time."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np

from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.fleet import make_fleet
from gridwatch.simulator.registry import METERS_HEAD, REGIONS_HEAD, write_regions, write_registry


def test_meters_are_dealt_evenly_and_their_ids_rise() -> None:
    fleet = make_fleet(0, 1000, 3)
    assert Counter(name.split("-")[0] for name in fleet.ids) == {"R01": 334, "R02": 333, "R03": 333}
    assert list(fleet.ids) == sorted(set(fleet.ids))
    transformers = Counter(name.rsplit("-", 1)[0] for name in fleet.ids)
    assert max(transformers.values()) == 40
    feeders = Counter(name.rsplit("-", 1)[0] for name in transformers)
    assert max(feeders.values()) == 6
    assert len(feeders) == len(fleet.feeder_starts)


def test_a_meter_is_the_same_in_a_larger_fleet() -> None:
    small, large = make_fleet(5, 90, 3), make_fleet(5, 900, 3)
    places = [large.ids.index(name) for name in small.ids]
    for name in ("number", "region", "kind", "scale", "place"):
        assert (getattr(large, name)[places] == getattr(small, name)).all()


def test_another_seed_makes_other_meters_at_the_same_places() -> None:
    one, other = make_fleet(1, 500, 2), make_fleet(2, 500, 2)
    assert one.ids == other.ids
    assert (one.kind != other.kind).any()
    assert (one.scale != other.scale).any()


def test_every_class_has_its_share() -> None:
    fleet = make_fleet(3, 50_000, 5)
    assert sum(kind.share for kind in KINDS) == 1000
    for number, kind in enumerate(KINDS):
        assert abs((fleet.kind == number).mean() * 1000 / kind.share - 1) < 0.15, kind.name


def test_no_appliance_runs_into_the_day_after_the_next() -> None:
    for kind in KINDS:
        for appliance in kind.appliances:
            # It runs for twice its mean at most, and starts within the day.
            assert 2 * appliance.minutes <= 1440, appliance.name


def test_a_scope_is_a_region_feeder_transformer_or_meter() -> None:
    fleet = make_fleet(0, 2000, 2)
    assert len(fleet.below("R01")) == 1000
    assert len(fleet.below("R01-F0001")) == 240
    assert len(fleet.below("R01-F0001-T2")) == 40
    assert [fleet.ids[at] for at in fleet.below(fleet.ids[17])] == [fleet.ids[17]]
    for unknown in ("R03", "R0", "R01-F00", ""):
        assert not len(fleet.below(unknown))


def test_the_registry_and_the_regions_are_written_as_csv(tmp_path: Path) -> None:
    fleet = make_fleet(0, 300, 2)
    write_registry(tmp_path / "meters.csv", fleet, "Europe/Berlin", 90)
    write_regions(tmp_path / "regions.csv", fleet, "Europe/Berlin")
    with (tmp_path / "meters.csv").open() as file:
        meters = list(csv.DictReader(file))
    assert tuple(meters[0]) == METERS_HEAD
    assert [meter["meter_id"] for meter in meters] == list(fleet.ids)
    for meter in meters:
        assert meter["meter_id"].startswith(f"{meter['transformer']}-")
        assert meter["transformer"].startswith(f"{meter['feeder']}-")
        assert meter["feeder"].startswith(f"{meter['region']}-")
        assert meter["interval"] == "90s"
        assert datetime.fromisoformat(meter["installed_at"]).year < 2020
    with (tmp_path / "regions.csv").open() as file:
        regions = list(csv.DictReader(file))
    assert tuple(regions[0]) == REGIONS_HEAD
    assert [region["region"] for region in regions] == ["R01", "R02"]
    capacity = sum(float(region["capacity_kw"]) for region in regions)
    assert abs(capacity - int(np.sum(fleet.peak)) / 1000) < 0.001
    for region in regions:
        assert 0.2 < float(region["base_price_per_kwh"]) < 0.4
