"""One replay from files to topic: orders the rows, makes the sequence, sends it, writes the truth."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import NEVER, Policy
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from replay.faults import Faults
from replay.files.rows import Row
from replay.files.survey.census import Census
from replay.files.survey.refusals import Refusals
from replay.files.survey.survey import survey_of
from replay.order.emission import EmissionPlan, Item, emit
from replay.order.time_order import RUN_ROWS, TimeOrder, run_rows_within
from replay.order.undisturbed import undisturbed
from replay.run.delivery import Delivery
from replay.run.inputs import Inputs
from replay.run.progress import Progress
from replay.run.request import Request
from replay.run.summary import Summary
from replay.sending.pacing import Pace
from replay.sending.placement import Placement, partitions_of
from replay.sending.position import Position, find_position, new_run
from replay.sending.sender import Sender
from replay.truth.manifest import ManifestWriter
from replay.truth.perfect_detector import Truth

#: Rows are no garbage in circles: looking for it among them every 700 would take as long as reading them.
_COLLECT_EVERY = 200_000

_REFUSED_TICK = (
    "the last tick lies in the future: the worker refuses it (FUTURE_TIMESTAMP), so that what is missing at "
    "the very end stays undecided. --no-settle leaves it out"
)


def settling_remark(last: int, after: int, policy: Policy, latest: int, *, final: bool) -> str | None:
    """What to say of a last tick that is to come `after` the `last` event time, where the worker refuses what
    is later than `latest`; with `final` the tick is brought forward to there (µs)."""
    beyond = last + after - latest
    if beyond <= 0:
        return None
    if not final:
        return _REFUSED_TICK
    return (
        f"the last tick is brought forward to {format_instant(latest)}, since the worker refuses what is "
        f"further ahead: windows that end after {format_instant(latest - policy.allowed_lateness)} do not "
        f"become final. They do if this is sent after {format_instant(now_micros() + beyond)}, or with the "
        "newest readings left out by --end or --until"
    )


class Replay:
    """A replay under one request. `plan()` sends nothing; `send()` does."""

    def __init__(
        self, request: Request, settings: Settings, progress: Progress, warn: Callable[[str], None]
    ) -> None:
        self.request = request
        self.settings = settings
        self.summary = Summary()
        self._progress = progress
        self._warn = warn

    def plan(self) -> Summary:
        """Go through the whole sequence without a broker, as `--dry-run` does."""
        inputs = Inputs(self.request, self.settings.timezone, self.summary)
        return self._run(inputs, self.settings.policy(), None, "")

    def send(self) -> Summary:
        """Send the sequence. GridwatchError when the files, the broker or the topic will not have it."""
        request, settings = self.request, self.settings
        inputs = Inputs(request, settings.timezone, self.summary)
        partitions = partitions_of(settings, request.topic)
        policy = replace(settings.policy(), partitions=partitions)
        options = request.sequence_options(self.summary.profile, settings.timezone, policy)
        identity = inputs.identity(options)
        found = find_position(settings, request.topic, partitions, identity) if request.resume else None
        if request.resume and found is None:
            self._warn("nothing of this replay is on the topic yet: it starts from the beginning")
        self.summary.resumed = found is not None
        position = found or Position(new_run(identity), (-1,) * partitions)
        return self._run(inputs, policy, position, identity)

    def _run(self, inputs: Inputs, policy: Policy, position: Position | None, name: str) -> Summary:
        request, summary, progress = self.request, self.summary, self._progress
        progress.stage("reading", None)
        began = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(rarely_collected())
            blocks = self._in_order(inputs, name, stack)
            latest = now_micros() + policy.max_future_skew
            self._look_ahead(inputs, policy, latest, sending=position is not None)
            if position is None:
                summary.census = Census(
                    summary.survey, summary.zone, request.by_time, Refusals(policy, now_micros())
                )
                blocks = summary.census.watch(blocks)
            placement = Placement(policy.partitions)
            manifest = stack.enter_context(ManifestWriter(request.truth)) if request.truth else None
            truth = Truth(policy, placement.partition, manifest.report, latest) if manifest else None
            parts = self._sequence(blocks, policy, truth, latest)
            progress.stage("planning" if position is None else "replaying", summary.survey.rows)
            summary.reading_seconds = time.monotonic() - began
            began = time.monotonic()
            if position is None:
                Delivery(None, None, summary, progress).take(parts)
            else:
                self._send(parts, position, placement)
            summary.seconds = time.monotonic() - began
            if manifest and truth:
                truth.finish()
                manifest.close(self._head(policy, truth))
                summary.truth = dict(manifest.counts)
        return summary

    def _in_order(self, inputs: Inputs, name: str, stack: ExitStack) -> Iterator[list[Row]]:
        """The rows in the order of sending; all have been read, and surveyed, before the first is out."""
        request, summary, progress = self.request, self.summary, self._progress
        if not request.by_time:
            summary.survey = survey_of(inputs.read(), progress.at, inputs.refuse_twice)
            summary.survey.devices.refuse_parts()
            return inputs.read()
        order = stack.enter_context(
            TimeOrder(
                inputs.read,
                run_rows=RUN_ROWS if request.memory is None else run_rows_within(request.memory),
                on_read=progress.at,
                on_first_run=inputs.room_check(lambda text: progress.stage(text, None)),
                replay=name,
                resume=request.resume,
                remember=lambda: (summary.tally, summary.temp_estimate),
                check=inputs.refuse_twice,
            )
        )
        summary.survey = order.survey
        if order.remembered:
            summary.tally, summary.temp_estimate = order.remembered
            summary.sorted_before = True
        return order.blocks()

    def _sequence(
        self, blocks: Iterable[list[Row]], policy: Policy, truth: Truth | None, latest: int
    ) -> Iterator[list[Row] | Item]:
        request = self.request
        plan = EmissionPlan(
            policy.max_out_of_orderness,
            policy.grace,
            by_time=request.by_time,
            every_minute=request.speed is not None,
            settle=request.settle,
            settle_after=request.settle_after(policy),
            settle_by=latest if request.final else NEVER,
        )
        if request.by_time and request.speed is None and not request.faults.active and truth is None:
            return undisturbed(blocks, plan)
        items = emit(blocks, Faults(request.faults), plan)
        return items if truth is None else truth.watch(items)

    def _look_ahead(self, inputs: Inputs, policy: Policy, latest: int, *, sending: bool) -> None:
        """Say before anything is sent what will not go well. A dry run reports the notes itself."""
        survey = self.summary.survey
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
            if inputs.without_readings:
                why.append(f"there are none in {inputs.without_readings}")
            raise GridwatchError(
                "no reading is left to replay" + (f": {', '.join(why)}" if why else ""),
                "give files with rows, or widen --start, --end, --meters and --flow",
            )
        after = self.request.settle_after(policy)
        if survey.last > latest:
            self.summary.in_the_future = True
            self._warn(
                f"the last reading is of {format_instant(survey.last)}, in the future: the worker refuses "
                "such readings (FUTURE_TIMESTAMP). Leave them out with --end, or make older data"
            )
        elif self.request.settle and (
            remark := settling_remark(survey.last, after, policy, latest, final=self.request.final)
        ):
            self._warn(remark)
        if self.summary.tally.ambiguous:
            self._warn(
                "some stamps name two instants, at the change from summer time: told apart by the order of "
                "the rows of each meter and series, one pass after the other or in pairs; read in "
                f"{self.summary.zone}"
            )
        if sending:
            for note, count in self.summary.tally.notes.items():
                self._warn(f"{note} ({count:,})")
        if not self.request.by_time and not survey.by_time:
            self._warn(
                f"rows are sent in the order of the file ({survey.order}): most of them will be late. "
                "Leave out --order file to merge them by time"
            )

    def _send(self, parts: Iterable[list[Row] | Item], position: Position, placement: Placement) -> None:
        request, summary = self.request, self.summary
        summary.run = position.run
        with Sender(self.settings, request.topic, position.run, placement, position.rows) as sender:
            pace = Pace(request.speed, sender.idle) if request.speed else None
            try:
                Delivery(sender, pace, summary, self._progress).take(parts)
                sender.flush()
            except KeyboardInterrupt:
                sender.give_up()
                kept = "; until then its sorted rows stay on disk" if summary.survey.runs_on_disk else ""
                self._warn(f"stopped; the same command with --resume goes on from here{kept}")
                raise

    def _head(self, policy: Policy, truth: Truth) -> dict[str, Any]:
        request, summary = self.request, self.summary
        return {
            "run": summary.run,
            "seed": request.faults.seed,
            "file": [path.name for path in request.files],
            **truth.head,
            "delay_rate": request.faults.delay_rate,
            "max_delay_seconds": request.faults.max_delay / 1_000_000,
            "gap_rate": request.faults.gap_rate,
            "faults": [asdict(fault) for fault in request.faults.faults],
            "partitions": policy.partitions,
            "meters": request.selection.meters,
            "rows": summary.survey.rows,
            "withheld": summary.withheld,
        }


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Python's garbage collector runs less often."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
