"""Registrations, regions and outages as the worker keeps them."""

from __future__ import annotations

from typing import Any

from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.partition.registry import OUTAGE, REGION, REGISTERED
from gridwatch.domain.registry.entry import Entry
from gridwatch.domain.registry.outages import Outage, Piece
from gridwatch.domain.registry.records import RegionRecord
from gridwatch.domain.registry.registration import Registration
from tests.unit.views.test_state import HALF_HOUR, TEN

DAY = 48 * HALF_HOUR


def registered(*entries: tuple[int, Entry], applied: int = 1, **changes: Any) -> Registration:
    """One with these entries, of which the first `applied` hold; active since ten if there are none."""
    made = Registration()
    made.version = 3
    made.entries = entries or ((TEN, Entry("active", region="R01")),)
    made.applied = applied
    made.watch_from = TEN
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def unheard(*, planned: bool = False) -> Registration:
    """One that was not heard for a day."""
    gap = Gap(TEN, TEN + DAY - HALF_HOUR, HALF_HOUR, TEN + DAY, planned=planned, revision=1)
    return registered(gap=gap)


def named(
    registrations: dict[str, Registration] | None = None,
    outages: dict[str, Outage] | None = None,
    regions: tuple[RegionRecord, ...] = (),
) -> dict[str, Any]:
    """States by their names."""
    return {
        **{REGISTERED + name: one for name, one in (registrations or {}).items()},
        **{OUTAGE + name: one for name, one in (outages or {}).items()},
        **{REGION + one.region: one for one in regions},
    }


def region(name: str, version: int = 1, **changes: Any) -> RegionRecord:
    return RegionRecord(name, version, 500.0, 0.31, "EUR", "Europe/Berlin", (), None, TEN)._replace(**changes)


def outage(since: int, until: int, scope: str = "region", target: str = "R01", version: int = 1) -> Outage:
    return Outage(version, (Piece(since, until, scope, target),), until, "cable works")
