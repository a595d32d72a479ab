"""A case for a seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.differential.case import Case
from tests.differential.days import day_case
from tests.differential.long import long_case
from tests.differential.meters import meters_case, split_case
from tests.differential.numbered import numbered_case
from tests.differential.portals_lines import LINES
from tests.differential.portals_parted import PARTED
from tests.differential.portals_registers import REGISTERS
from tests.differential.portals_wide import WIDE
from tests.differential.records import RECORDS
from tests.differential.registers import register_case
from tests.differential.spans import span_case

_KINDS: tuple[tuple[int, Callable[[Random], Case]], ...] = (
    (30, long_case),
    (9, span_case),
    (10, numbered_case),
    (11, day_case),
    (7, meters_case),
    (4, split_case),
    (9, register_case),
    (20, lambda rng: rng.choice(LINES + PARTED + REGISTERS + WIDE + RECORDS)(rng)),
)


def case(seed: int) -> Case:
    """The file of a seed, always the same."""
    rng = Random(f"gridwatch {seed}")
    makers = [maker for _, maker in _KINDS]
    return rng.choices(makers, [weight for weight, _ in _KINDS])[0](rng)
