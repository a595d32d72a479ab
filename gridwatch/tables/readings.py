"""The table of the readings stage: a row a meter, blocks of its older readings, kept registers."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.meter.archive import COLD
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.workbench import KEPT
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.meter_rows import BLOCK, METER, REGISTER
from gridwatch.tables.partition_rows import PARTITION

METERS: Final[TableLayout[PartitionState]] = TableLayout(
    "readings", PARTITION, {"": METER, KEPT: REGISTER, COLD: BLOCK}
)
