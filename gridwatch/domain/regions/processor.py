"""The rules of one partition: one step a record of the topic of partials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gridwatch.domain.outputs import Bundle, DeadLetter
from gridwatch.domain.regions import groups
from gridwatch.domain.regions.kept import UNHEARD, State
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.records import UNKNOWN_SOURCE, Record, Refused, SourceOut, source_name
from gridwatch.domain.regions.state import PartitionState
from gridwatch.domain.regions.windows import Windows


class Processor:
    """The rules of one partition.

    Args:
        sources: the names of all sources that take part, heard or not.
        lateness: how long after the end of a window its sources may revise it, µs.
        partition: its state; ``stored``: what has rows of its own.
    """

    def __init__(
        self, sources: Sequence[str], lateness: int, partition: PartitionState, stored: Iterable[State]
    ) -> None:
        self.partition = partition
        partition.load(stored)
        partition.limit_to(sources)
        self._windows = Windows(partition, lateness)

    def seal(self, onto: Outcome) -> None:
        """A state has no parts with rows of their own."""

    def process(self, records: Sequence[Record], *, budget: int, onto: Outcome) -> Outcome:
        """Process records in the order of the log, and add what comes of them; stop after a record with about
        ``budget`` bytes of changed state."""
        part = self.partition
        onto.complete = True
        for record in records:
            if record.offset < part.next_offset:
                continue
            if budget and onto.weight >= budget:
                onto.complete = False
                break
            part.next_offset = record.offset + 1
            part.record_time = record.timestamp
            refused = self._step(record, onto)
            if refused is None:
                onto.good += 1
                onto.run = 0
            else:
                onto.run += 1
                onto.outputs.append(_dead_letter(record, refused, part.partition))
        part.count(onto.changed)
        return onto

    def _step(self, record: Record, onto: Outcome) -> Refused | None:
        """One record; why it cannot be taken, if it cannot."""
        content = record.content
        if isinstance(content, Refused):
            return content
        name = source_name(content.flow, content.partition)
        source = self.partition.sources.get(name)
        if source is None:
            takes_part = ", ".join(self.partition.sources)
            return Refused((UNKNOWN_SOURCE,), f"{name} takes no part; those that do: {takes_part}", None)
        if isinstance(content, SourceOut):
            if not self._holds_up(source.watermark):
                return None
            source.out = True
        else:
            if content.watermark <= source.watermark:
                return None
            self._take(content, name, onto)
        self._windows.advance(onto)
        groups.advance(self.partition, onto)
        return None

    def _take(self, bundle: Bundle, name: str, onto: Outcome) -> None:
        source = self.partition.sources[name]
        before = source.watermark
        source.watermark, source.out = bundle.watermark, False
        self._windows.take(bundle, name, before, onto)
        groups.take(self.partition, bundle, name, onto)

    def _holds_up(self, watermark: int) -> bool:
        """Whether others may wait for a source that stands at a watermark: one is ahead, or it was never
        heard."""
        return watermark == UNHEARD or any(
            other.watermark > watermark for other in self.partition.sources.values()
        )


def _dead_letter(record: Record, refused: Refused, partition: int) -> DeadLetter:
    return DeadLetter(
        refused.reasons,
        refused.message,
        refused.field,
        record.value,
        record.timestamp,
        None,
        partition,
        record.offset,
        0,
    )
