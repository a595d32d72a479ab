"""Extrapolates from measurements to the capacity for a country: every line with its arithmetic.

Figures come from the kept results (`benchmarks/kept/`); what cannot be measured here is a named assumption,
in `Assumptions`. `docs/capacity.md` shows the lines, and is regenerated with the results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from gridwatch.topics import RAW, VALIDATED

_GIB = 1024**3
_TB = 1e12
#: Bytes per second of a modest broker, replication included: an estimate.
_BROKER_BYTES = 50e6
_HOURS = 730  # of a month


@dataclass(frozen=True)
class Assumptions:
    """What is chosen or estimated, not measured."""

    meters: int = 30_000_000
    interval_minutes: float = 15.0
    #: The utilisation of a core in steady state: the rest is for catching up, rebalances and pages.
    busy: float = 0.5
    #: Memory of a worker for its meters, GiB.
    worker_gib: float = 4.0
    #: Maximum recovery time of a worker that has lost its disk, seconds.
    recovery_seconds: float = 60.0
    copies: int = 3
    #: TimescaleDB's compression ratio for old chunks of readings: not measured here.
    compression: float = 10.0
    uncompressed_days: float = 30.0
    kept_days: float = 365.0
    #: Orders of magnitude of list prices, US dollars: a core with 4 GiB for an hour, and a GB of SSD for a
    #: month.
    core_hour: float = 0.05
    gb_month: float = 0.08


@dataclass(frozen=True)
class Measured:
    """The kept results as seconds and bytes per reading or meter."""

    cost: float
    base_bytes: float
    meter_bytes: float
    raw_bytes: float
    validated_bytes: float
    changelog_bytes: float
    state_bytes: float
    recovery: float
    sink_cost: float
    database_cost: float
    row_bytes: float


@dataclass(frozen=True)
class Line:
    """One step of the calculation."""

    what: str
    how: str
    result: str


def measured(scale: Mapping[str, Any], latency: Mapping[str, Any], sink: list[dict[str, Any]]) -> Measured:
    """Extract the figures from the results of scale, latency and sink."""
    few, many = scale["by_meters"][0], scale["by_meters"][-1]
    start = scale["starts"][-1]
    best = min(sink, key=lambda one: float(one["sink_cpu"]))
    meter_bytes = (many["memory"] - few["memory"]) / (many["meters"] - few["meters"])
    return Measured(
        cost=many["cost"] / 1e6,
        base_bytes=few["memory"] - meter_bytes * few["meters"],
        meter_bytes=meter_bytes,
        raw_bytes=many["raw_bytes"],
        validated_bytes=many["validated_bytes"],
        changelog_bytes=many["changelog_bytes"],
        state_bytes=many["state_bytes"],
        recovery=start["changelog"] / start["meters"],
        sink_cost=(best["sink_cpu"] - best["start_cpu"]) / best["rows"],
        database_cost=best["postgres_cpu"] / best["rows"],
        row_bytes=latency["row_bytes"],
    )


def calculate(is_: Measured, chosen: Assumptions) -> dict[str, list[Line]]:
    """The lines by subject."""
    rate = chosen.meters / (chosen.interval_minutes * 60)
    by_cpu = rate * is_.cost / chosen.busy
    by_memory = chosen.meters * is_.meter_bytes / (chosen.worker_gib * _GIB - is_.base_bytes)
    by_recovery = chosen.meters * is_.recovery / chosen.recovery_seconds
    workers = math.ceil(max(by_cpu, by_memory, by_recovery, 1))
    burst = chosen.meters * is_.cost / workers
    partitions = 6 * math.ceil(4 * workers / 6)
    written = rate * (is_.raw_bytes + is_.validated_bytes + is_.changelog_bytes)
    stored = rate * (is_.raw_bytes * _kept(RAW) + is_.validated_bytes * _kept(VALIDATED))
    states = chosen.meters * is_.changelog_bytes
    broker_disk = (stored + 2 * states) * chosen.copies
    rows_a_day = rate * 86_400
    fresh = rows_a_day * is_.row_bytes * chosen.uncompressed_days
    old = rows_a_day * is_.row_bytes * (chosen.kept_days - chosen.uncompressed_days) / chosen.compression
    sinks = rate * is_.sink_cost / chosen.busy
    database = rate * is_.database_cost / chosen.busy
    brokers = max(3, math.ceil(written * chosen.copies / _BROKER_BYTES))
    cores = workers + math.ceil(sinks) + 4 * brokers + max(4, math.ceil(database))
    computing = cores * chosen.core_hour * _HOURS
    disk = broker_disk + fresh + old + chosen.meters * is_.state_bytes
    storing = disk / 1e9 * chosen.gb_month
    return {
        "load": [
            Line(
                "readings a second", f"{chosen.meters:,} / ({chosen.interval_minutes:g} × 60)", f"{rate:,.0f}"
            ),
            Line("readings a day", f"{rate:,.0f} × 86,400", f"{rows_a_day / 1e9:.2f} billion"),
        ],
        "workers": [
            Line("busy cores", f"{rate:,.0f} × {is_.cost * 1e6:.1f} µs", f"{rate * is_.cost:.2f}"),
            Line(
                "workers, by CPU", f"{rate * is_.cost:.2f} / {chosen.busy:g} of a core each", f"{by_cpu:.1f}"
            ),
            Line(
                "workers, by memory",
                f"{chosen.meters:,} × {is_.meter_bytes:,.0f} bytes / ({chosen.worker_gib:g} GiB − "
                f"{is_.base_bytes / 1024**2:,.0f} MiB)",
                f"{by_memory:.1f}",
            ),
            Line(
                "workers, by recovery from the changelog alone",
                f"{chosen.meters:,} × {is_.recovery * 1e6:.1f} µs / {chosen.recovery_seconds:g} s",
                f"{by_recovery:.1f}",
            ),
            Line("workers", "the largest of the three, rounded up", f"{workers}"),
            Line("partitions", "four for each worker, so that there is room to grow", f"{partitions}"),
            Line(
                "all meters reporting in one second are processed within",
                f"{chosen.meters:,} × {is_.cost * 1e6:.1f} µs / {workers}",
                f"{burst:,.0f} s",
            ),
            Line(
                "local disk of a worker",
                f"{chosen.meters:,} × {is_.state_bytes:,.0f} bytes / {workers}",
                f"{chosen.meters * is_.state_bytes / workers / 1e9:.1f} GB",
            ),
        ],
        "brokers": [
            Line(
                "written",
                f"{rate:,.0f} × ({is_.raw_bytes:.0f} raw + {is_.validated_bytes:.0f} validated + "
                f"{is_.changelog_bytes:.0f} changelog) bytes",
                f"{written / 1e6:.1f} MB/s",
            ),
            Line(
                "with copies",
                f"{written / 1e6:.1f} MB/s × {chosen.copies}",
                f"{written * chosen.copies / 1e6:.0f} MB/s",
            ),
            Line("brokers", f"{_BROKER_BYTES / 1e6:g} MB/s each, and three at least", f"{brokers}"),
            Line(
                "disk of them all",
                f"({rate:,.0f} × ({is_.raw_bytes:.0f} × {_kept(RAW):,.0f} s raw + "
                f"{is_.validated_bytes:.0f} × {_kept(VALIDATED):,.0f} s validated) + 2 × {chosen.meters:,} × "
                f"{is_.changelog_bytes:.0f} of state, as compaction lags) × {chosen.copies}",
                f"{broker_disk / _TB:.1f} TB",
            ),
        ],
        "database": [
            Line(
                "busy cores of sinks",
                f"{rate:,.0f} × {is_.sink_cost * 1e6:.1f} µs",
                f"{rate * is_.sink_cost:.2f}",
            ),
            Line(
                "busy cores of PostgreSQL, writing",
                f"{rate:,.0f} × {is_.database_cost * 1e6:.1f} µs",
                f"{rate * is_.database_cost:.2f}",
            ),
            Line(
                "a day, not compressed",
                f"{rows_a_day / 1e9:.2f} billion × {is_.row_bytes:.0f} bytes, indexes included",
                f"{rows_a_day * is_.row_bytes / 1e9:,.0f} GB",
            ),
            Line(
                "disk",
                f"{rows_a_day * is_.row_bytes / 1e9:,.0f} GB × ({chosen.uncompressed_days:g} days + "
                f"{chosen.kept_days - chosen.uncompressed_days:g} days / {chosen.compression:g})",
                f"{(fresh + old) / _TB:.1f} TB",
            ),
        ],
        "money": [
            Line(
                "cores",
                f"{workers} workers + {math.ceil(sinks)} for sinks + 4 × {brokers} brokers + "
                f"{max(4, math.ceil(database))} for the database",
                f"{cores}",
            ),
            Line("cores, a month", f"{cores} × ${chosen.core_hour:g} × {_HOURS} h", f"${computing:,.0f}"),
            Line("disk, a month", f"{disk / 1e9:,.0f} GB × ${chosen.gb_month:g}", f"${storing:,.0f}"),
            Line(
                "a meter, a year", "12 × both / meters", f"${12 * (computing + storing) / chosen.meters:.4f}"
            ),
        ],
    }


def assumptions_table(chosen: Assumptions) -> list[tuple[str, str]]:
    """(name, value) of each assumption."""
    return [(one.name.replace("_", " "), f"{getattr(chosen, one.name):,g}") for one in fields(chosen)]


def _kept(topic: Any) -> float:
    """The retention of a topic, seconds."""
    return timedelta(milliseconds=int(topic.config["retention.ms"])).total_seconds()
