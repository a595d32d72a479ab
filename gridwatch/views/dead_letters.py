"""The page of dead letters: the newest records of their topic, page by page back in time.

They are read from the topic itself, so they are everybody's: of all workers and of the sink, and none is lost
with a restart. A page takes up to its length from each partition and shows the newest of all of them; the
link to the next says how far each partition has been shown.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.http.queries import parameters, whole
from gridwatch.http.reply import Problem, Reply
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.settings import Settings
from gridwatch.topics import DEAD_LETTERS
from gridwatch.views import log_tail
from gridwatch.views.log_tail import LogTail, Stretch
from gridwatch.views.state import Record

DEFAULT_LIMIT, MAX_LIMIT = 25, 200
#: Of a refused record this much is shown; all that is kept of it is in the JSON.
SHOWN_CHARACTERS = 400

_letter = msgspec.json.Decoder(DeadLetter).decode


class DeadLetters:
    """The newest ones."""

    def __init__(self, settings: Settings, tail: LogTail) -> None:
        self._partitions = settings.partitions
        self._tail = tail

    async def page(self, request: Any) -> Reply:
        """Dead letters, newest first."""
        asked = parameters(request.query, {"before": self._place, "limit": whole(1, MAX_LIMIT)})
        limit, before = asked.get("limit", DEFAULT_LIMIT), asked.get("before")
        stretches = (
            {partition: Stretch(limit) for partition in range(self._partitions)}
            if before is None
            else {partition: Stretch(limit, offset) for partition, offset in before.items() if offset > 0}
        )
        tail = await self._tail.read(DEAD_LETTERS.name, stretches, lambda key: True) if stretches else None
        records = sorted(tail.records, key=_newest_first) if tail is not None else []
        shown = records[:limit]
        data = {
            "dead_letters": [letter_of(record) for record in shown],
            "limit": limit,
            "next": _next(stretches, records, shown),
        }
        return Reply(
            data,
            "dead_letters.html",
            shown={"before": request.query.get("before", ""), "shown_characters": SHOWN_CHARACTERS},
        )

    def _place(self, name: str, value: str) -> dict[int, int]:
        """Partition → offset before which it has not been shown; Problem 400 for anything else."""
        read = whole(0, 10**18)
        place: dict[int, int] = {}
        for part in value.split(","):
            partition, found, offset = part.partition(":")
            if not found:
                raise Problem(400, f"{name}: {part!r} is not partition:offset")
            place[whole(0, self._partitions - 1)(name, partition)] = read(name, offset)
        return place


def _newest_first(record: log_tail.Record) -> tuple[int, int, int]:
    return -record.timestamp, record.partition, -record.offset


def _next(
    stretches: dict[int, Stretch], records: list[log_tail.Record], shown: list[log_tail.Record]
) -> str | None:
    """Where the page after this one begins; None when there is nothing older."""
    read = dict.fromkeys(stretches, 0)
    for record in records:
        read[record.partition] += 1
    place: dict[int, int] = {}
    for partition, stretch in stretches.items():
        offsets = [record.offset for record in shown if record.partition == partition]
        unshown = [r.offset for r in records if r.partition == partition and r.offset not in set(offsets)]
        if offsets:
            oldest = min(offsets)
        elif unshown:
            oldest = max(unshown) + 1
        else:
            continue
        # A whole stretch may have more before it.
        if unshown or (read[partition] == stretch.count and oldest > 0):
            place[partition] = oldest
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(place.items())) or None


def letter_of(record: log_tail.Record) -> Record:
    """A record of the topic as JSON; one that is no dead letter says so."""
    try:
        letter = _letter(record.value)
        parse_instant(letter.record_timestamp)
    except (msgspec.MsgspecError, ValueError):
        letter = DeadLetter(
            id=f"{DEAD_LETTERS.name}-{record.partition}-{record.offset}",
            reasons=[],
            message="this record of the topic is no dead letter of gridwatch",
            field=None,
            raw=record.value.decode("utf-8", "replace"),
            raw_encoding="utf-8",
            raw_size=len(record.value),
            raw_truncated=False,
            topic=DEAD_LETTERS.name,
            partition=record.partition,
            offset=record.offset,
            index=0,
            record_timestamp=format_instant(record.timestamp * 1000),
            meter_id=None,
        )
    shown: Record = msgspec.to_builtins(letter)
    return shown
