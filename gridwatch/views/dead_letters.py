"""Shows the newest records of the dead-letter topic, page by page back in time.

They are read from the topic itself, so the page covers all workers and the sink and survives restarts. A page
reads up to its length from each partition and shows the newest of those; the link to the next page holds the
offset that each partition was shown from.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.http.queries import parameters, whole
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.settings import Settings
from gridwatch.topics import flow
from gridwatch.views import log_tail
from gridwatch.views.log_tail import LogTail, OffsetRange
from gridwatch.views.state import Record

DEFAULT_LIMIT, MAX_LIMIT = 25, 200
#: The HTML shows this much of a refused record; the JSON has all that was kept.
SHOWN_CHARACTERS = 400

_letter = msgspec.json.Decoder(DeadLetter).decode


class DeadLetters:
    """The page of dead letters."""

    def __init__(self, settings: Settings, tail: LogTail) -> None:
        self._partitions = settings.partitions
        self._tail = tail
        self._topic = flow(settings.flow).dead_letters.name

    async def page(self, request: Any) -> Reply:
        """Dead letters, newest first."""
        asked = parameters(request.query, {"before": self._cursor, "limit": whole(1, MAX_LIMIT)})
        limit, before = asked.get("limit", DEFAULT_LIMIT), asked.get("before")
        ranges = (
            {partition: OffsetRange(limit) for partition in range(self._partitions)}
            if before is None
            else {partition: OffsetRange(limit, offset) for partition, offset in before.items() if offset > 0}
        )
        tail = await self._tail.read(self._topic, ranges, lambda key: True) if ranges else None
        records = sorted(tail.records, key=_newest_first) if tail is not None else []
        shown = records[:limit]
        data = {
            "dead_letters": [letter_of(record, self._topic) for record in shown],
            "limit": limit,
            "next": _next(ranges, records, shown),
        }
        return Reply(
            data,
            "dead_letters.html",
            shown={"before": request.query.get("before", ""), "shown_characters": SHOWN_CHARACTERS},
        )

    def _cursor(self, name: str, value: str) -> dict[int, int]:
        """Parse `before`: partition → offset that the last page ended at; Problem 400 if malformed."""
        read = whole(0, 10**18)
        cursor: dict[int, int] = {}
        for part in value.split(","):
            partition, found, offset = part.partition(":")
            if not found:
                raise Problem(400, f"{name}: {part!r} is not partition:offset")
            cursor[whole(0, self._partitions - 1)(name, partition)] = read(name, offset)
        return cursor


def _newest_first(record: log_tail.Record) -> tuple[int, int, int]:
    return -record.timestamp, record.partition, -record.offset


def _next(
    ranges: dict[int, OffsetRange], records: list[log_tail.Record], shown: list[log_tail.Record]
) -> str | None:
    """The `before` of the next page; None when there is nothing older."""
    read = dict.fromkeys(ranges, 0)
    for record in records:
        read[record.partition] += 1
    cursor: dict[int, int] = {}
    for partition, offset_range in ranges.items():
        offsets = [record.offset for record in shown if record.partition == partition]
        unshown = [r.offset for r in records if r.partition == partition and r.offset not in set(offsets)]
        if offsets:
            oldest = min(offsets)
        elif unshown:
            oldest = max(unshown) + 1
        else:
            continue
        # A range that was read in full may have older records before it.
        if unshown or (read[partition] == offset_range.count and oldest > 0):
            cursor[partition] = oldest
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(cursor.items())) or None


def letter_of(record: log_tail.Record, topic: str) -> Record:
    """A record of `topic` as JSON; a record that is not a dead letter is described as such."""
    try:
        letter = _letter(record.value)
        parse_instant(letter.record_timestamp)
    except (msgspec.MsgspecError, ValueError):
        letter = DeadLetter(
            id=f"{topic}-{record.partition}-{record.offset}",
            reasons=[],
            message="this record was not written by gridwatch: it is not a dead letter",
            field=None,
            raw=record.value.decode("utf-8", "replace"),
            raw_encoding="utf-8",
            raw_size=len(record.value),
            raw_truncated=False,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
            index=0,
            record_timestamp=format_instant(record.timestamp * 1000),
            meter_id=None,
        )
    shown: Record = msgspec.to_builtins(letter)
    return shown
