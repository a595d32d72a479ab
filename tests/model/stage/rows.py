"""Rows of regions, by brute force: from everything that all sources ever sent, in whatever order it came."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tests.model.stamps import QUARTER

Bundle = dict[str, Any]
Sent = dict[str, list[Bundle]]  # the bundles of each source, by watermark
Row = dict[str, Any]


def preliminary(sent: Sent, capacities: str) -> list[Row]:
    """One row for every region and quarter whose end all sources have passed. `capacities`: the source that
    tells them."""
    found = []
    for region, start in windows(sent):
        initial = [one for source in sent for one in entries(sent, source, region, start) if one["initial"]]
        if initial and passed(sent, start + QUARTER):
            revision = sum(one["revision"] for one in initial)
            found.append(row(sent, capacities, initial, "PRELIMINARY", revision))
    return found


def final(sent: Sent, lateness: int, capacities: str) -> list[Row]:
    """The same, from the newest entries, once all sources have passed the end by the lateness."""
    found = []
    for region, start in windows(sent):
        newest = []
        for source in sent:
            mine = entries(sent, source, region, start)
            newest += [max(mine, key=lambda one: int(one["revision"]))] if mine else []
        if passed(sent, start + QUARTER + lateness):
            revision = sum(one["revision"] for one in newest) + 1
            found.append(row(sent, capacities, newest, "FINAL", revision))
    return found


def windows(sent: Sent) -> list[tuple[str, int]]:
    return sorted({(one["region"], one["start"]) for one in every_entry(sent)})


def every_entry(sent: Sent) -> Iterator[dict[str, Any]]:
    return (one for bundles in sent.values() for bundle in bundles for one in bundle["windows"])


def entries(sent: Sent, source: str, region: str, start: int) -> list[dict[str, Any]]:
    return [
        one
        for bundle in sent[source]
        for one in bundle["windows"]
        if (one["region"], one["start"]) == (region, start)
    ]


def passed(sent: Sent, instant: int) -> bool:
    """Whether every source has come that far."""
    return all(any(bundle["watermark"] >= instant for bundle in bundles) for bundles in sent.values())


def capacity(sent: Sent, source: str, region: str, start: int) -> int | None:
    """mW: of the newest record that holds for the quarter and came before the source had passed its end."""
    holding = [
        (limit["version"], limit["capacity_kw"])
        for bundle in sent[source]
        for limit in bundle["limits"]
        if limit["region"] == region and bundle["watermark"] < start + QUARTER
        if limit["valid_from"] is None or limit["valid_from"] <= start
    ]
    return round(max(holding)[1] * 1_000_000) if holding else None


def row(sent: Sent, capacities: str, parts: list[dict[str, Any]], state: str, revision: int) -> Row:
    """The figures of some entries added up. Energy µWh, power mW."""
    region, start = parts[0]["region"], parts[0]["start"]
    names = ("flat", "received", "expected", "active", "uncovered", "reporting", "prorated")
    total = {name: sum(one[name] for one in parts) for name in names}
    minutes = [sum(one["minutes"][number] for one in parts) for number in range(15)]
    energy, received, expected = total["flat"] + sum(minutes), total["received"], total["expected"]
    limit = capacity(sent, capacities, region, start)
    load = None
    if received and 5 * received >= 4 * expected:
        load = Fraction(energy, 250) * max(Fraction(1), Fraction(expected, received))
    powers = [Fraction(total["flat"] + 15 * minute, 250) for minute in minutes] if received else []
    return {
        "region": region,
        "start": start,
        "revision": revision,
        "state": state,
        "complete": True,
        "active": total["active"],
        "reporting": total["reporting"],
        "completeness": round(min(Fraction(1), Fraction(received, expected)) * 10_000) if expected else None,
        "energy": energy,
        "load": None if load is None else round(load),
        "lowest": round(min(powers)) if powers else None,
        "highest": round(max(powers)) if powers else None,
        "capacity": limit,
        "percentage": None if load is None or limit is None else round(load * 1000 / limit),
        "prorated": total["prorated"] > 0,
        "uncovered": total["uncovered"],
    }
