"""The table of the readings stage: a row a meter, blocks of its older readings, kept registers, the registry.

A meter's deadline is in its own row, or, as long as it has none, in that of its registration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridwatch.domain.meter.archive import COLD
from gridwatch.domain.partition import registry
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.workbench import KEPT
from gridwatch.domain.policy import NEVER
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.meter_rows import BLOCK, METER, REGISTER, due_of
from gridwatch.tables.partition_rows import PARTITION
from gridwatch.tables.registry_rows import OUTAGE, REGION, REGISTRATION

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
    },
)
_REGISTERED: Final = registry.REGISTERED.encode()
_OUTAGE: Final = registry.OUTAGE.encode()


def due_times(rows: Sequence[tuple[bytes, bytes]]) -> list[tuple[int, str]]:
    """(due, name) of each row that has a deadline: the entries of the deadline index."""
    index = []
    for key, row in rows:
        if METERS.is_state(key):
            index.append((due_of(row), key.decode()))
        elif key.startswith(_REGISTERED):
            due = due_of(row, REGISTRATION)
            if due < NEVER:
                index.append((due, key[1:].decode()))
        elif key.startswith(_OUTAGE):
            index.append((due_of(row, OUTAGE), key.decode()))
    return index
