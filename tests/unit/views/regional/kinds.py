"""Rows of regions, incidents and bundles, as the regional topics have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.models.incident import Incident
from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.settings import Settings
from gridwatch.topics import INCIDENTS, REGIONAL_AGGREGATES, REGIONAL_PARTIALS
from gridwatch.views.log_tail import Record
from gridwatch.views.regional.log import RegionalLog
from gridwatch.views.regional.rows import QUARTER
from tests.unit.views.fakes import SETTINGS, Log
from tests.unit.views.test_state import TEN

MINUTE = QUARTER // 15


def row(
    region: str = "R01", quarter: int = 0, load: float | None = 50.0, **changes: Any
) -> RegionalAggregate:
    """The window so many quarters of an hour after ten o'clock, with a capacity of 200 kW."""
    start = TEN + quarter * QUARTER
    usual = RegionalAggregate(
        id=f"{region}@{format_instant(start)}",
        region=region,
        window_start=format_instant(start),
        window_end=format_instant(start + QUARTER),
        revision=1,
        state="PRELIMINARY",
        complete=True,
        quality="INSUFFICIENT" if load is None else "OK",
        meters_active=100,
        meters_reporting=97,
        completeness=0.5 if load is None else 0.97,
        energy_kwh_sum=12.5 if load is None else load / 2,
        load_kw=None if load is None else load * 2,
        power_kw_min=None if load is None else load * 1.9,
        power_kw_max=None if load is None else load * 2.2,
        capacity_kw=200.0,
        load_percentage=load,
        prorated=False,
        uncovered=3,
    )
    return msgspec.structs.replace(usual, **changes)


def incident(
    target: str = "F1", minute: int = 0, kind: str = "feeder", region: str = "R01", **changes: Any
) -> Incident:
    """An incident that began so many minutes after ten o'clock, and was changed five minutes later."""
    started = format_instant(TEN + minute * MINUTE)
    scope = target if kind == "storm" else f"{region}/{target}"
    usual = Incident(
        id=f"{kind}:{scope}@{started}",
        kind=cast(Any, kind),
        region=region,
        target=target,
        state="OPEN",
        revision=1,
        started_at=started,
        updated_at=format_instant(TEN + (minute + 5) * MINUTE),
        ended_at=None,
        meters_open=3,
        meters_active=4,
        meters_peak=3,
        meters=["M1", "M2", "M3"],
        parent_id=None,
    )
    return msgspec.structs.replace(usual, **changes)


def closed(one: Incident, **changes: Any) -> Incident:
    """Its next revision, which ends it."""
    ended = {"state": "CLOSED", "ended_at": one.updated_at, "meters_open": 0, "meters": []}
    return msgspec.structs.replace(one, revision=one.revision + 1, **cast(Any, ended), **changes)


def bundle(partition: int, minute: int, flow: str = "smartmeter") -> dict[str, Any]:
    """What a source says as its watermark crosses a minute."""
    watermark = format_instant(TEN + minute * MINUTE)
    lists: dict[str, Any] = {"windows": [], "groups": [], "regions": []}
    return {"version": 1, "flow": flow, "partition": partition, "watermark": watermark} | lists


def out(partition: int, flow: str = "smartmeter") -> dict[str, Any]:
    return {"flow": flow, "partition": partition}


def laid(keyed: Iterable[tuple[str, Any]], partitions: int = 4) -> dict[int, list[Record]]:
    """Records by the partition of their key, in order."""
    topic: dict[int, list[Record]] = {}
    for key, value in keyed:
        records = topic.setdefault(partition_of(key, partitions), [])
        body = value if isinstance(value, bytes) else msgspec.json.encode(value)
        records.append(Record(partition_of(key, partitions), len(records), 0, key.encode(), body))
    return topic


def log_of(
    rows: Iterable[RegionalAggregate] = (),
    incidents: Iterable[Incident] = (),
    bundles: Iterable[dict[str, Any]] = (),
) -> Log:
    """The three topics."""
    sources = [Record(0, at, 0, b"", msgspec.json.encode(one)) for at, one in enumerate(bundles)]
    return Log(
        **{
            REGIONAL_AGGREGATES.name: laid((one.region, one) for one in rows),
            INCIDENTS.name: laid((one.id, one) for one in incidents),
            REGIONAL_PARTIALS.name: {0: sources},
        }
    )


def regional(log: Log | None = None, settings: Settings = SETTINGS) -> RegionalLog:
    return RegionalLog(settings, cast(Any, log_of() if log is None else log))
