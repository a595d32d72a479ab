"""A stage: one job of the worker, declared.

A stage reads one topic, keeps one table, and writes outputs. What it decides is a pure processor; what its
states, outputs and records look like in bytes say its layout, its encoder and `unpack`. Everything else is
the machinery of this package, the same for every stage: ordered work per partition, acked outputs, one atomic
changelog append a commit, fencing, take-over, recovery, resuming, continuity, health.

One source, not several: the order in which records of two topics were worked would stand in no log, and the
answer would not be a function of the log. Streams that belong together are joined by whoever writes them to
one topic. Source and changelog have `GRIDWATCH_PARTITIONS` partitions, so that one worker has them all of one
number.

The records of a later stage's source are outputs of an earlier one, and a crash upstream repeats some. Each
names its origin, and the stage keeps in its partition row how far it has taken each origin
(`domain/origins.py`): what is not newer is skipped, and exactness holds across stages.
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
    """The state of one partition as a whole, as far as the machinery asks for it."""

    record_time: int | None
    """Timestamp of the last record of the source, µs: outputs get the same."""

    @property
    def next_offset(self) -> int:
        """The first offset of the source that is needed to go on."""

    @property
    def row_count(self) -> int:
        """Stored states."""

    def skip_to(self, offset: int) -> None:
        """All records before an offset are worked; there may be offsets that hold none."""


P = TypeVar("P", bound=Position)
P_co = TypeVar("P_co", bound=Position, covariant=True)


class Outcome(Protocol):
    """What came of some records and is not committed yet."""

    @property
    def changed(self) -> Mapping[str, Any]:
        """States that changed, by name; None if one is removed."""

    @property
    def complete(self) -> bool:
        """Whether all records were worked; if not, the same ones again once this is committed."""


class Processor(Protocol[P_co]):
    """The rules of one partition: deterministic, in memory, over states that it changes in place."""

    @property
    def partition(self) -> P_co:
        """The partition's state."""

    def process(self, records: Sequence[Any], *, budget: int, onto: Any) -> Any:
        """Work records in log order, those before the position skipped, and add to an outcome what comes of
        them; stop once that is about `budget` bytes of changed state."""


class Encoder(Protocol):
    """The outputs of one commit, on their way from the processor to the topics."""

    @property
    def outcome(self) -> Outcome:
        """What the processor adds to."""

    def drain(self) -> Encoded:
        """The outputs since the last call; the outcome has them no more."""


@dataclass(frozen=True)
class Stage(Generic[P]):
    """One job of the worker."""

    name: str
    meaning: str
    """What it does, in a line."""
    source: Topic
    outputs: tuple[Topic, ...]
    table: str
    """Name of the Faust table, and of its changelog."""
    layout: TableLayout[P]
    unpack: Unpack
    """What the processor takes for records, made of those of a fetch."""
    new: Callable[[int], P]
    """The state of a partition that has none yet."""
    index: Callable[[Sequence[tuple[bytes, bytes]]], list[Any]]
    """What the processor has to know of stored states to begin with: asked of all their rows, some at a time,
    in order of the key."""
    open: Callable[[Settings, P, StoredStates[Any], list[Any]], Processor[P]]
    """The processor of a partition, from its state, its stored states, and what `index` made of those."""
    encoder: Callable[[], Encoder]

    def changelog(self, app_id: str) -> Topic:
        """The changelog of its table."""
        return changelog(app_id, self.table)

    def topics(self, app_id: str) -> tuple[Topic, ...]:
        """Every topic that has to be there."""
        return (self.source, *self.outputs, self.changelog(app_id))
