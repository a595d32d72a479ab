"""Which keys of a profile of one's own need each other, and which do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replay.files.profile import DAY_MINUTES, POWER, REQUIRED_FIELDS, Profile, has_hour
from replay.files.profiles.custom.keys import wrong

_NEEDED = {
    "long": REQUIRED_FIELDS,
    "day": ("meter_id", "timestamp"),
    "meters": ("timestamp",),
}
#: Fields that a shape has no place for.
_FOREIGN = {
    "long": (),
    "day": ("consumption_kwh", "until", "slot", "unit", "device", "interval_minutes"),
    "meters": ("consumption_kwh", "meter_id", "series", "unit", "device"),
}


def check(path: Path, found: dict[str, Any], profile: Profile) -> None:
    """UsageProblem for keys that contradict each other, and for those that are missing."""
    shape = str(found.get("shape", "long"))
    _fields(path, found, profile, shape)
    _pairs(path, found, profile, shape)
    _interval(path, found, profile, shape)


def _fields(path: Path, found: dict[str, Any], profile: Profile, shape: str) -> None:
    columns = profile.columns
    needed = [name for name in _NEEDED[shape] if not (name == "meter_id" and profile.meter_from_file)]
    if profile.values:
        needed = [name for name in needed if name != "consumption_kwh"]
    for name in needed:
        if not columns.get(name):
            raise wrong(path, f"columns.{name}", f"missing; shape {shape} needs {', '.join(needed)}")
    if (shape == "long") == bool(profile.cells):
        if profile.cells:
            raise wrong(path, "cells", "only in the shapes day and meters")
        raise wrong(path, "cells", f"missing; shape {shape} needs a pattern for the columns with values")
    for name in _FOREIGN[shape]:
        if name in columns:
            raise wrong(path, f"columns.{name}", f"not in shape {shape}")
    if profile.meter_from_file and ("meter_id" in columns or shape == "meters"):
        instead = "columns.meter_id" if shape != "meters" else f"shape {shape}"
        raise wrong(path, "meter_from_file", f"does not go with {instead}")
    if bool(found.get("series")) != ("series" in columns):
        raise wrong(path, "series", "a table of its texts and a column of that name go together")
    if profile.values and (shape != "long" or {"series", "consumption_kwh"} & columns.keys()):
        raise wrong(path, "values", "only in shape long, without columns.consumption_kwh and columns.series")


def _pairs(path: Path, found: dict[str, Any], profile: Profile, shape: str) -> None:
    slot, spans = "slot" in profile.columns, bool(profile.span) or "until" in profile.columns
    difference, split, by_stamps = profile.difference, profile.dst == "split", profile.steps == "stamps"
    device = "device" in profile.columns
    across = split and shape == "meters"
    power, further = profile.unit in POWER, difference or by_stamps or slot or spans
    of_minutes = not profile.seconds and profile.interval <= DAY_MINUTES
    late, dated = profile.midnight == "end", profile.stamps and not all(map(has_hour, profile.stamps))
    refused = (
        ("difference", difference and shape == "day", "shape day"),
        ("difference", difference and power, f"unit = {profile.unit!r}, a power"),
        ("difference", difference and profile.negative != "send", "negative = 'generation'"),
        ("difference", difference and spans, "span and columns.until: a register has one time"),
        ("difference", difference and profile.multiply < 0, "multiply below 0"),
        ("digits", bool(profile.digits) and not difference, "values without difference = true"),
        ("max_kw", bool(profile.max_kw) and not difference, "values without difference = true"),
        ("first_slot", "first_slot" in found and not slot, "a file without columns.slot"),
        ("columns.slot", slot and spans, "span and columns.until"),
        ("columns.until", bool(profile.span) and "until" in profile.columns, "span: one of them"),
        ("span", bool(profile.span) and shape == "day", "shape day"),
        ("interval", by_stamps and shape == "day", "shape day: its columns say the interval"),
        ("interval", by_stamps and (slot or spans), "columns.slot and until, span"),
        ("interval", not of_minutes and (shape == "day" or slot), "shape day and columns.slot"),
        ("midnight", late and profile.anchor == "start", 'anchor = "start"'),
        ("midnight", late and (slot or spans), "columns.slot and until, span"),
        ("midnight", late and (shape == "day" or across), "shape day and dst = 'split' in shape meters"),
        ("midnight", late and (bool(dated) or profile.interval >= DAY_MINUTES), "stamps of whole days"),
        ("dst", split and further, "difference, interval = 'stamps', columns.slot and until, span"),
        ("negative", across and profile.negative != "send", "dst = 'split' in shape meters"),
        (
            "series", profile.add_up and shape == "day",
            'several texts of one flow in shape day, which adds nothing up: NT = "consumption night"'
        ),
        ("columns.device", device and further, "difference, interval = 'stamps', slot, until, span"),
        ("off_grid", profile.off_grid != "send" and shape != "long", f"shape {shape}"),
        ("off_grid", profile.off_grid != "send" and not profile.step, "a file without an interval"),
        ("quality", across and profile.quality is not None, "dst = 'split' in shape meters"),
    )  # fmt: skip
    for key, holds, other in refused:
        if holds:
            raise wrong(path, key, f"does not go with {other}")


def _interval(path: Path, found: dict[str, Any], profile: Profile, shape: str) -> None:
    spans = bool(profile.span) or "until" in profile.columns
    known = profile.step or profile.steps == "stamps" or spans or shape == "day"
    columns = profile.columns
    if not known:
        needs = (
            ("columns.slot", "slot" in columns),
            ("unit", profile.unit in POWER and "interval_minutes" not in columns),
            ("anchor", profile.anchor == "end" and not profile.difference),
            ("shape", shape == "meters" and not profile.difference),
        )
        for key, holds in needs:
            if holds:
                value = "" if key.startswith("columns") else f" = {found.get(key, shape)!r}"
                raise wrong(path, "interval", f"needed with {key}{value}, such as 30m")
    dates_only = bool(profile.stamps) and not any(has_hour(form) for form in profile.stamps)
    long = shape != "day" and "slot" not in columns
    if dates_only and long and 0 < profile.interval < DAY_MINUTES:
        raise wrong(
            path, "stamps",
            f"no hour, and an interval of {profile.interval} min: name the column of the time too, "
            'such as timestamp = ["Date", "Time"] and stamps = ["%d.%m.%Y %H:%M"]'
        )  # fmt: skip
