"""The faults of a run, their order, targets and durations: all from one seed.

A fault is placed by the share of the input that has been sent, so that a schedule means the same on a slow
machine and on a fast one. The timing of the processes still differs from run to run: that is intended.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gridwatch.topics import HOMELAB
from sinks import tables

#: The session timeout of workers and sinks; brokers allow no less than 6 s.
SESSION_SECONDS = 6
#: Long enough that a frozen process has lost its partitions.
BEYOND_SESSION = SESSION_SECONDS + 2.5
#: The steps of a commit (`pipeline.STEPS`; a test holds the two together).
STEPS = ("taken", "cut", "decided", "outputs acked", "changelog acked", "written")
#: Those of the sink (`sinks.writer.STEPS`; the same test).
SINK_STEPS = ("decoded", "copied", "merged", "committed", "stored")
#: Where fetched batches are dropped after the position has moved (`entry.py`): after the fetch, in Faust's
#: iteration, before a partition queue; and those of the changelog during recovery.
DROP_POINTS = ("fetched", "drained", "queued")
RECOVERY = "recovering"

#: Every kind of fault, what it does, and how often it is drawn.
KINDS: dict[str, tuple[str, int]] = {
    "worker-kill": ("kill -9 of a worker at a random moment", 3),
    "worker-term": ("SIGTERM to a worker", 2),
    "worker-kill-at-step": ("kill -9 of a worker at a named step of a commit", 6),
    "worker-kill-starting": ("kill -9 of a worker while it starts, recovers or takes over, several times", 2),
    "worker-freeze": ("SIGSTOP of a worker beyond its session, then SIGCONT", 2),
    "worker-freeze-at-step": ("the same at a named step of a commit", 4),
    "worker-pause": ("SIGSTOP of a worker within its session", 1),
    "worker-join": ("one more worker", 2),
    "worker-leave": ("a worker leaves, in order or by kill -9, and does not come back", 2),
    "worker-swap": ("a worker leaves while another joins", 2),
    "worker-kill-rebalancing": ("kill -9 of a worker while the partitions are rebalanced", 2),
    "worker-rolling": ("every worker is stopped and started, one after the other", 1),
    "worker-clock": ("a worker comes back with its clock hours off", 1),
    "worker-batch-dropped": ("a worker's fetched batches are dropped on their way, also in recovery", 4),
    "sink-kill": ("kill -9 of a sink at a random moment", 3),
    "sink-term": ("SIGTERM to a sink", 1),
    "sink-freeze": ("SIGSTOP of a sink beyond its session, then SIGCONT", 1),
    "sink-swap": ("a sink leaves while another joins", 1),
    "sink-kill-at-step": ("kill -9 of a sink at a named step of a transaction", 3),
    "sink-freeze-at-step": ("SIGSTOP of a sink at a named step beyond its session, then SIGCONT", 1),
    "sink-batch-dropped": ("a sink's fetched batches are dropped on their way", 3),
    "relay-kill": ("kill -9 of the relay while it publishes the registry", 2),
    "all-kill": ("kill -9 of every worker and sink, and of the relay, at once", 1),
    "broker-kill": ("kill -9 of the broker, which comes back", 1),
    "broker-stop": ("the broker is stopped and started", 1),
    "broker-freeze": ("the broker answers nobody for longer than a session", 1),
    "postgres-kill": ("kill -9 of PostgreSQL, which comes back", 1),
    "postgres-stop": ("PostgreSQL is stopped and started", 1),
    "postgres-cut": ("the sink's connections are cut, again and again", 1),
    "postgres-lock": ("somebody holds a lock on a table, for a minute at most", 1),
    "postgres-refusing": ("every insert fails: disk full, deadlock, read only", 1),
    "disk-wiped": ("a worker comes back without its data folder", 1),
    "disk-truncated": ("a worker comes back with files of its RocksDB cut short", 1),
    "disk-flipped": ("a worker comes back with bytes of its RocksDB flipped", 1),
    "topic-changelog": ("the changelog is deleted and recreated, also with every data folder gone", 1),
    "topic-offsets": ("the committed offsets of workers and sinks are deleted", 1),
}
#: SQLSTATEs of transient errors: disk full, serialization failure, deadlock, internal error, read only.
_SQLSTATES = ("53100", "40001", "40P01", "XX000", "25006", "57P03")
#: A derived table is locked and refuses together with the one that it comes from. No home publishes anything.
_TABLES = tuple(table.name for table in tables.fed_by_topics() if table.topic not in HOMELAB)
_SERVER_AWAY = (0, 2, SESSION_SECONDS + 1)
_PROCESS_AWAY = (0, 0, 1, SESSION_SECONDS + 1)
#: The choices of details, by kind.
_CHOICES: dict[str, dict[str, Sequence[object]]] = {
    "worker-leave": {"how": ("stop", "kill")},
    "worker-swap": {"how": ("stop", "kill")},
    "sink-swap": {"how": ("stop", "kill")},
    "worker-clock": {"hours": (-30, -2, 2, 30)},
    "worker-kill": {"away": _PROCESS_AWAY},
    "sink-kill": {"away": _PROCESS_AWAY},
    "all-kill": {"away": _PROCESS_AWAY},
    "relay-kill": {"away": _PROCESS_AWAY},
    "broker-kill": {"away": _SERVER_AWAY},
    "broker-stop": {"away": _SERVER_AWAY},
    "postgres-kill": {"away": _SERVER_AWAY},
    "postgres-stop": {"away": _SERVER_AWAY},
    "worker-pause": {"seconds": (1, 3)},
    "postgres-cut": {"times": (1, 5, 15)},
    "postgres-lock": {"table": _TABLES, "seconds": (2, 7, 60)},
    "postgres-refusing": {"table": _TABLES, "sqlstate": _SQLSTATES, "seconds": (1, 4)},
    "topic-changelog": {"folders": ("kept", "gone")},
}


@dataclass(frozen=True)
class Fault:
    """One fault: when (share of the input sent, then a pause in seconds), its target, and its details."""

    number: int
    kind: str
    at: float
    pause: float
    target: int
    details: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        details = "".join(f", {name} {value}" for name, value in self.details.items())
        when = f"at {self.at:4.0%} + {self.pause:.2f} s"
        return f"{self.number:3d}  {when}  {self.kind} (target {self.target}{details})"

    def number_of(self, name: str) -> float:
        """A numeric detail."""
        return float(str(self.details[name]))


@dataclass(frozen=True)
class Schedule:
    """The schedule of one seed: the configuration of the run, and its faults in order."""

    seed: int
    input_seed: int
    workers: int
    compacted: bool
    batch_records: int
    commit_bytes: int
    sink_rows: int
    #: All of the input is sent before the fault of this number; 0: sending continues after the last one.
    silent_from: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        head = (
            f"seed {self.seed}: input {self.input_seed}, {self.workers} worker(s), batches of "
            f"{self.batch_records} records, commits of {self.commit_bytes} bytes, "
            f"transactions of {self.sink_rows} rows, changelog {'' if self.compacted else 'not '}compacted"
            f"{f', all input sent before fault {self.silent_from}' if self.silent_from else ''}"
        )
        return "\n".join([head, *map(str, self.faults)])


#: How many inputs there are: the fault-free run of one serves every seed that shares it.
INPUTS = 4


def make_schedule(
    seed: int,
    faults: int,
    kinds: Sequence[str] = tuple(KINDS),
    workers: int | None = None,
    early: bool | None = None,
) -> Schedule:
    """The schedule of a seed; deterministic in the arguments.

    workers: how many at the start, 1 to 3. early: whether the input ends before the last faults. None: by
    seed.
    """
    chance = random.Random(f"schedule {seed}")  # noqa: S311  to be repeated
    drawn_workers = chance.choice([1, 2, 2, 3])
    drawn_early = chance.random() < 0.3
    silent = faults - max(1, faults // 3) + 1 if faults and (drawn_early if early is None else early) else 0
    schedule = Schedule(
        seed=seed,
        input_seed=seed % INPUTS,
        workers=drawn_workers if workers is None else workers,
        compacted=chance.random() < 0.5,
        batch_records=chance.choice([20, 60, 200]),
        commit_bytes=chance.choice([1500, 3000, 6000]),
        sink_rows=chance.choice([100, 500, 2000]),
        silent_from=silent,
        faults=tuple(
            _fault(chance, number, faults, _in_silence(kinds) if 0 < silent <= number else kinds)
            for number in range(1, faults + 1)
        ),
    )
    if any(fault.details.get("step") == "cut" for fault in schedule.faults):
        # A small batch hardly ever has more than one commit may hold.
        return replace(schedule, batch_records=200, commit_bytes=1500)
    return schedule


def _in_silence(kinds: Sequence[str]) -> Sequence[str]:
    """Those of the kinds that can happen when nothing is processed."""
    possible = [kind for kind in kinds if not kind.endswith(("-at-step", "sink-batch-dropped"))]
    return possible or kinds


def _fault(chance: random.Random, number: int, faults: int, kinds: Sequence[str]) -> Fault:
    kind = chance.choices(kinds, [KINDS[kind][1] for kind in kinds])[0]
    return Fault(
        number=number,
        kind=kind,
        at=number / (faults + 1),
        pause=round(chance.choice([0.05, 0.3, 1.5]) * chance.random(), 3),
        target=chance.randrange(6),
        details=_details(chance, kind),
    )


def _details(chance: random.Random, kind: str) -> dict[str, object]:
    if kind.endswith("-at-step"):
        step = chance.choice(SINK_STEPS if kind.startswith("sink-") else STEPS)
        return {"step": step, "pass": chance.choice([1, 2] if step == "taken" else [1, 1, 2, 5, 12])}
    if kind.endswith("-batch-dropped"):
        points = DROP_POINTS if kind.startswith("sink-") else (*DROP_POINTS, RECOVERY, RECOVERY)
        point = chance.choice(points)
        return {
            "step": point,
            "pass": 1 if point == RECOVERY else chance.choice([1, 1, 2, 5, 12]),
            "batches": chance.choice([1, 1, 2, 4]),
        }
    if kind == "worker-kill-starting":
        return {"after": "+".join(f"{chance.uniform(0.2, 6.0):.2f}" for _ in range(chance.choice([1, 2])))}
    if kind == "worker-kill-rebalancing":
        return {"after": round(chance.uniform(1.0, 5.0), 2), "by": chance.choice(["join", "leave"])}
    if kind.startswith("disk-"):
        return {"files": chance.choice([1, 3, 1000]), "seed": chance.randrange(1_000_000)}
    return {name: chance.choice(choices) for name, choices in _CHOICES.get(kind, {}).items()}
