"""One seed: its input undisturbed (once for all seeds that have it), then under its faults, then compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.comparison import Difference, differences
from chaos.faults import carry_out
from chaos.feed import Feed
from chaos.input import Raw, make_input
from chaos.resume import check_resume
from chaos.schedule import Schedule
from chaos.servers import Servers
from chaos.service import Exit
from chaos.site import RULES, Site, new_site
from chaos.snapshot import Snapshot, take_snapshot
from chaos.subject import GRIDWATCH, Subject
from gridwatch.errors import GridwatchError

Say = Callable[[str], None]
#: How long the slice of the input between two faults takes to send, seconds.
_SLICE_SECONDS = 2.0
_BEATS_A_SECOND = 4


@dataclass
class Outcome:
    """How one seed went, or the replay that was killed and resumed."""

    seed: int
    schedule: list[str]
    of_replay: bool = False
    seconds: float = 0.0
    carried_out: int = 0
    differences: list[Difference] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    things: int = 0

    @property
    def same(self) -> bool:
        """Whether nothing is lost, double or different, and everything came to its end."""
        return not (self.differences or self.contradictions or self.error)

    def count(self, what: str) -> int:
        """How many differences are of one sort."""
        return sum(1 for one in self.differences if one.what == what)


class Chaos:
    """Runs seeds one after the other on the same servers."""

    def __init__(
        self, servers: Servers, folder: Path, readings: int, say: Say, subject: Subject = GRIDWATCH
    ) -> None:
        self._servers = servers
        self._subject = subject
        self._folder = folder
        self._readings = readings
        self._say = say
        self._undisturbed: dict[int, Snapshot] = {}
        self._runs = 0

    def run(self, schedule: Schedule) -> Outcome:
        """One seed from start to end; what goes wrong is in the outcome."""
        began = time.monotonic()
        outcome = Outcome(schedule.seed, list(map(str, schedule.faults)))
        try:
            wanted = self._without_troubles(schedule.input_seed)
            began = time.monotonic()
            found = self._with_troubles(schedule, outcome)
        except GridwatchError as problem:
            outcome.error = str(problem)
        else:
            outcome.differences = differences(wanted, found)
            outcome.contradictions = found.contradictions
            outcome.things = sum(found.counts().values())
        outcome.seconds = time.monotonic() - began
        return outcome

    def run_replay(self, seed: int, kills: int) -> Outcome:
        """A replay killed so many times."""
        began = time.monotonic()
        outcome = Outcome(seed, [f"replay killed and resumed {kills} times"], of_replay=True)
        try:
            outcome.differences, outcome.things = check_resume(
                self._servers, self._folder / self._next_name("replay"), seed, kills
            )
            outcome.carried_out = kills
        except GridwatchError as problem:
            outcome.error = str(problem)
        outcome.seconds = time.monotonic() - began
        return outcome

    def _next_name(self, what: str) -> str:
        self._runs += 1
        return f"chaos_{self._runs}_{what}"

    def _without_troubles(self, input_seed: int) -> Snapshot:
        known = self._undisturbed.get(input_seed)
        if known is not None:
            return known
        began = time.monotonic()
        self._servers.start()
        name = self._next_name(f"undisturbed_{input_seed}")
        with new_site(
            self._servers, self._folder / name, name, compacted=False, subject=self._subject
        ) as site:
            feed = Feed(site.settings, make_input(input_seed, self._readings, RULES["partitions"]), 0)
            feed.finish()
            site.workers[0].start()
            site.sinks[0].start()
            site.settle()
            site.stop()
            snapshot = take_snapshot(site.settings, site.subject, site.data_folders)
            if snapshot.contradictions:
                raise GridwatchError(f"undisturbed, and yet: {snapshot.contradictions[0]}")
            if site.exits:
                raise GridwatchError(f"{site.exits[0].service} ended by itself:\n{site.exits[0].said}")
        self._undisturbed[input_seed] = snapshot
        self._say(f"input {input_seed} undisturbed: {time.monotonic() - began:.1f} s, {snapshot.counts()}")
        return snapshot

    def _with_troubles(self, schedule: Schedule, outcome: Outcome) -> Snapshot:
        self._servers.start()
        records = make_input(schedule.input_seed, self._readings, RULES["partitions"])
        name = self._next_name(f"seed_{schedule.seed}")
        tuning: dict[str, Any] = {
            "commit_bytes": schedule.commit_bytes,
            "batch_records": schedule.batch_records,
            "sink_batch_rows": schedule.sink_rows,
        }
        with new_site(
            self._servers,
            self._folder / name,
            name,
            compacted=schedule.compacted,
            subject=self._subject,
            **tuning,
        ) as site:
            outcome.exits, outcome.notes = [], site.notes
            try:
                self._live_through(site, schedule, outcome, records)
                site.stop()
                return take_snapshot(site.settings, site.subject, site.data_folders)
            finally:
                outcome.exits = site.exits

    def _live_through(self, site: Site, schedule: Schedule, outcome: Outcome, records: list[Raw]) -> None:
        for service in [*site.workers[: schedule.workers], site.sinks[0]]:
            service.start()
        marks = [fault.at for fault in schedule.faults] + [1.0]
        burst = max(1, round(len(records) * marks[0] / _SLICE_SECONDS / _BEATS_A_SECOND))
        feed = Feed(site.settings, records, burst)
        began = time.monotonic()
        try:
            feed.allow(marks[0])
            site.wait_until_ready()
            for fault, mark in zip(schedule.faults, marks[1:], strict=True):
                feed.wait()
                if fault.number == schedule.silent_from:
                    feed.allow(1.0)
                    feed.wait()
                feed.allow(mark)
                time.sleep(fault.pause)
                self._say(f"{time.monotonic() - began:6.1f} s {fault}")
                carry_out(site, fault)
                outcome.carried_out = fault.number - site.missed
            feed.allow(1.0)
        except BaseException:
            feed.stop()
            raise
        feed.finish()

        def told(line: str) -> None:
            self._say(f"{time.monotonic() - began:6.1f} s {line}")

        told("all sent; settling")
        site.settle(told)
        told("settled")
