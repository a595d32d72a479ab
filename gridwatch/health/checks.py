"""The registry of health checks: every reason for which a service is not ready, once, with its remedy.

Ready means that what arrives now is worked on: partitions are assigned and taken over, no rebalance and no
recovery is going on, the brokers answer and have every topic, the database answers, where records wait the
committed position moves, and where none come time goes on by ticks. A stalled service must not look healthy,
so no progress is a reason in itself, whatever its cause. What another service lacks is no reason here.

Checks are pure: they judge an `Observed`, plain values that a service collected beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gridwatch.health.metrics import SERVICES, SINK, WORKER, Service
from gridwatch.kafka.open_transactions import OpenTransaction
from gridwatch.streaming.faust.fetching import Undecodable, undecodable_reason

#: A partition that is assigned and not taken over after this long is a reason, seconds.
TAKEN_OVER_WITHIN: Final = 5.0


@dataclass(frozen=True)
class Partition:
    """What is observed of one topic partition. Durations in seconds; None where nothing is known."""

    topic: str
    number: int
    stage: str = ""
    """Named in reasons; empty for a worker's first stage, and for services without stages."""
    lost: str = ""
    """Why nothing of it can be worked on, with the remedy."""
    undecodable: Undecodable | None = None
    held: OpenTransaction | None = None
    """What an open transaction holds back."""
    feed: str = ""
    """Why what comes on it is wrong as a whole."""
    not_taken: float | None = None
    """How long it has been assigned without being taken over."""
    standing: float | None = None
    """How long records have been waiting without a commit."""
    tick_overdue: float | None = None
    """How long a tick into it, while it is silent, has been due."""

    def of_stage(self, reason: str) -> str:
        """A reason with the name of the stage in front of it."""
        return f"{self.stage}, {reason}" if self.stage else reason


@dataclass(frozen=True)
class Database:
    """What is observed of the database. Durations in seconds."""

    address: str
    waited: float | None = None
    """How long it has been waited for."""
    error: str = ""
    running: float | None = None
    """How long a transaction has been running."""


@dataclass(frozen=True)
class Observed:
    """What the readiness of a service is judged by, at one moment."""

    service: Service
    assigned: bool = True
    """Whether it has partitions, if it reads any."""
    rebalancing: bool = False
    recovering: bool = False
    stopping: bool = False
    recovery: str = ""
    """How far recovery is, in words."""
    brokers: Sequence[str] = ()
    """What is wrong with the brokers or the topics."""
    database: Database | None = None
    partitions: Sequence[Partition] = ()
    ack_wait: float = 0.0
    """How long the oldest ack of the brokers has been waited for, seconds."""
    ack_problem: str = ""
    stalled_after: float = 30.0
    """What stands for this long is stalled, seconds."""

    @property
    def settled(self) -> bool:
        """Whether the state of the service's partitions is there whole, and stays there."""
        return not (self.rebalancing or self.recovering or self.stopping)

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        mine = (check for check in CHECKS if self.service in check.services)
        return [reason for check in mine for reason in check.reasons(self)]


@dataclass(frozen=True)
class Check:
    """One thing that has to be right.

    Args:
        meaning: what it says of a service that fails it.
        reasons: what is wrong, each with its remedy where there is one.
    """

    name: str
    meaning: str
    reasons: Callable[[Observed], Iterable[str]]
    services: tuple[Service, ...] = SERVICES


# -- the service as a whole


def _stopping(seen: Observed) -> Iterator[str]:
    if seen.stopping:
        yield f"the {seen.service.name} is stopping: a part of it failed, or it was told to"


def _rebalance(seen: Observed) -> Iterator[str]:
    if seen.rebalancing:
        yield "partitions are being handed out anew (rebalance)"


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
    """What an open transaction holds back, and the remedy."""
    return (
        f"partition {partition}: a transaction that begins at offset {held.offset} of {topic} has been open "
        f"for {held.seconds:.0f} s and holds back {held.offsets} offsets, ticks included; remedy: have its "
        "producer commit or abort it, or find and abort it with kafka-transactions.sh"
    )


def feed_reason(topic: str, partition: int, problem: str) -> str:
    """A problem of a partition's feed, with the remedy."""
    return (
        f"partition {partition}: {problem}; what comes on {topic} looks wrong as a whole, every letter is "
        "kept, nothing is lost; remedy: see the reasons at /dead-letters/, correct the producer, and send "
        "again what it sent"
    )


def foreign_rows_reason(topic: str, rows: int) -> str:
    """Records in a changelog that are no rows of ours, with the remedy: a warning, the state is whole."""
    return (
        f"{rows} records of {topic} are no rows of gridwatch and were left out; remedy: find out who else "
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
        if one.not_taken is not None and one.not_taken >= TAKEN_OVER_WITHIN:
            yield one.of_stage(f"partition {one.number}: not taken over for {one.not_taken:.0f} s")


def _standing(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.standing is None or one.standing < seen.stalled_after:
            continue
        where, what = f"partition {one.number}", "records" if one.stage else "readings"
        if seen.service == SINK:  # which reads several topics
            where, what = f"{one.topic}[{one.number}]", "records"
        yield one.of_stage(f"{where}: {what} wait, and nothing was committed for {one.standing:.0f} s")


def _ticks(seen: Observed) -> Iterator[str]:
    for one in seen.partitions:
        if one.tick_overdue is not None and one.tick_overdue >= seen.stalled_after:
            yield one.of_stage(
                f"partition {one.number}: empty, and no tick came for {one.tick_overdue:.0f} s after it was "
                "due: event time stands, and no gap is seen"
            )


#: In the order in which reasons are given: what is wrong with all comes before single partitions.
CHECKS: Final = (
    Check("stopping", "a part of it failed, or it was told to stop", _stopping),
    Check("rebalance", "partitions are being handed out", _rebalance),
    Check("unassigned", "no partition is assigned to it", _unassigned),
    Check("recovery", "state is being recovered from the changelog", _recovery, (WORKER,)),
    Check("brokers", "no broker answers, or a topic is missing or has other partitions", _brokers),
    Check("database", "the database is waited for, or a transaction does not end", _database, (SINK,)),
    Check("source lost", "a source topic ends before the committed position", _lost, (WORKER,)),
    Check("undecodable", "a partition has stopped at a batch that cannot be decoded", _undecodable),
    Check("transaction", "an open transaction has held back a partition for too long", _transaction),
    Check("feed", "nearly all that comes on a partition becomes dead letters", _feed),
    Check("taken over", "a partition is assigned, and its state is not in use", _taken_over, (WORKER,)),
    Check("ack", "an output has been waiting for the brokers' ack for too long", _ack, (WORKER,)),
    Check("standing", "records wait in a partition, and nothing is committed", _standing),
    Check("ticks", "a partition is silent and gets no ticks", _ticks, (WORKER,)),
)
