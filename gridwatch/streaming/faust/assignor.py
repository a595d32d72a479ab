"""Faust's partition assignor, for a static member that comes back under another URL.

A static member that returns within its session gets its old assignment again, with the URL that it had
then. If it has moved to another host or port, Faust treats the foreign URL as an impossible state and never
starts. Here the member replaces the old URL by its current one. Other workers learn of it with the next
rebalance; until then they report that they cannot reach its pages.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from faust.assignor.partition_assignor import PartitionAssignor

logger = logging.getLogger(__name__)


class Assignor(PartitionAssignor):  # type: ignore[misc, unused-ignore]
    """Assigns partitions as Faust does; accepts an assignment for a former URL of this member."""

    def on_assignment(self, assignment: Any) -> None:
        """Apply an assignment."""
        metadata = msgspec.json.decode(self._decompress(assignment.user_data))
        ours = str(self._url)
        former = metadata["url"]
        if former != ours:
            logger.warning("assigned as %s, now at %s", former, ours)
            metadata["url"] = ours
            for distribution in ("changelog_distribution", "external_topic_distribution"):
                if former in metadata[distribution]:
                    metadata[distribution][ours] = metadata[distribution].pop(former)
            assignment.user_data = self._compress(msgspec.json.encode(metadata))
        super().on_assignment(assignment)
