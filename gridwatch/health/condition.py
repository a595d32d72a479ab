"""Whether this worker is ready, and if not, why not.

Live means that the loop answers. Ready means that readings which arrive now are worked on: partitions
are assigned and taken over, no rebalance and no recovery is going on, the brokers answer and have every
topic, where readings wait the committed position moves, and where none come time goes on by ticks. A
stalled worker must not look healthy, so no progress is a reason in itself, whatever its cause.

What another worker lacks makes this one no less ready: that is a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridwatch.streaming.faust.recovery import progress_words, recovered

#: A partition that is assigned and not taken over after this long is a reason, seconds.
TAKEN_OVER_WITHIN = 5.0


@dataclass(frozen=True)
class Condition:
    """What readiness is judged by. Durations in seconds, by partition number."""

    assigned: bool
    rebalancing: bool = False
    recovering: bool = False
    stopping: bool = False
    #: How far recovery is, in words.
    recovery: str = ""
    #: What is wrong with the brokers or the topics.
    brokers: Sequence[str] = ()
    #: What keeps single partitions from being worked, or makes their feed worthless.
    partitions: Sequence[str] = ()
    #: How long a partition has been ours without being taken over.
    not_taken: Mapping[int, float] = field(default_factory=dict)
    #: How long readings have been waiting without a commit.
    standing: Mapping[int, float] = field(default_factory=dict)
    #: How long a tick into a silent partition has been due.
    ticks_overdue: Mapping[int, float] = field(default_factory=dict)
    #: How long the oldest ack of the brokers has been waited for.
    ack_wait: float = 0.0
    ack_problem: str = ""
    #: What stands for this long is stalled.
    stalled_after: float = 30.0

    @property
    def settled(self) -> bool:
        """Whether the state of the worker's partitions is there whole, and stays there."""
        return not (self.rebalancing or self.recovering or self.stopping)

    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty when it is."""
        reasons = []
        if self.stopping:
            reasons.append("the worker is stopping: a part of it failed, or it was told to")
        if self.rebalancing:
            reasons.append("partitions are being handed out anew (rebalance)")
        elif not self.assigned:
            reasons.append("no partition is assigned to this worker")
        if self.recovering:
            detail = f": {self.recovery}" if self.recovery else ""
            reasons.append(f"state is being recovered from the changelog{detail}")
        return [*reasons, *self.brokers, *self.partitions, *self._stalled()]

    def _stalled(self) -> list[str]:
        reasons = [
            f"partition {partition}: not taken over for {seconds:.0f} s"
            for partition, seconds in sorted(self.not_taken.items())
            if seconds >= TAKEN_OVER_WITHIN
        ]
        if self.ack_wait >= self.stalled_after:
            reasons.append(
                f"an output has been waiting for the brokers' ack for {self.ack_wait:.0f} s, nothing is lost"
                + (f"; {self.ack_problem}" if self.ack_problem else "")
            )
        reasons += [
            f"partition {partition}: readings wait, and nothing was committed for {seconds:.0f} s"
            for partition, seconds in sorted(self.standing.items())
            if seconds >= self.stalled_after
        ]
        return reasons + [
            f"partition {partition}: empty, and no tick came for {seconds:.0f} s after it was due: "
            "event time stands, and no gap is seen"
            for partition, seconds in sorted(self.ticks_overdue.items())
            if seconds >= self.stalled_after
        ]


def condition(app: Any, assigned: bool) -> Condition:
    """The application's condition as Faust knows it, without brokers and progress."""
    recovering = bool(app.in_recovery) or (assigned and not app.tables.actives_ready)
    return Condition(
        assigned=assigned,
        rebalancing=bool(app.rebalancing),
        recovering=recovering,
        stopping=bool(app.should_stop or app.crashed),
        recovery=progress_words(recovered(app)) if recovering else "",
    )
