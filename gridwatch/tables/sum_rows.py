"""Rows of what a partition adds up: windows changed after their end, sums of regions, groups of meters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gridwatch.domain.consumption.ended import Ended
from gridwatch.domain.partials.group import Group
from gridwatch.domain.partials.quarter import Quarter
from gridwatch.domain.partition.sums.regions import Silent
from gridwatch.tables.meter_rows import place_of
from gridwatch.tables.row_kind import RowKind


def _plain_ended(ended: Ended) -> tuple[Any, ...]:
    return tuple((start, length, *ended[start, length]) for start, length in sorted(ended))


def _ended(plain: Sequence[Any], version: int) -> Ended:
    return {(start, length): (revision, changed) for start, length, revision, changed in plain}


def _plain_quarter(quarter: Quarter) -> tuple[Any, ...]:
    return (
        quarter.region,
        quarter.start,
        quarter.flat,
        tuple(quarter.minutes),
        quarter.received,
        quarter.extra,
        quarter.reporting,
        quarter.prorated,
        quarter.revision,
        quarter.changed,
    )


def _quarter(plain: Sequence[Any], version: int) -> Quarter:
    quarter = Quarter(plain[0], plain[1])
    quarter.flat, quarter.minutes, quarter.received, quarter.extra, quarter.reporting = plain[2:7]
    quarter.prorated, quarter.revision, quarter.changed = plain[7:]
    return quarter


def _plain_group(group: Group) -> tuple[Any, ...]:
    steps = tuple((quarter, *group.steps[quarter]) for quarter in sorted(group.steps))
    return group.place, group.base, steps, group.changed


def _group(plain: Sequence[Any], version: int) -> Group:
    group = Group(place_of(plain[0]))
    group.base, steps, group.changed = plain[1:]
    group.steps = {quarter: (count, within) for quarter, count, within in steps}
    return group


def _silent(plain: Sequence[Any], version: int) -> Silent:
    return Silent(place_of(plain[0]), plain[1])


ENDED: Final = RowKind("ended windows", 1, _plain_ended, _ended)
SUMS: Final = RowKind("regional sums", 1, _plain_quarter, _quarter)
GROUP: Final = RowKind("group", 1, _plain_group, _group)
SILENT: Final = RowKind("silent meter", 1, tuple, _silent)
