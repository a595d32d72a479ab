"""Which sources are to be put out: those that stand still while another one is ahead of them.

How long a source has stood still is measured by the wall clock of the partition's owner, so it starts again
with every owner. What comes of it is a record in the log: the rules never ask a clock. A source that nothing
waits for is left alone, and so is one that was put out for the same standstill.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridwatch.domain.regions.kept import Source


class Standstill:
    """The standstill of each source of one partition."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, int]] = {}
        """(watermark, wall time at which it was first seen), by source."""
        self._put_out: dict[str, int] = {}
        """The watermark at which a source was put out."""

    def due(self, sources: Mapping[str, Source], now: int, after: int) -> list[str]:
        """The sources that have stood still for ``after`` at wall time ``now``, and hold others up."""
        found = []
        for name, source in sources.items():
            since = self._since.get(name)
            if since is None or since[0] != source.watermark:
                self._since[name] = (source.watermark, now)
            elif (
                now - since[1] >= after
                and not source.out
                and self._put_out.get(name) != source.watermark
                and any(other.watermark > source.watermark for other in sources.values())
            ):
                found.append(name)
        return found

    def put_out(self, name: str) -> None:
        """The record for this source is in the log."""
        self._put_out[name] = self._since[name][0]
