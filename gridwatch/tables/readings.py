"""The table of the readings stage: a row a meter, and the registers of meters that were dropped."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.workbench import KEPT
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.meter_rows import METER, REGISTER
from gridwatch.tables.partition_rows import PARTITION

METERS: Final[TableLayout[PartitionState]] = TableLayout("readings", PARTITION, {"": METER, KEPT: REGISTER})
