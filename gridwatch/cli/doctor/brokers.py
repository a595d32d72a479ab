"""Checks of the broker, the topics, and the lag of worker and sink."""

from __future__ import annotations

import struct
import time

from gridwatch.cli.doctor.api_versions import kafka_release
from gridwatch.cli.doctor.clocks import CLOCK_SECONDS, check_clock
from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.errors import GridwatchError
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.positions import Position, Positions
from gridwatch.settings import Settings
from gridwatch.topics import REGIONAL_PARTIALS, flow
from sinks import tables

BROKER, TOPICS, CLOCK = "broker", "topics", "broker clock"
TRANSACTIONS = "open transactions"
WORKER_LAG, SINK_LAG = "worker lag", "sink lag"
REACH_SECONDS = 8.0


def check_broker(settings: Settings) -> list[Finding]:
    """Check reachability, release, topics, clock; open transactions and the worker's lag of each flow; the
    sink's lag."""
    broker = Broker(settings, timeout=REACH_SECONDS)
    try:
        broker.partitions()
    except GridwatchError as problem:
        return [wrong(BROKER, problem.message, problem.remedy)]
    try:
        release = kafka_release(settings)
    except (OSError, struct.error) as problem:
        release = f"Kafka (release unknown: {problem})"
    findings = [
        good(BROKER, f"{release} at {settings.bootstrap}", release=release, address=settings.bootstrap)
    ]
    differences = broker.differences()
    if differences:
        missing = all(difference.what == "topic" for difference in differences)
        findings.append(
            wrong(
                TOPICS,
                "; ".join(map(str, differences)),
                "gridwatch topics create"
                if missing
                else "gridwatch topics create creates missing ones; set GRIDWATCH_PARTITIONS to the topics' "
                "count, or change the topics with kafka-configs",
                differences=[vars(difference) for difference in differences],
            )
        )
        if any(difference.what in ("topic", "partition count") for difference in differences):
            return findings
    else:
        findings.append(good(TOPICS, f"all exist, {settings.partitions} partitions each"))
    positions = Positions(settings, timeout=REACH_SECONDS)
    raws = [flow(name).raw.name for name in settings.flows]
    sources = {app_id: _sources(settings, name) for name, app_id in settings.applications.items()}
    newest = [time for raw in raws if (time := positions.newest_record_time(raw)) is not None]
    return [
        *findings,
        _clock(max(newest, default=None), settings.bootstrap),
        *(_transactions(positions, topic) for topics in sources.values() for topic in topics),
        *(_lag(WORKER_LAG, group, positions.of_group(group, topics)) for group, topics in sources.items()),
        _lag(
            SINK_LAG,
            settings.sink_group,
            positions.of_group(settings.sink_group, tables.topics(settings.flows)),
        ),
    ]


def _sources(settings: Settings, name: str) -> list[str]:
    """What the worker of a flow reads: the sources of its stages."""
    regional = name == settings.flow and settings.adds_up_regions
    return [flow(name).raw.name, *([REGIONAL_PARTIALS.name] if regional else [])]


def _clock(newest: float | None, address: str) -> Finding:
    """Check the broker's clock: raw readings have log append time, so a future one shows a fast clock."""
    ahead = -1.0 if newest is None else newest - time.time()
    if ahead <= CLOCK_SECONDS:
        return good(CLOCK, "no reading is stamped later than now", newest_record=newest)
    return check_clock(CLOCK, ahead, f"the broker at {address}")


def _transactions(positions: Positions, topic: str) -> Finding:
    """Show where open transactions hold back what a worker reads; its own page reports stalls."""
    stable, ends = positions.stable_ends([topic]), positions.ends([topic])
    held = {place[1]: (first, ends[place] - first) for place, first in stable.items() if first < ends[place]}
    if not held:
        return good(TRANSACTIONS, f"none in {topic}")
    message = ", ".join(
        f"partition {partition} from offset {first} on ({offsets} held back)"
        for partition, (first, offsets) in sorted(held.items())
    )
    return good(TRANSACTIONS, f"a transaction is open in {topic}: {message}", partitions=sorted(held))


def _lag(check: str, group: str, positions: list[Position]) -> Finding:
    """Show the lag. It is not wrong by itself: the services' own pages report stalls."""
    total = sum(position.lag for position in positions)
    behind = [position for position in positions if position.lag]
    message = f"group {group}: {total:,} records behind" if total else f"group {group}: caught up"
    if behind:
        message += " (" + ", ".join(f"{one.topic}/{one.partition}: {one.lag:,}" for one in behind[:6])
        message += ", …)" if len(behind) > 6 else ")"
    return good(
        check, message, group=group, lag=total, positions=[vars(one) | {"lag": one.lag} for one in positions]
    )
