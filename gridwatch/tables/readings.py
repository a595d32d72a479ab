"""The table of the readings stage: a row a meter, blocks of its older readings, kept registers, the registry,
and what the partition adds up.

A meter's deadline is in its own row, or, as long as it has none, in that of its registration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridwatch.domain.meter.archive import COLD
from gridwatch.domain.partition import registry
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.sums import anomalies, lives, regions, windows
from gridwatch.domain.partition.workbench import KEPT, RESIDENT
from gridwatch.domain.policy import NEVER
from gridwatch.tables.anomaly_rows import BUCKETS, LIVES
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.meter_rows import BLOCK, METER, REGISTER, due_and_seen, due_of
from gridwatch.tables.partition_rows import PARTITION
from gridwatch.tables.registry_rows import OUTAGE, REGION, REGISTRATION
from gridwatch.tables.sum_rows import ENDED, GROUP, SILENT, SUMS

METERS: Final[TableLayout[PartitionState]] = TableLayout(
    "readings",
    PARTITION,
    {
        "": METER,
        KEPT: REGISTER,
        COLD: BLOCK,
        registry.REGISTERED: REGISTRATION,
        registry.OUTAGE: OUTAGE,
        registry.REGION: REGION,
        windows.ENDED: ENDED,
        regions.SUMS: SUMS,
        regions.GROUP: GROUP,
        regions.SILENT: SILENT,
        anomalies.BUCKETS: BUCKETS,
        lives.LIVES: LIVES,
    },
    counted=RESIDENT,
)
_REGISTERED: Final = registry.REGISTERED.encode()
_OUTAGE: Final = registry.OUTAGE.encode()
#: Begin the names of what is held in memory as a whole.
_RESIDENT: Final = tuple(kind.encode() for kind in RESIDENT)


def due_times(rows: Sequence[tuple[bytes, bytes]]) -> list[tuple[int, str, int]]:
    """The deadline (or `NEVER`) and name of each row that has one or is held in memory; of a meter when it
    was seen last, too."""
    index = []
    for key, row in rows:
        if METERS.is_state(key):
            due, seen = due_and_seen(row)
            index.append((due, key.decode(), seen))
        elif key.startswith(_REGISTERED):
            due = due_of(row, REGISTRATION)
            if due < NEVER:
                index.append((due, key[1:].decode(), -NEVER))
        elif key.startswith(_OUTAGE):
            index.append((due_of(row, OUTAGE), key.decode(), -NEVER))
        elif key.startswith(_RESIDENT):
            index.append((NEVER, key.decode(), -NEVER))
    return index
