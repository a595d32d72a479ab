"""The declaration of a stage: one stateful job of the worker.

A stage reads one topic, has one table, and writes outputs. Its rules are a pure processor; its layout, its
encoder and `unpack` define the bytes of its states, outputs and records. Everything else is the runtime in
this package, the same for every stage: ordered processing per partition, acked outputs, one atomic changelog
append a commit, fencing, take-over, recovery, resuming, continuity, health.

A stage has one source: the order in which records of two topics are processed would be in no log, and the
result would not be a function of the log. Streams that belong together are joined by their producer in one
topic. Source and changelog have `GRIDWATCH_PARTITIONS` partitions, so that one worker owns the same partition
number of both.

The source of a later stage has the outputs of an earlier one, and a crash upstream repeats some. Each output
names its origin, and the stage stores the highest processed origins in its partition row
(`domain/origins.py`). It skips older ones, so results are exactly-once across stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from gridwatch.codecs.encoded import Encoded
from gridwatch.settings import Settings
from gridwatch.streaming.faust.fetching import Unpack
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.states import StoredStates
from gridwatch.topics import Topic, changelog


class Position(Protocol):
    """The state of one partition as a whole: the part that the runtime uses."""

    record_time: int | None
    """Timestamp of the last record of the source, µs: outputs get the same one."""

    @property
    def next_offset(self) -> int:
        """The offset of the source to resume from."""

    @property
    def row_count(self) -> int:
        """Stored states."""

    def skip_to(self, offset: int) -> None:
        """Move the position to an offset: the offsets before it hold no unprocessed records."""


P = TypeVar("P", bound=Position)
P_co = TypeVar("P_co", bound=Position, covariant=True)


class Outcome(Protocol):
    """The results of records that are not committed yet."""

    @property
    def changed(self) -> Mapping[str, Any]:
        """Changed states by name; None if one is removed."""

    @property
    def complete(self) -> bool:
        """Whether all records were processed; if not, process the same ones again once this is committed."""


class Processor(Protocol[P_co]):
    """The rules of one partition: deterministic, in memory, over states that it changes in place."""

    @property
    def partition(self) -> P_co:
        """The partition's state."""

    def process(self, records: Sequence[Any], *, budget: int, onto: Any) -> Any:
        """Process records in log order, skipping those before the position, and add the results to the
        outcome `onto`; stop after about `budget` bytes of changed state."""

    def seal(self, onto: Any) -> None:
        """Called once before an outcome is committed: parts of its states may get rows of their own."""


class Encoder(Protocol):
    """Encodes the outputs of one commit."""

    @property
    def outcome(self) -> Outcome:
        """The outcome that the processor adds to."""

    def drain(self) -> Encoded:
        """Remove the outputs since the last call from the outcome, and return them encoded."""


@dataclass(frozen=True)
class Stage(Generic[P]):
    """One job of the worker."""

    name: str
    meaning: str
    """Its purpose, in one line."""
    source: Topic
    outputs: tuple[Topic, ...]
    table: str
    """Name of the Faust table, and of its changelog."""
    layout: TableLayout[P]
    unpack: Unpack
    """Converts the records of a fetch to those of the processor."""
    new: Callable[[int], P]
    """Creates the state of a partition that has none yet."""
    index: Callable[[Sequence[tuple[bytes, bytes]]], list[Any]]
    """Builds the processor's initial index from all rows of a partition, its own as well; called with some
    rows at a time, in key order."""
    open: Callable[[Settings, P, StoredStates[Any], list[Any]], Processor[P]]
    """Creates the processor of a partition, from its state, its stored states, and the index of those."""
    encoder: Callable[[], Encoder]

    def changelog(self, app_id: str) -> Topic:
        """The changelog of its table."""
        return changelog(app_id, self.table)

    def topics(self, app_id: str) -> tuple[Topic, ...]:
        """Every topic that has to exist."""
        return (self.source, *self.outputs, self.changelog(app_id))
