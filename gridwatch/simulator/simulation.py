"""One simulation from request to summary: fleet, readings, faults and truth, to where a mode sends them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import NEVER, SECOND, Policy
from gridwatch.errors import GridwatchError, UsageProblem
from gridwatch.settings import Settings
from gridwatch.simulator.entrance.reply import Answers
from gridwatch.simulator.events import MULTIPLY, STOP, Event, Injected
from gridwatch.simulator.model.draws import Ints
from gridwatch.simulator.model.fleet import make_fleet
from gridwatch.simulator.model.readings import Boost, Flat, Meters
from gridwatch.simulator.modes import Mode, pace_of
from gridwatch.simulator.registry import controls
from gridwatch.simulator.request import Request
from gridwatch.simulator.rows import Rows
from replay.files.rows import Row
from replay.order.emission import Control, EmissionPlan, Item, emit
from replay.order.undisturbed import undisturbed
from replay.run.delivery import Delivered, Delivery
from replay.run.progress import Progress
from replay.run.replay import rarely_collected, settling_remark
from replay.sending.placement import Placement
from replay.sending.position import identity_of
from replay.truth.manifest import ManifestWriter
from replay.truth.perfect_detector import Truth


@dataclass
class Summary(Delivered):
    """What a simulation did."""

    run: str = ""
    resumed: bool = False
    seconds: float = 0.0
    #: By class: how many meters, and kWh taken.
    energy: dict[str, tuple[int, float]] = field(default_factory=dict)
    fed_in_kwh: float = 0.0
    first: list[Row] = field(default_factory=list)
    truth: dict[str, int] = field(default_factory=dict)
    #: What was said of the readings, where they were sent to something that answers.
    answers: Answers | None = None

    @property
    def rate(self) -> float:
        """Readings a second."""
        return (self.readings + self.already_sent) / self.seconds if self.seconds else 0.0


class Simulation:
    """A simulation under one request. UsageProblem when the request names what the fleet does not have."""

    def __init__(
        self, request: Request, settings: Settings, progress: Progress, warn: Callable[[str], None]
    ) -> None:
        self.request = request
        self.summary = Summary()
        self.fleet = make_fleet(request.seed, request.meters, request.regions)
        self._settings = settings
        self._progress = progress
        self._warn = warn
        of = {event: self._meters_of(event.scope) for event in request.events}
        boosts = [
            Boost(of[event], *_seconds(event), event.factor if event.kind in MULTIPLY else 0)
            for event in request.events
            if event.kind in (*MULTIPLY, *STOP)
        ]
        flats = [Flat(of[event], *_seconds(event)) for event in request.events if event.kind == "flat-line"]
        self.meters = Meters(self.fleet, request.zone, request.every, boosts, flats)
        self._rows = Rows(self.meters)

    def blocks(self) -> Iterator[list[Row]]:
        """All readings as rows in order of time and meter, before anything happens to them on their way."""
        request = self.request
        end = None if request.end is None else -(-request.end // SECOND)
        return self._rows.of(self.meters.between(-(-request.start // SECOND), end))

    def plan(self) -> Summary:
        """Go through the whole sequence without sending anything, as `--dry-run` does."""
        return self._run(None)

    def send(self, mode: Mode) -> Summary:
        """Send the sequence. GridwatchError when the target will not have it."""
        return self._run(mode)

    def _meters_of(self, scope: str) -> Ints:
        found = self.fleet.below(scope)
        if not len(found):
            raise UsageProblem(
                f"{scope}: the fleet has no such meter, transformer, feeder or region",
                "gridwatch simulate --dry-run --registry meters.csv writes those that it has",
            )
        return found

    def _run(self, mode: Mode | None) -> Summary:
        request, summary = self.request, self.summary
        policy = self._settings.policy()
        if mode is not None:
            policy = replace(policy, partitions=mode.partitions)
        now = now_micros()
        self._warn_of_the_future(policy, now)
        began = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(rarely_collected())
            manifest = stack.enter_context(ManifestWriter(request.truth)) if request.truth else None
            # Live readings are never ahead of the clock.
            latest = None if request.speed == 1 else now + policy.max_future_skew
            partition_of = Placement(policy.partitions).partition
            truth = Truth(policy, partition_of, manifest.report, latest) if manifest else None
            parts = chain(self._controls(), self._sequence(policy, truth, latest))
            self._progress.stage("planning" if mode is None else "simulating", request.readings)
            if mode is None:
                Delivery(None, None, summary, self._progress).take(parts)
            else:
                self._send(parts, mode, identity_of((), request.sequence_options(policy)), now)
            summary.seconds = time.monotonic() - began
            summary.energy, summary.fed_in_kwh = self._rows.energy, self._rows.fed_in / 1_000_000
            summary.first = self._rows.first
            if manifest and truth:
                truth.finish()
                manifest.close(self._head(policy, truth))
                summary.truth = dict(manifest.counts)
        return summary

    def _controls(self) -> Iterator[Control]:
        """What registers the fleet, as of the first reading."""
        request = self.request
        if not request.registry or request.readings_only:
            return iter(())
        step = request.every * SECOND
        first = -(-request.start // step) * step
        return controls(self.fleet, request.zone, request.every, first)

    def _sequence(
        self, policy: Policy, truth: Truth | None, latest: int | None
    ) -> Iterator[list[Row] | Item]:
        request = self.request
        plan = EmissionPlan(
            policy.max_out_of_orderness,
            policy.grace,
            every_minute=request.speed is not None,
            settle=request.settle,
            settle_after=self._settle_after(policy),
            settle_by=NEVER if latest is None or not request.final else latest,
        )
        faults = Injected(request.faults, request.injected, request.every * SECOND)
        if request.speed is None and not faults.active and truth is None:
            parts = undisturbed(self.blocks(), plan)
            return (part for part in parts if isinstance(part, list)) if request.readings_only else parts
        items = emit(self.blocks(), faults, plan)
        if request.readings_only:
            items = (item for item in items if item.row is not None)
        return iter(items if truth is None else truth.watch(items))

    def _settle_after(self, policy: Policy) -> int:
        """How far after the end the last tick is. Live it is sent at the end itself, and one from further
        ahead than clocks may be would be refused."""
        after = self.request.settle_after(policy)
        return min(after, policy.max_future_skew) if self.request.speed == 1 else after

    def _warn_of_the_future(self, policy: Policy, now: int) -> None:
        """Say what the worker will refuse: what is stamped later than clocks may be ahead."""
        request, latest = self.request, now + policy.max_future_skew
        if request.end is None or request.speed == 1:
            return
        if request.end > latest:
            self._warn(
                f"--until is {format_instant(request.end)}, in the future: the worker refuses such readings "
                "(FUTURE_TIMESTAMP) unless --speed 1 holds them back"
            )
        elif request.settle and (
            remark := settling_remark(
                request.end - request.every * SECOND,
                self._settle_after(policy),
                policy,
                latest,
                final=request.final,
            )
        ):
            self._warn(remark)

    def _send(self, parts: Iterator[list[Row] | Item | Control], mode: Mode, identity: str, now: int) -> None:
        request, summary = self.request, self.summary
        with mode.connect(identity, resume=request.resume) as target:
            summary.run, summary.resumed, summary.answers = mode.run, mode.resumed, mode.answers
            if request.resume and not mode.resumed:
                self._warn(
                    "nothing of this simulation is there yet: it starts from the beginning "
                    "(to be found again, --from and --until must be instants)"
                )
            try:
                Delivery(target, pace_of(request.speed, target, now), summary, self._progress).take(parts)
                target.flush()
            except KeyboardInterrupt:
                target.give_up()
                self._warn(self._stopped())
                raise
            except GridwatchError:
                if summary.answers and summary.answers.acknowledged:
                    self._warn(self._stopped())
                raise

    def _stopped(self) -> str:
        """How far a run came that ends before its end."""
        answers = self.summary.answers
        if answers is None:
            return f"stopped after {self.summary.readings:,} readings"
        return (
            f"stopped after {answers.accepted:,} accepted and {answers.rejected:,} rejected readings; "
            "the same command with --resume goes on there, if --from and --until are instants"
        )

    def _head(self, policy: Policy, truth: Truth) -> dict[str, Any]:
        """The head of the manifest, as a replay writes it."""
        request, summary = self.request, self.summary
        faults = request.faults
        return {
            "run": summary.run,
            "seed": request.seed,
            "file": [],
            **truth.head,
            "delay_rate": request.late,
            "max_delay_seconds": request.late_by / SECOND,
            "gap_rate": request.drop,
            "faults": [asdict(fault) for fault in faults.faults],
            "events": [asdict(event) for event in request.events],
            **({"timezone": request.zone} if request.injected and request.registry else {}),
            "partitions": policy.partitions,
            "meters": "R??-F????-T?-M??????",
            "rows": request.readings,
            "withheld": summary.withheld,
        }


def _seconds(event: Event) -> tuple[int, int]:
    return event.start // SECOND, event.end // SECOND
