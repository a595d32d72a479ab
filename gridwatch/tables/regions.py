"""The table of the stage `regions`: a row a window of a region, regions, groups of meters, bundles that wait
for their minute, open incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridwatch.domain.regions import kept
from gridwatch.domain.regions.kept import State
from gridwatch.domain.regions.state import PartitionState
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY, TableLayout
from gridwatch.tables.region_rows import GROUP, INCIDENT, PARTITION, REGION, WAITING, WINDOW

REGIONS: Final[TableLayout[PartitionState]] = TableLayout(
    "regions",
    PARTITION,
    {
        "": WINDOW,
        kept.REGION: REGION,
        kept.GROUP: GROUP,
        kept.WAITING: WAITING,
        kept.INCIDENT: INCIDENT,
    },
    counted=kept.REGION + kept.GROUP + kept.WAITING + kept.INCIDENT,
)


def stored_states(rows: Sequence[tuple[bytes, bytes]]) -> list[State]:
    """All states of a partition: they are held in memory."""
    own = (PARTITION_KEY, FENCE_KEY)
    return [REGIONS.decode(key.decode(), row) for key, row in rows if key not in own]
