"""The table of the readings stage: a row a meter."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.partition.state import PartitionState
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.partition_rows import PARTITION

METERS: Final[TableLayout[PartitionState]] = TableLayout("readings", PARTITION, {"": METER})
