"""The registry of health checks: every reason for a service not to be ready, with its remedy.

Ready means that records arriving now are processed: partitions are assigned and taken over, no rebalance and
no recovery is in progress, the brokers answer and have every topic, the database answers, the committed
offset moves where records wait, and ticks advance event time where none come. A stalled service must not
look healthy, so a lack of progress is a reason in itself, whatever its cause. A problem of another service is
no reason here.

Checks are pure: they evaluate an `Observed`, plain values that a service collected before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gridwatch.health.metrics import BRIDGE, INGEST, SERVICES, SINK, WORKER, Service
from gridwatch.kafka.open_transactions import OpenTransaction
from gridwatch.streaming.faust.fetching import Undecodable, undecodable_reason

#: An assigned partition may take this long to be taken over, seconds.
TAKEN_OVER_WITHIN: Final = 5.0


@dataclass(frozen=True)
class Partition:
    """The observed state of one topic partition. Durations in seconds; None if unknown."""

    topic: str
    number: int
    stage: str = ""
    """Named in reasons; empty for a worker's first stage, and for services without stages."""
    lost: str = ""
    """Why it cannot be processed, with the remedy; empty if it can."""
    undecodable: Undecodable | None = None
    held: OpenTransaction | None = None
    """The records that an open transaction holds back."""
    feed: str = ""
    """Why its input as a whole looks wrong; empty if it does not."""
    not_taken_over: float | None = None
    """How long it has been assigned without being taken over."""
    stalled: float | None = None
    """How long records have been waiting without a commit."""
    tick_overdue: float | None = None
    """How long a tick has been due while it is idle."""

    def of_stage(self, reason: str) -> str:
        """The reason, prefixed with the name of the stage."""
        return f"{self.stage}, {reason}" if self.stage else reason


@dataclass(frozen=True)
class Database:
    """The observed state of the database. Durations in seconds."""

    address: str
    waited: float | None = None
    """How long the service has been waiting for it."""
    error: str = ""
    running: float | None = None
    """How long the current transaction has been running."""


