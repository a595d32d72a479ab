"""Whether a file is of the kind that its header looks like, for `--profile auto`.

A header alone says little: other people's files have a stamp and kWh too. So every column must be explained,
and a sample of the values must be what such files hold: steps, range, one value a stamp, a zone whose clocks
have all the stamps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from gridwatch.domain.policy import HOUR, MINUTE
from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.layout import Layout, Start
from replay.files.profile import DAY_MINUTES, Profile
from replay.files.reading.opening import inspect
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.sources import Source
from replay.files.tally import Tally
from replay.files.values.register_check import NEVER_FALL

_SAMPLE_ROWS = 5_000
#: Columns that files of a kind are known to have beside those that are read; `Profile.beside` has more.
_BESIDE = {
    "spec": "status|delay_seconds",
    "london": "stdortou|acorn|acorn_grouped",
    "london-kaggle": "stdortou|acorn|acorn_grouped",
    "ausgrid": "generator capacity|postcode",
    "esb": "meter serial number",
    "simbench": ".*_qload",
}
#: Sets of households: half of their values are below this many kWh.
_HOUSEHOLDS = frozenset({"london", "london-kaggle", "ausgrid", "goiener"})
_MOST_OF_A_HOUSEHOLD = 25.0
#: Parts of 1 kW in a quarter of an hour: no value is much above it.
_PARTS = frozenset({"simbench"})
_MOST_OF_A_PART = 0.5
#: Sets of which nothing says what a value counts: values must be those of homes and small buildings, kWh.
_UNSTATED = frozenset({"eemeter"})
#: The steps (minutes) of those sets: hours, and days, which may have 23 or 25 of them.
_HOURS_AND_DAYS = (60, DAY_MINUTES - 60, DAY_MINUTES, DAY_MINUTES + 60)
#: What half of their days are between, kWh.
_LEAST_A_DAY, _MOST_A_DAY = 0.1, 500.0
#: From one bad row in so many on a file is of another kind.
_BAD_ONE_IN = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def objections(start: Start, profile: Profile, zone: str) -> list[str]:
    """What speaks against a file of this header being of the profile; `zone` is that of the settings."""
    try:
        layout = inspect(start.source, profile)
    except GridwatchError as problem:
        return [str(problem)]
    if not layout.named:
        return []  # the records of a standard
    found = [profile.misfit(start)] if profile.misfit else []
    if unknown := _unexplained(layout, profile):
        columns = "columns" if len(unknown) > 1 else "column"
        found.append(f"what the {columns} {', '.join(unknown)[:200]} would say is not known")
    return [one for one in (*found, *_of_values(start.source, profile, zone)) if one]


def _unexplained(layout: Layout, profile: Profile) -> list[str]:
    known = "|".join(pattern for pattern in (_BESIDE.get(profile.name, ""), profile.beside) if pattern)
    return [name for name in layout.ignored if name and not re.fullmatch(known, name.strip().lower())]


def _of_values(source: Source, profile: Profile, zone: str) -> Iterator[str]:
    tally = Tally()
    rows = _sample(source, profile, zone, tally)
    bad = tally.bad.total()
    if any("the clocks skipped it" in one.reason for one in tally.examples):
        yield f"it has stamps that the clocks of {profile.zone or zone} skipped"
    elif bad * _BAD_ONE_IN > len(rows) + bad:
        yield f"{bad:,} of its first {len(rows) + bad:,} rows cannot be read: {tally.examples[0]}"
    meters: dict[str, dict[int, set[float]]] = {}
    for time, meter, kwh, _, _ in rows:
        meters.setdefault(meter, {}).setdefault(time, set()).add(kwh)
    stamps = sum(map(len, meters.values()))
    several = sum(len(values) > 1 for times in meters.values() for values in times.values())
    if several * 2 > stamps:
        yield f"{several:,} of its first {stamps:,} stamps of a meter have several values"
    steps = Counter(other - one for times in meters.values() for one, other in pairwise(sorted(times)))
    if profile.interval and steps:
        commonest = steps.most_common(1)[0][0] / MINUTE
        if commonest != profile.interval:
            yield f"its steps are {commonest:g} minutes, not {profile.interval}"
    if profile.name in _UNSTATED:
        yield from _of_unstated(rows, steps, tally)
    if profile.name in _HOUSEHOLDS and rows:
        middle = median(row[2] for row in rows)
        if middle > _MOST_OF_A_HOUSEHOLD:
            yield f"half of its values are above {middle:g} kWh, too much for households"
    if profile.name in _PARTS and rows and (most := max(abs(row[2]) for row in rows)) > _MOST_OF_A_PART:
        yield f"a value of {most:g} kWh is no part of 1 kW in {profile.interval} minutes"
    if profile.zone and not profile.zone_known and profile.dst == "order":
        step = profile.interval * MINUTE
        if step and any(_lacks_repeated_hour(sorted(times), step, profile.zone) for times in meters.values()):
            yield f"it has the hour that the clocks of {profile.zone} repeat only once"


def _of_unstated(rows: list[Row], steps: Counter[int], tally: Tally) -> Iterator[str]:
    """What speaks against values being the energy of hours or days, in kWh."""
    if not steps:
        yield "it has fewer than two stamps, which say no interval"
        return
    minutes = steps.most_common(1)[0][0] / MINUTE
    if minutes not in _HOURS_AND_DAYS:
        yield f"its steps are {minutes:g} minutes, neither hours nor days"
        return
    if any(row[2] < 0 for row in rows):
        yield "it has values below zero"
    a_day = median(row[2] for row in rows) * (DAY_MINUTES / 60 if minutes == 60 else 1)
    if not _LEAST_A_DAY <= a_day <= _MOST_A_DAY:
        yield (
            f"half of its days would be above {a_day:g} kWh"
            if a_day > _MOST_A_DAY
            else (f"half of its days would be below {a_day:g} kWh")
        )
    if any(NEVER_FALL in note for note in tally.notes):
        yield "its values never fall, as those of a register"


def _sample(source: Source, profile: Profile, zone: str, tally: Tally) -> list[Row]:
    rows: list[Row] = []
    for block in read_rows(source, profile, zone, Selection(), tally, skip_bad=True):
        rows += block
        if len(rows) >= _SAMPLE_ROWS:
            break
    return rows


def _lacks_repeated_hour(times: list[int], step: int, zone: str) -> bool:
    """Whether all that is missing between two readings is the second pass of the hour that comes twice."""
    clocks = ZoneInfo(zone)
    for one, other in pairwise(times):
        if other - one == HOUR + step:
            missing = _EPOCH + timedelta(microseconds=one + step)
            if missing.astimezone(clocks).fold:
                return True
    return False
