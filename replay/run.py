"""One replay from files to topic: orders the rows, makes the sequence, sends it, writes the truth."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gridwatch.broker import Broker
from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import Policy
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from gridwatch.topics import RAW
from replay.census import Census
from replay.detection import detect
from replay.emission import EmissionPlan, Item, Kind, emit
from replay.faults import FaultPlan, Faults
from replay.files import inspect
from replay.manifest import ManifestWriter
from replay.ordering import RUN_ROWS, Survey, TimeOrder, run_rows_within, survey_of
from replay.pacing import Pace
from replay.position import Position, find_position, identity_of, new_run
from replay.profile import Profile
from replay.profiles.spec import SPEC
from replay.progress import Progress
from replay.rows import Rejected, Row, Selection, Tally, read_rows
from replay.sending import Placement, Sender
from replay.sources import Source, expand
from replay.summary import Summary
from replay.truth import Truth

_REPORT_EVERY = 2_000


@dataclass(frozen=True)
class Request:
    """What to replay and how.

    `files` may be folders, patterns and archives; `profile` None finds out. `speed` None is as fast as
    possible; `interval` (minutes) is given with readings that have none. `memory` (bytes) bounds the whole
    replay, None for what suits most machines. `rejected` is a file for the rows that were not taken.
    """

    files: tuple[Path, ...]
    profile: Profile | None = SPEC
    speed: float | None = None
    by_time: bool = True
    faults: FaultPlan = field(default_factory=FaultPlan)
    selection: Selection = field(default_factory=Selection)
    interval: int = 0
    truth: Path | None = None
    settle: bool = True
    resume: bool = False
    skip_bad: bool = False
    topic: str = RAW.name
    memory: int | None = None
    rejected: Path | None = None


class Replay:
    """A replay under one request. `plan()` sends nothing; `send()` does."""

    def __init__(
        self, request: Request, settings: Settings, progress: Progress, warn: Callable[[str], None]
    ) -> None:
        self.request = request
        self.settings = settings
        self.summary = Summary()
        self._sources: tuple[Source, ...] = ()
        self._rejected = Rejected(request.rejected) if request.rejected else None
        self._progress = progress
        self._warn = warn

    def plan(self) -> Summary:
        """Go through the whole sequence without a broker, as `--dry-run` does."""
        return self._run(self.settings.policy(), None)

    def send(self) -> Summary:
        """Send the sequence. GridwatchError when the files, the broker or the topic will not have it."""
        self._inspect()
        partitions = self._partitions()
        policy = replace(self.settings.policy(), partitions=partitions)
        paths = dict.fromkeys(source.path for source in self._sources)
        identity = identity_of(paths, self._identity_options(policy))
        found = (
            find_position(self.settings, self.request.topic, partitions, identity)
            if self.request.resume
            else None
        )
        if self.request.resume and found is None:
            self._warn("nothing of this replay is on the topic yet: it starts from the beginning")
        return self._run(
            policy, found or Position(new_run(identity), (-1,) * partitions), resumed=found is not None
        )

    def _partitions(self) -> int:
        topics = Broker(self.settings).partitions()
        if self.request.topic not in topics:
            raise GridwatchError(
                f"there is no topic {self.request.topic} on {self.settings.bootstrap}",
                "create the topics with: gridwatch topics create",
            )
        return topics[self.request.topic]

    def _identity_options(self, policy: Policy) -> dict[str, Any]:
        request = self.request
        return {
            "profile": self.summary.profile.fingerprint,
            "zone": self.settings.timezone,
            "by_time": request.by_time,
            "every_minute": request.speed is not None,
            "faults": asdict(request.faults),
            "selection": asdict(request.selection),
            "interval": request.interval,
            "settle": request.settle,
            "skip_bad": request.skip_bad,
            "partitions": policy.partitions,
            "out_of_orderness": policy.max_out_of_orderness,
            "grace": policy.grace,
        }

    def _inspect(self) -> None:
        """Find the files, how they are laid out, and, if that was not said, of which kind they are."""
        self._sources = expand(self.request.files)
        if self.request.profile is None:
            self.summary.profile, self.summary.profile_why = detect(self._sources)
        else:
            self.summary.profile = self.request.profile
        self.summary.zone = self.zone
        self.summary.layouts = [inspect(source, self.summary.profile) for source in self._sources]

    @property
    def zone(self) -> str:
        """The zone in which stamps without offset are read."""
        return self.summary.profile.zone or self.settings.timezone

    def _read(self) -> Iterator[list[Row]]:
        """One pass over all files; every pass counts afresh and ends with the same tally."""
        request = self.request
        tally = self.summary.tally = Tally()
        if self._rejected:
            self._rejected.start()
        try:
            for source in self._sources:
                for block in read_rows(
                    source,
                    self.summary.profile,
                    self.settings.timezone,
                    request.selection,
                    tally,
                    skip_bad=request.skip_bad,
                    rejected=self._rejected,
                ):
                    given = request.interval
                    yield [_with_interval(row, given) for row in block] if given else block
        finally:
            if self._rejected:
                self._rejected.close()

    def _on_first_run(self, size: int, folder: Path) -> None:
        """The first sorted run is on disk: how much room all of them will need, and whether it is there."""
        total = sum(path.stat().st_size for path in {source.path for source in self._sources})
        share = min(1.0, max(self.summary.tally.bytes_read / total, 1e-6)) if total else 1.0
        needed = self.summary.temp_estimate = round(size / share)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise GridwatchError(
                f"sorting by time needs about {needed / 1e9:,.1f} GB in {folder.parent}, "
                f"{free / 1e9:,.1f} GB are free",
                "make room there, set TMPDIR to a folder with more, or replay fewer files at a time",
            )
        self._progress.stage(f"reading (sorting needs about {needed / 1e6:,.0f} MB on disk)", None)

    def _run(self, policy: Policy, position: Position | None, *, resumed: bool = False) -> Summary:
        request, summary = self.request, self.summary
        if not summary.layouts:
            self._inspect()
        self._progress.stage("reading", None)
        with ExitStack() as stack:
            if request.by_time:
                order = stack.enter_context(
                    TimeOrder(
                        self._read,
                        run_rows=RUN_ROWS if request.memory is None else run_rows_within(request.memory),
                        on_read=self._progress.at,
                        on_first_run=self._on_first_run,
                    )
                )
                summary.survey = order.survey
            else:
                summary.survey = survey_of(self._read(), self._progress.at)
            self._look_ahead(summary.survey, policy)
            placement = Placement(policy.partitions)
            plan = EmissionPlan(
                policy.max_out_of_orderness,
                policy.grace,
                by_time=request.by_time,
                every_minute=request.speed is not None,
                settle=request.settle,
            )
            blocks: Iterator[list[Row]] = order.blocks() if request.by_time else self._read()
            if position is None:
                summary.census = Census(summary.survey, self.zone, request.by_time)
                blocks = summary.census.watch(blocks)
            items = emit(blocks, Faults(request.faults), plan)
            manifest = stack.enter_context(ManifestWriter(request.truth)) if request.truth else None
            if manifest:
                latest = now_micros() + policy.max_future_skew
                truth = Truth(policy, placement.partition, manifest.report, latest)
                items = _watched(items, truth)
            self._progress.stage("planning" if position is None else "replaying", summary.survey.rows)
            began = time.monotonic()
            if position is None:
                self._go_through(items, None)
            else:
                summary.run, summary.resumed = position.run, resumed
                self._send(
                    items, Sender(self.settings, request.topic, position.run, placement, position.rows)
                )
            summary.seconds = time.monotonic() - began
            if manifest:
                truth.finish()
                manifest.close(self._head(policy, truth))
                summary.truth = dict(manifest.counts)
        return summary

    def _look_ahead(self, survey: Survey, policy: Policy) -> None:
        """Say before anything is sent what will not go well."""
        if not survey.rows:
            tally = self.summary.tally
            why = [
                f"{count} {what}"
                for count, what in (
                    (tally.left_out, "rows were left out"),
                    (tally.bad.total(), "rows were bad"),
                    (tally.null_values, "values stand for no reading"),
                    (tally.other_series, "values are of series that are not wanted"),
                )
                if count
            ]
            raise GridwatchError(
                "no reading is left to replay" + (f": {', '.join(why)}" if why else ""),
                "give files with rows, or widen --start, --end, --meters and --flow",
            )
        if survey.last > now_micros() + policy.max_future_skew:
            self.summary.in_the_future = True
            self._warn(
                f"the last reading is of {format_instant(survey.last)}, in the future: the worker refuses "
                "such readings (FUTURE_TIMESTAMP). Leave them out with --end, or make older data"
            )
        if self.summary.tally.ambiguous:
            self._warn(
                "some stamps name two instants, at the change from summer time: of a meter's two rows with "
                "the same stamp the first was taken for the earlier one, or for the later one where rows run "
                f"backwards in time; read in {self.zone}"
            )
        if not self.request.by_time and not survey.by_time:
            self._warn(
                f"rows are sent in the order of the file ({survey.order}): most of them will be late. "
                "Leave out --order file to merge them by time"
            )

    def _send(self, items: Iterator[Item], sender: Sender) -> None:
        try:
            self._go_through(items, sender)
            sender.flush()
        except KeyboardInterrupt:
            sender.give_up()
            self._warn("stopped; the same command with --resume goes on from here")
            raise

    def _go_through(self, items: Iterator[Item], sender: Sender | None) -> None:
        """Number the items and send what is new; without a sender they are only counted."""
        summary = self.summary
        speed = self.request.speed
        pace = Pace(speed, sender.idle) if speed and sender else None
        done = 0
        for number, (kind, arrival, row, delay, instant, _) in enumerate(items):
            if number % _REPORT_EVERY == 0:
                self._progress.at(done)
                if sender:
                    sender.idle(0)
            if kind is Kind.WITHHELD:
                summary.withheld += 1
                done += 1
                continue
            if pace and sender and sender.wants(number):
                self._progress.at(done)
                pace.wait_for(arrival)
            if row is not None:
                done += 1
                send = None if sender is None else sender.garbage if kind is Kind.GARBAGE else sender.reading
                if send is None or send(number, row):
                    summary.readings += kind is Kind.READING
                    summary.garbage += kind is Kind.GARBAGE
                    summary.delayed += delay > 0
                else:
                    summary.already_sent += 1
            else:
                summary.ticks += 1
                summary.tick_records += sender.tick(number, instant) if sender else 0
                if kind is Kind.SETTLE:
                    summary.settled_to = instant
        self._progress.at(done)

    def _head(self, policy: Policy, truth: Truth) -> dict[str, Any]:
        request, summary = self.request, self.summary
        return {
            "run": summary.run,
            "seed": request.faults.seed,
            "file": [path.name for path in request.files],
            "first": format_instant(summary.survey.first if truth.first is None else truth.first),
            "last": format_instant(summary.survey.last if truth.last is None else truth.last),
            "settled_to": None if truth.settled_to is None else format_instant(truth.settled_to),
            "interval_minutes": truth.interval // 60_000_000,
            "grace_seconds": policy.grace / 1_000_000,
            "delay_rate": request.faults.delay_rate,
            "max_delay_seconds": request.faults.max_delay / 1_000_000,
            "gap_rate": request.faults.gap_rate,
            "faults": [asdict(fault) for fault in request.faults.faults],
            "partitions": policy.partitions,
            "meters": request.selection.meters,
            "rows": summary.survey.rows,
            "withheld": summary.withheld,
            "meter_count": truth.meters,
            "overtaken": truth.overtaken,
        }


def _with_interval(row: Row, minutes: int) -> Row:
    """The reading with its interval given, unless the file gives one."""
    if row[3]:
        return row
    return row[0], row[1], row[2], minutes, f',"interval_minutes":{minutes}{row[4]}'


def _watched(items: Iterator[Item], truth: Truth) -> Iterator[Item]:
    for item in items:
        truth.see(item)
        yield item