@dataclass(frozen=True)
class Observed:
    """Everything that decides the readiness of a service, at one moment."""

    service: Service
    assigned: bool = True
    """Whether partitions are assigned to it."""
    rebalancing: bool = False
    recovering: bool = False
    stopping: bool = False
    recovery: str = ""
    """The progress of recovery, in words."""
    brokers: Sequence[str] = ()
    """Problems of the brokers or the topics."""
    database: Database | None = None
    partitions: Sequence[Partition] = ()
    ack_wait: float = 0.0
    """How long the oldest produced record has been waiting for its ack, seconds."""
    ack_problem: str = ""
    stalled_after: float = 30.0
    """How long anything may wait before it counts as stalled, seconds."""

    @property
    def state_ready(self) -> bool:
        """Whether the state of the service's partitions is complete, and will stay so."""
        return not (self.rebalancing or self.recovering or self.stopping)

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty if it is."""
        mine = (check for check in CHECKS if self.service in check.services)
        return [reason for check in mine for reason in check.reasons(self)]


@dataclass(frozen=True)
class Check:
    """A condition for being ready.

    Args:
        meaning: what is wrong with a service that fails it, for the documentation.
        reasons: the problems found, each with its remedy if there is one.
    """

    name: str
    meaning: str
    reasons: Callable[[Observed], Iterable[str]]
    services: tuple[Service, ...] = SERVICES


# -- the service as a whole


def _stopping(seen: Observed) -> Iterator[str]:
    if seen.stopping:
        yield f"the {seen.service.name} is stopping: a part of it failed, or it was asked to stop"


def _rebalance(seen: Observed) -> Iterator[str]:
    if seen.rebalancing:
        yield "partitions are being reassigned (rebalance)"


def _unassigned(seen: Observed) -> Iterator[str]:
    if not seen.assigned and not seen.rebalancing:
        yield f"no partition is assigned to this {seen.service.name}"


def _recovery(seen: Observed) -> Iterator[str]:
    if seen.recovering:
        detail = f": {seen.recovery}" if seen.recovery else ""
        yield f"state is being recovered from the changelog{detail}"


def _brokers(seen: Observed) -> Iterable[str]:
    return seen.brokers


def _database(seen: Observed) -> Iterator[str]:
    one = seen.database
    if one is not None and one.waited is not None:
        yield f"waiting for the database at {one.address} for {one.waited:.0f} s: {one.error}"
    elif one is not None and one.running is not None and one.running > seen.stalled_after:
        yield f"a transaction at {one.address} has been running for {one.running:.0f} s"


def _ack(seen: Observed) -> Iterator[str]:
    if seen.ack_wait >= seen.stalled_after:
        problem = f"; {seen.ack_problem}" if seen.ack_problem else ""
        waited = f"for {seen.ack_wait:.0f} s, nothing is lost{problem}"
        yield f"an output has been waiting for the brokers' ack {waited}"


# -- single partitions


def held_reason(topic: str, partition: int, held: OpenTransaction) -> str:
    """Describes an open transaction and the offsets that it holds back, with the remedy."""
    return (
        f"partition {partition}: a transaction that begins at offset {held.offset} of {topic} has been open "
        f"for {held.seconds:.0f} s and holds back {held.offsets} offsets, ticks included; remedy: have its "
        "producer commit or abort it, or find and abort it with kafka-transactions.sh"
    )


def feed_reason(topic: str, partition: int, problem: str) -> str:
    """Describes a partition whose input becomes dead letters, with the remedy."""
    return (
        f"partition {partition}: {problem}; what comes on {topic} looks wrong as a whole, every dead "
        "letter is kept, nothing is lost; remedy: see the reasons at /dead-letters/, correct the producer, "
        "and send its records again"
    )


def foreign_rows_reason(topic: str, rows: int) -> str:
    """Describes changelog records that gridwatch did not write; a warning, as the state is complete."""
    return (
        f"{rows} records of {topic} are no rows of gridwatch and were skipped; remedy: find out who else "
        "writes to this topic, and let only the worker do so"
    )


def _lost(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.lost:
            yield one.of_stage(one.lost)


def _undecodable(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.undecodable is not None:
            yield one.of_stage(undecodable_reason(one.topic, one.number, one.undecodable))


def _transaction(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.held is not None and one.held.seconds >= seen.stalled_after:
            yield one.of_stage(held_reason(one.topic, one.number, one.held))


def _feed(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.feed:
            yield one.of_stage(feed_reason(one.topic, one.number, one.feed))


def _taken_over(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.not_taken_over is not None and one.not_taken_over >= TAKEN_OVER_WITHIN:
            yield one.of_stage(f"partition {one.number}: not taken over for {one.not_taken_over:.0f} s")


def _stalled(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.stalled is None or one.stalled < seen.stalled_after:
            continue
        where, what = f"partition {one.number}", "records" if one.stage else "readings"
        if seen.service == SINK:  # which reads several topics
            where, what = f"{one.topic}[{one.number}]", "records"
        yield one.of_stage(f"{where}: {what} wait, and nothing was committed for {one.stalled:.0f} s")


def _ticks(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.tick_overdue is not None and one.tick_overdue >= seen.stalled_after:
            yield one.of_stage(
                f"partition {one.number}: empty, and no tick came for {one.tick_overdue:.0f} s after it was "
                "due: event time is stalled, and no gap is detected"
            )


_CONSUMERS: Final = (WORKER, SINK)
#: In the order of the reasons: problems of the whole service come before those of single partitions.
CHECKS: Final = (
    Check("stopping", "a part of it failed, or it was asked to stop", _stopping),
    Check("rebalance", "partitions are being reassigned", _rebalance, _CONSUMERS),
    Check("unassigned", "no partition is assigned to it", _unassigned, _CONSUMERS),
    Check("recovery", "state is being recovered from the changelog", _recovery, (WORKER,)),
    Check("brokers", "no broker answers, or a topic is missing or has other partitions", _brokers),
    Check("database", "the database does not answer, or a transaction does not end", _database, (SINK,)),
    Check("source lost", "a source topic ends before the committed position", _lost, (WORKER,)),
    Check(
        "undecodable", "a partition has stopped at a batch that cannot be decoded", _undecodable, _CONSUMERS
    ),
    Check(
        "transaction", "an open transaction has held back a partition for too long", _transaction, _CONSUMERS
    ),
    Check("feed", "nearly all records of a partition become dead letters", _feed, _CONSUMERS),
    Check("taken over", "a partition is assigned, and its state is not in use", _taken_over, (WORKER,)),
    Check(
        "ack", "an output has been waiting for the brokers' ack for too long", _ack, (WORKER, INGEST, BRIDGE)
    ),
    Check("stalled", "records wait in a partition, and nothing is committed", _stalled, _CONSUMERS),
    Check("ticks", "a partition is idle and gets no ticks", _ticks, (WORKER,)),
)
