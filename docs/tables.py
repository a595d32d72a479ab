"""Writes the tables of README.md and docs/ from the code they describe: `make docs`. A test compares.

A table stands between `<!-- table: NAME -->` and `<!-- end -->`; everything else in a page is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from docs import marked
from gridwatch.cli import COMMANDS
from gridwatch.health.checks import CHECKS
from gridwatch.health.metrics import BRIDGE, INGEST, SINK, SYSTEM_METRICS, WORKER, Service, metrics_of
from gridwatch.settings import PREFIX, Settings
from gridwatch.simulator.model.classes import KINDS, Appliance, Hours
from gridwatch.topics import HOMELAB, OUTPUTS, RAW, REGIONAL

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "records.md",
    ROOT / "docs" / "datasets.md",
    ROOT / "docs" / "metrics.md",
    ROOT / "docs" / "simulator.md",
)

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def settings() -> str:
    """Every setting with its default and meaning."""
    return marked.table(
        ("variable", "default", "meaning"),
        (
            (
                f"`{PREFIX}{name.upper()}`",
                f"`{_written(field.default)}`" if _written(field.default) else "",
                field.description,
            )
            for name, field in Settings.model_fields.items()
        ),
    )


def commands() -> str:
    """Every command with its summary."""
    return marked.table(
        ("command", "does"), ((f"`gridwatch {name}`", does) for name, (_, does) in COMMANDS.items())
    )


def topics() -> str:
    """Every topic of the default flow with its key, content and how long it is kept."""
    return marked.table(
        ("topic", "key", "holds", "kept"),
        (
            (
                f"`{topic.name}`",
                f"`{topic.key}`",
                topic.meaning,
                _written(timedelta(milliseconds=int(topic.config["retention.ms"]))),
            )
            for topic in (RAW, *OUTPUTS, *REGIONAL, *HOMELAB)
        ),
    )


def system_metrics() -> str:
    """Every metric by wall clock with its meaning."""
    return marked.table(
        ("metric", "from", "meaning"),
        ((f"`{one.name}`", one.service.name, one.meaning) for one in SYSTEM_METRICS),
    )


def datasets() -> str:
    """What the public sets at hand hold when seen through gridwatch."""
    # The page alone needs the files of the tests.
    from docs.datasets_seen import HEAD, rows

    return marked.table(HEAD, rows())


def worker_prometheus() -> str:
    """Every metric of a worker's `/metrics/`, with its help."""
    return _prometheus(WORKER)


def sink_prometheus() -> str:
    """Every metric of a sink's `/metrics/`, with its help."""
    return _prometheus(SINK)


def ingest_prometheus() -> str:
    """Every metric of the HTTP entrance's `/metrics/`, with its help."""
    return _prometheus(INGEST)


def bridge_prometheus() -> str:
    """Every metric of a bridge's `/metrics/`, with its help."""
    return _prometheus(BRIDGE)


def _prometheus(service: Service) -> str:
    declared = metrics_of(service).values()
    deprecated = [old for one in declared if (old := one.deprecated)]
    return marked.table(
        ("metric", "type", "labels", "help"),
        (
            (f"`{one.sample}`", one.kind, ", ".join(one.all_labels), one.meaning)
            for one in (*declared, *deprecated)
        ),
    )


def health_checks() -> str:
    """Every reason for which a service is not ready."""
    return marked.table(
        ("check", "of", "not ready while"),
        ((one.name, ", ".join(service.name for service in one.services), one.meaning) for one in CHECKS),
    )


def simulator_classes() -> str:
    """Every class of customers with its days as pictures, from the least (▁) to the most (█) of its hours."""
    return marked.table(
        (
            "class",
            "of 1000 meters",
            "working day, 0 to 23 h",
            "weekend",
            "hours from … to (W)",
            "and",
            "at most (kW)",
        ),
        (
            (
                f"`{kind.name}`",
                kind.share,
                f"`{_picture(kind.workday, *_ends(kind.workday, kind.weekend))}`",
                f"`{_picture(kind.weekend, *_ends(kind.workday, kind.weekend))}`",
                "{:,} … {:,}".format(*_ends(kind.workday, kind.weekend)),
                "; ".join(
                    (
                        *((f"{kind.heat} W for each K below 16 °C",) if kind.heat else ()),
                        *((f"panels of {kind.panels / 1000:g} kW",) if kind.panels else ()),
                        *((f"lamps of {kind.lamps / 1000:g} kW by night",) if kind.lamps else ()),
                    )
                ),
                f"{kind.max_kw:g}",
            )
            for kind in KINDS
        ),
    )


def simulator_appliances() -> str:
    """Every appliance with what has it, when and for how long it runs, and its power."""
    having: dict[Appliance, list[str]] = {}
    for kind in KINDS:
        for appliance in kind.appliances:
            having.setdefault(appliance, []).append(kind.name)
    return marked.table(
        ("appliance", "in", "starts between", "minutes a day (mean)", "power (kW)", "of 1000 have it"),
        (
            (
                one.name,
                ", ".join(names),
                f"{_clock(one.hour)} and {_clock(one.hour + one.spread)}",
                one.minutes,
                f"{one.watts[0] / 1000:g} … {one.watts[1] / 1000:g}",
                one.share,
            )
            for one, names in having.items()
        ),
    )


def _ends(*days: Hours) -> tuple[int, int]:
    return min(min(day) for day in days), max(max(day) for day in days)


def _picture(day: Hours, least: int, most: int) -> str:
    bars = "▁▂▃▄▅▆▇█"
    return "".join(bars[(watts - least) * (len(bars) - 1) // max(1, most - least)] for watts in day)


def _clock(hour: float) -> str:
    return f"{int(hour) % 24:02d}:{round(hour % 1 * 60):02d}"


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "topics": topics,
    "system_metrics": system_metrics,
    "worker_prometheus": worker_prometheus,
    "sink_prometheus": sink_prometheus,
    "ingest_prometheus": ingest_prometheus,
    "bridge_prometheus": bridge_prometheus,
    "health_checks": health_checks,
    "datasets": datasets,
    "simulator_classes": simulator_classes,
    "simulator_appliances": simulator_appliances,
}


def renewed(page: str) -> str:
    """The page with its tables as the code has them now. KeyError for a table that there is not."""
    return marked.renewed(page, TABLES)


def _written(value: Any) -> str:
    """A default as a person would write it."""
    if isinstance(value, timedelta):
        unit, length = next((unit, length) for unit, length in _UNITS if not value % length)
        return f"{value // length}{unit}"
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


if __name__ == "__main__":
    marked.renew(PAGES, TABLES)
