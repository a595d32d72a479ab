"""Both stages, as chaos looks at them."""

from __future__ import annotations

from typing import Any

from chaos.subject import GRIDWATCH, Observed, Subject
from tests.sums.rules import Partition
from tests.sums.stage import STAGE, SUMS


def _plain(state: Partition) -> Any:
    # Not the position: a crash upstream repeats records of the source.
    return state.partition, state.row_count, state.origins.highest()


BOTH = Subject("tests.sums.app", (*GRIDWATCH.stages, Observed(STAGE, _plain)), outputs=(SUMS,))
