"""The fleet: which meters there are, where each hangs, of which class and size it is.

Meter number n is dealt to region n mod N; within its region, every 40 meters share a transformer, every 6
transformers a feeder. So a meter is the same in a larger fleet of as many regions. Its id says where it
hangs, `R02-F0001-T3-M000017`: sorted by id, meters of a transformer, feeder and region lie together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.draws import Ints, draw, keys

MOST_METERS = 999_999
MOST_REGIONS = 99
_METERS_A_TRANSFORMER = 40
_TRANSFORMERS_A_FEEDER = 6


@dataclass(frozen=True)
class Fleet:
    """Meters in the order of their ids; arrays have one element a meter unless they say otherwise."""

    seed: int
    region_names: tuple[str, ...]
    ids: tuple[str, ...]
    #: The number of the meter, which all draws about it are made with.
    number: Ints
    region: Ints
    #: Counted through all regions, and where each begins among the meters.
    feeder: Ints
    feeder_starts: Ints
    kind: Ints
    #: Size against the class, ‰.
    scale: Ints
    #: How far along the feeder it hangs, ‰.
    place: Ints

    @property
    def peak(self) -> Ints:
        """The share of each meter in the peak that the grid is built for, W."""
        return np.array([kind.peak for kind in KINDS], np.int64)[self.kind] * self.scale // 1000

    def below(self, scope: str) -> Ints:
        """The meters of a region, feeder or transformer, or the one meter, by name; empty if unknown."""
        inside = f"{scope}-"
        return np.array(
            [at for at, name in enumerate(self.ids) if name == scope or name.startswith(inside)], np.int64
        )


def transformer_of(meter_id: str) -> str:
    """The transformer that a meter hangs on; without its last part it is the feeder, then the region."""
    return meter_id.rpartition("-")[0]


def make_fleet(seed: int, meters: int, regions: int) -> Fleet:
    """Deal `meters` to `regions`."""
    names = tuple(f"R{number:02d}" for number in range(1, regions + 1))
    number = np.arange(meters, dtype=np.int64)
    region, inner = number % regions, number // regions
    transformer = inner // _METERS_A_TRANSFORMER
    feeder, branch = transformer // _TRANSFORMERS_A_FEEDER, transformer % _TRANSFORMERS_A_FEEDER
    order = np.lexsort((number, branch, feeder, region))
    number, region, feeder, branch = number[order], region[order], feeder[order], branch[order]
    begins = np.ones(meters, bool)
    begins[1:] = (feeder[1:] != feeder[:-1]) | (region[1:] != region[:-1])
    chance = keys(seed, "meter", number)
    bounds = np.cumsum([kind.share for kind in KINDS])
    # Three draws added up: most meters are near the middle of 350 … 1550.
    scale = 350 + sum((draw(chance, when, 401) for when in (1, 2, 3)), np.zeros(meters, np.int64))
    return Fleet(
        seed,
        names,
        tuple(
            f"{names[r]}-F{f + 1:04d}-T{t + 1}-M{n + 1:06d}"
            for r, f, t, n in zip(
                region.tolist(), feeder.tolist(), branch.tolist(), number.tolist(), strict=True
            )
        ),
        number,
        region,
        np.cumsum(begins, dtype=np.int64) - 1,
        np.flatnonzero(begins).astype(np.int64),
        np.searchsorted(bounds, draw(chance, 0, 1000), side="right").astype(np.int64),
        scale,
        300 + draw(chance, 4, 701),
    )
