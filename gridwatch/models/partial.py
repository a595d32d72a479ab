"""`regional_partials`: what one source partition knows of the regions of one target partition."""

from __future__ import annotations

from msgspec import Struct


class PartialWindow(Struct, frozen=True):
    """The sums of one region and quarter of an hour. Energy µWh, durations µs of a meter.

    The energy of slots that cover the whole quarter is in `flat`, that of others by minute in `minutes`.
    `initial`: sent when the watermark passed the end of the window. `final`: nothing can change it any more.
    """

    region: str
    window_start: str
    revision: int
    initial: bool
    final: bool
    flat: int
    minutes: list[int]
    received: int
    expected: int
    active: int
    uncovered: int
    reporting: int
    prorated: int


class PartialGroup(Struct, frozen=True):
    """The meters of one transformer: how many there are, and how many have an open gap now.

    `openings` counts those by the minute in which their gap was detected; `meters` are the first ones by id.
    """

    region: str
    feeder: str | None
    transformer: str | None
    active: int
    open: int
    openings: list[tuple[str, int]]
    meters: list[str]


class PartialRegion(Struct, frozen=True):
    """What a region can carry."""

    region: str
    version: int
    capacity_kw: float
    valid_from: str | None


class Partial(Struct, frozen=True):
    """All that one source says as its watermark crosses a minute; with nothing in it, only that."""

    version: int
    flow: str
    partition: int
    watermark: str
    windows: list[PartialWindow]
    groups: list[PartialGroup]
    regions: list[PartialRegion]


class SourceOut(Struct, frozen=True):
    """A source that is not waited for any more, until its next bundle."""

    flow: str
    partition: int
