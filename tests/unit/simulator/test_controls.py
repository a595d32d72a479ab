"""The fleet is registered before its readings, by records that the worker takes."""

from __future__ import annotations

import json

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import MINUTE
from gridwatch.domain.reading import CONTROL_VERSION
from gridwatch.domain.registry.records import MeterRecord, RegionRecord, meter_record, region_record
from gridwatch.simulator.model.fleet import make_fleet
from gridwatch.simulator.registry import controls
from gridwatch.topics import REGION_HEADER, REGISTRY_HEADER

AS_OF = parse_instant("2026-03-02T06:00Z")[0]


def test_every_region_goes_to_all_partitions_and_every_meter_to_its_own() -> None:
    fleet = make_fleet(3, 50, 2)
    made = list(controls(fleet, "Europe/Berlin", 900, AS_OF))
    assert [(one.header, one.key, one.everywhere) for one in made] == [
        (REGION_HEADER, "R01", True),
        (REGION_HEADER, "R02", True),
        *((REGISTRY_HEADER, meter, False) for meter in fleet.ids),
    ]
    assert {one.version for one in made} == {CONTROL_VERSION}


def test_a_meter_is_active_as_of_the_first_reading_with_its_interval_and_place() -> None:
    fleet = make_fleet(3, 50, 2)
    for every, interval in ((900, 15 * MINUTE), (10, MINUTE // 6), (86_400, 1440 * MINUTE)):
        for one in controls(fleet, "Europe/Berlin", every, AS_OF):
            fields = json.loads(one.value)
            if one.everywhere:
                region = region_record(fields, "UTC")
                assert isinstance(region, RegionRecord)
                assert (region.version, region.as_of, region.currency) == (1, AS_OF, "EUR")
                assert region.capacity_kw > 0
                continue
            meter = meter_record(fields, "UTC")
            assert isinstance(meter, MeterRecord)
            assert (meter.meter_id, meter.status, meter.version) == (one.key, "active", 1)
            # A day of 24 hours, not one of the calendar: readings are as far apart.
            assert (meter.interval, meter.calendar) == (interval, None)
            assert (meter.as_of, meter.transformer) == (AS_OF, one.key.rsplit("-", 1)[0])
            assert meter.customer_class


def test_the_same_fleet_is_registered_in_the_same_words() -> None:
    first, again = (list(controls(make_fleet(3, 20, 2), "UTC", 900, AS_OF)) for _ in range(2))
    assert first == again
