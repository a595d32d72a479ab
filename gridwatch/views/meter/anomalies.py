"""A meter's anomalies: the newest revision of each, from the end of their topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from gridwatch.http.reply import Problem
from gridwatch.models.anomaly import Anomaly
from gridwatch.topics import Flow
from gridwatch.views.anomalies.known import RETRACTED, KnownAnomalies
from gridwatch.views.log_tail import LogTail, OffsetRange
from gridwatch.views.meter.recent import Recent
from gridwatch.views.state import Record

#: Records of its partition that a meter's anomalies are looked for in.
SCANNED_RECORDS: Final = 20_000
#: Anomalies shown at most, the newest ones.
MOST_SHOWN: Final = 50


@dataclass(frozen=True)
class Found:
    """The anomalies that were read, those detected last first, without those that were retracted."""

    anomalies: tuple[Anomaly, ...] = ()
    retracted: int = 0
    problem: str = ""

    def describe(self, *, judges: bool) -> Record:
        """The newest of them as JSON, or why there are none."""
        none_because = ""
        if not self.anomalies:
            none_because = self.problem or (
                f"not in the last {SCANNED_RECORDS:,} records of its partition"
                if judges
                else "nothing is judged (GRIDWATCH_ANOMALY_ON)"
            )
        return {
            "anomalies": [msgspec.to_builtins(one) for one in self.anomalies[:MOST_SHOWN]],
            "found": len(self.anomalies),
            "retracted": self.retracted,
            "none_because": none_because,
        }


class MeterAnomalies:
    """Reads the anomalies of meters."""

    def __init__(self, tail: LogTail, flow: Flow) -> None:
        self._tail = tail
        self._topic = flow.anomalies.name
        self._recent = Recent(self._read)

    async def of(self, meter_id: str, partition: int) -> Found:
        """The anomalies of a meter; none with the reason when the brokers do not answer."""
        return await self._recent.of(meter_id, partition)

    async def _read(self, meter_id: str, partition: int) -> Found:
        key = meter_id.encode()
        wanted = {partition: OffsetRange(SCANNED_RECORDS)}
        try:
            tail = await self._tail.read(self._topic, wanted, lambda one: one == key)
        except Problem as problem:
            return Found(problem=problem.reasons[0])
        known = KnownAnomalies()
        for record in tail.records:
            known.take(record)
        newest = sorted(known.all(), key=lambda one: one.rank[1:])
        standing = tuple(one.anomaly for one in newest if one.anomaly.state != RETRACTED)
        return Found(standing, len(newest) - len(standing))
