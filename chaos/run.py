"""One seed: its input fault-free (once for all seeds that share it), then under its faults, then compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.compare.differences import Difference, differences
from chaos.compare.snapshot import Snapshot, take_snapshot
from chaos.feed import Feed
from chaos.injectors.by_kind import inject
from chaos.input import Raw, make_input
from chaos.resume import check_resume
from chaos.schedule import Schedule
from chaos.servers import Servers
from chaos.service import Exit
from chaos.site import RULES, Site, new_site
from chaos.subject import GRIDWATCH, Subject
from gridwatch.errors import GridwatchError

Log = Callable[[str], None]
#: How long the slice of the input between two faults takes to send, seconds.
_SLICE_SECONDS = 2.0
_BEATS_A_SECOND = 4


@dataclass
class Result:
    """The result of one seed, or of the replay that was killed and resumed."""

    seed: int
    schedule: list[str]
    of_replay: bool = False
    seconds: float = 0.0
    injected: int = 0
    differences: list[Difference] = field(default_factory=list)
    inconsistencies: list[str] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    compared: int = 0

    @property
    def same(self) -> bool:
        """Whether nothing is lost, in excess or different, and the run was finished."""
        return not (self.differences or self.inconsistencies or self.error)

    def count(self, what: str) -> int:
        """How many differences are of one kind."""
        return sum(1 for one in self.differences if one.what == what)


class Chaos:
    """Runs seeds one after the other on the same servers."""

    def __init__(
        self, servers: Servers, folder: Path, readings: int, log: Log, subject: Subject = GRIDWATCH
    ) -> None:
        self._servers = servers
        self._subject = subject
        self._folder = folder
        self._readings = readings
        self._log = log
        self._baselines: dict[int, Snapshot] = {}
        self._runs = 0

    def run(self, schedule: Schedule) -> Result:
        """Run one seed from start to end; errors are in the result."""
        began = time.monotonic()
        result = Result(schedule.seed, list(map(str, schedule.faults)))
        try:
            wanted = self._fault_free(schedule.input_seed)
            began = time.monotonic()
            found = self._with_faults(schedule, result)
        except GridwatchError as problem:
            result.error = str(problem)
        else:
            result.differences = differences(wanted, found)
            result.inconsistencies = found.inconsistencies
            result.compared = sum(found.counts().values())
        result.seconds = time.monotonic() - began
        return result

    def run_replay(self, seed: int, kills: int) -> Result:
        """Run a replay killed so many times."""
        began = time.monotonic()
        result = Result(seed, [f"replay killed and resumed {kills} times"], of_replay=True)
        try:
            result.differences, result.compared = check_resume(
                self._servers, self._folder / self._next_name("replay"), seed, kills
            )
            result.injected = kills
        except GridwatchError as problem:
            result.error = str(problem)
        result.seconds = time.monotonic() - began
        return result

    def _next_name(self, what: str) -> str:
        self._runs += 1
        return f"chaos_{self._runs}_{what}"

    def _fault_free(self, input_seed: int) -> Snapshot:
        known = self._baselines.get(input_seed)
        if known is not None:
            return known
        began = time.monotonic()
        self._servers.start()
        name = self._next_name(f"fault_free_{input_seed}")
        with new_site(
            self._servers,
            self._folder / name,
            name,
            compacted=False,
            subject=self._subject,
            input_seed=input_seed,
        ) as site:
            feed = Feed(site.settings, make_input(input_seed, self._readings, RULES["partitions"]), 0)
            feed.finish()
            site.workers[0].start()
            site.sinks[0].start()
            site.registrar.finish()
            site.drain()
            site.stop()
            snapshot = _taken(site)
            if snapshot.inconsistencies:
                raise GridwatchError(f"inconsistent without faults: {snapshot.inconsistencies[0]}")
            if site.exits:
                raise GridwatchError(
                    f"{site.exits[0].service} exited by itself:\n{site.exits[0].log_excerpt}"
                )
        self._baselines[input_seed] = snapshot
        self._log(f"input {input_seed} fault-free: {time.monotonic() - began:.1f} s, {snapshot.counts()}")
        return snapshot

    def _with_faults(self, schedule: Schedule, result: Result) -> Snapshot:
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
            input_seed=schedule.input_seed,
            **tuning,
        ) as site:
            result.exits, result.notes = [], site.notes
            try:
                self._inject_faults(site, schedule, result, records)
                site.stop()
                return _taken(site)
            finally:
                result.exits = site.exits

    def _inject_faults(self, site: Site, schedule: Schedule, result: Result, records: list[Raw]) -> None:
        for service in [*site.workers[: schedule.workers], site.sinks[0]]:
            service.start()
        marks = [fault.at for fault in schedule.faults] + [1.0]
        burst = max(1, round(len(records) * marks[0] / _SLICE_SECONDS / _BEATS_A_SECOND))
        feed = Feed(site.settings, records, burst)
        began = time.monotonic()
        try:
            feed.allow(marks[0])
            site.registrar.advance(marks[0] / 2)
            site.wait_until_ready()
            for fault, mark in zip(schedule.faults, marks[1:], strict=True):
                feed.wait()
                if fault.number == schedule.silent_from:
                    feed.allow(1.0)
                    feed.wait()
                feed.allow(mark)
                site.registrar.advance(mark)
                time.sleep(fault.pause)
                self._log(f"{time.monotonic() - began:6.1f} s {fault}")
                inject(site, fault)
                result.injected = fault.number - site.missed
            feed.allow(1.0)
        except BaseException:
            feed.stop()
            raise
        feed.finish()

        def log(line: str) -> None:
            self._log(f"{time.monotonic() - began:6.1f} s {line}")

        log("all sent; draining")
        site.registrar.finish()
        site.drain(log)
        log("drained")


def _taken(site: Site) -> Snapshot:
    snapshot = take_snapshot(site.settings, site.subject, site.data_folders)
    snapshot.contents |= site.registrar.contents()
    return snapshot
