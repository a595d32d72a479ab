"""One meter: its windows judged one after the other, and its anomalies, all kept until its state is dropped.

Every method returns the anomalies of which there is a new revision, in order.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from tests.model.anomalies.baseline import WHOLE_DAY, Baseline, Habit
from tests.model.anomalies.case import Case
from tests.model.anomalies.table import KINDS, RUNS, SIX, SURE, Sight, confident
from tests.model.anomalies.window import Bucket, Window
from tests.model.stamps import DAY

FLAT = 24  # windows
EIGHT = 8
LEARNED_AFTER = 7 * DAY


@dataclass
class Run:
    """Windows with equal x, one after the other."""

    windows: list[Window]
    usual: int | None = None  # the mean of the whole day and the level as it began, if known then
    begun: bool = False  # it has made an anomaly

    @property
    def x(self) -> int | None:
        return self.windows[0].x

    @property
    def length(self) -> int:
        return sum(window.length for window in self.windows)


class Judge:
    """One meter."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.habit = Habit()
        self.level = 0
        self.before: int | None = None  # the level before the open LEVEL_SHIFT
        self.last: Window | None = None  # judged last
        self.bucket: Bucket | None = None  # of that one
        self.fresh = True  # the window begins too long after the one before to go on with its run
        self.runs: dict[str, Run | None] = dict.fromkeys(RUNS)
        self.sides: list[tuple[Window, int]] = []  # sure windows, each with x - raw baseline
        self.above = False  # the side of these
        self.cases: list[Case] = []  # all there were

    def open_case(self, kind: str) -> Case | None:
        return next((case for case in self.cases if (case.kind, case.state) == (kind, "OPEN")), None)

    def accepts(self, window: Window) -> bool:
        """Whether the window begins after the last judged one, which may reach into it if that was longer."""
        return self.last is None or window.start > self.last.start

    # -- a window is judged ---------------------------------------------------------------------------------

    def judge(self, window: Window, bucket: Bucket) -> list[Case]:
        assert window.x is not None
        if self.bucket is not None and (self.bucket.hour is None) != (bucket.hour is None):
            self.forget()
        self.fresh = self.last is None or window.start - self.last.start > window.silence
        if self.fresh:
            self.new_runs()
        raw = self.habit.raw(bucket)
        level = self.nearer_level(window.x, raw)
        sight = Sight(window, None if raw is None else raw.plus(level), self.policy)
        changed: list[Case] = []
        for kind in SIX:
            changed += self.look(kind, sight)
        changed += self.flatline(sight)
        changed += self.zero_run(sight)
        changed += self.level_shift(sight, raw)
        self.habit.learn(bucket, window.x - level)
        self.last, self.bucket = window, bucket
        return [self.revised(case) for case in changed]

    def forget(self) -> None:
        """The meter changes between windows up to an hour and longer ones. An open LEVEL_SHIFT has no level
        to return to then."""
        self.habit, self.level, self.before = Habit(), 0, None
        self.new_runs()

    def new_runs(self) -> None:
        self.runs = dict.fromkeys(RUNS)
        self.sides = []

    def nearer_level(self, x: int, raw: Baseline | None) -> int:
        """The level that a window is judged by."""
        if self.before is None or raw is None:
            return self.level
        by_new, by_old = abs(x - raw.b - self.level), abs(x - raw.b - self.before)
        return self.level if by_new <= by_old else self.before

    def revised(self, case: Case) -> Case:
        """A copy of it at its next revision."""
        case.revision += 1
        return dataclasses.replace(case)

    def begin(self, kind: str, first: Window, sight: Sight, how: tuple[str, str]) -> Case:
        window = sight.window
        case = Case(
            kind, first, window.start, window.end, *how, sight.value(kind), sight.usual(kind), sight.baseline
        )
        self.cases.append(case)
        return case

    # -- kinds ----------------------------------------------------------------------------------------------

    def look(self, kind: str, sight: Sight) -> list[Case]:
        """One of the first six."""
        case, found = self.open_case(kind), sight.begins(kind)
        if case is None:
            return [] if found is None else [self.begin(kind, sight.window, sight, found)]
        if found is not None and case.worsens(found):
            case.value, case.baseline = sight.value(kind), sight.usual(kind)
            case.near = []
            return [case]
        return self.end_if_over(case, sight, sight.near(kind))

    def end_if_over(self, case: Case, sight: Sight, near: bool | None) -> list[Case]:
        if not case.is_over(sight.window.start, near):
            return []
        assert case.near is not None
        case.close("RETURNED", case.near[0])
        return [case]

    def extended(self, kind: str, sight: Sight, usual: int | None) -> Run | None:
        """The run of the kind with another window; None if that has no part in one."""
        run, x = self.runs[kind], sight.x
        if (x == 0) != (kind == "ZERO_RUN"):
            run = None
        elif run is None or run.x != x:
            run = Run([sight.window], usual)
        else:
            run.windows.append(sight.window)
        self.runs[kind] = run
        return run

    def run_goes_on(self, kind: str, sight: Sight) -> list[Case] | None:
        """What comes of a window while an anomaly is open; None if none is. When it ends, another run may
        have begun with the first of the near windows."""
        case = self.open_case(kind)
        if case is None:
            return None
        closed = self.end_if_over(case, sight, sight.x != case.value)
        if closed:
            self.runs[kind] = None if self.last is None or self.fresh else Run([self.last])
        return closed

    def flatline(self, sight: Sight) -> list[Case]:
        open_before = self.run_goes_on("FLATLINE", sight)
        if open_before is not None and self.open_case("FLATLINE") is not None:
            return open_before
        closed = open_before or []
        run = self.extended("FLATLINE", sight, None)
        if run is None or run.begun or len(run.windows) < FLAT:
            return closed
        run.begun = True
        sure = sight.x is not None and abs(sight.x) >= SURE
        return [*closed, self.begin("FLATLINE", run.windows[0], sight, ("medium", confident(sure)))]

    def zero_run(self, sight: Sight) -> list[Case]:
        open_before = self.run_goes_on("ZERO_RUN", sight)
        if open_before is not None and self.open_case("ZERO_RUN") is not None:
            return open_before
        closed = open_before or []
        usual = self.habit.day.mean + self.level if self.habit.day.count == WHOLE_DAY else None
        run = self.extended("ZERO_RUN", sight, usual)
        if run is None or run.begun or run.length < DAY:
            return closed
        run.begun = True
        sure = run.usual is not None and run.usual >= SURE
        case = self.begin("ZERO_RUN", run.windows[0], sight, ("medium", confident(sure)))
        case.baseline = run.usual
        return [*closed, case]

    def level_shift(self, sight: Sight, raw: Baseline | None) -> list[Case]:
        closed = self.end_of_shift(sight, raw)
        if raw is None or sight.baseline is None or sight.x is None or not sight.sure:
            self.sides = []
            return closed
        above = sight.x > sight.baseline.b
        if above != self.above:
            self.sides = []
        self.above = above
        self.sides.append((sight.window, sight.x - raw.b))
        if len(self.sides) < EIGHT:
            return closed
        first, new = self.sides[0][0], sum(more for _, more in self.sides) // EIGHT
        self.sides = []
        case = self.open_case("LEVEL_SHIFT")
        if case is None:
            self.before = self.level
            case = self.begin("LEVEL_SHIFT", first, sight, ("low", "high"))
        else:
            case.value, case.baseline = sight.x, sight.baseline.b
        self.level = new
        return [*closed, case]

    def end_of_shift(self, sight: Sight, raw: Baseline | None) -> list[Case]:
        case = self.open_case("LEVEL_SHIFT")
        if case is None:
            return []
        near = None
        if raw is not None and sight.x is not None and self.before is not None:
            near = 2 * abs(sight.x - raw.b - self.before) <= raw.width()
        closed = self.end_if_over(case, sight, near)
        if closed:
            assert self.before is not None
            self.level, self.before, self.sides = self.before, None, []
        elif sight.window.start >= case.first.start + LEARNED_AFTER:
            case.close("LEARNED", sight.window.start)
            self.before = None
            return [case]
        return closed

    # -- a window is emitted again --------------------------------------------------------------------------

    def emitted_again(self, window: Window, *, slot: bool = False) -> list[Case]:
        """Anomalies that it takes back. `slot`: it is one whose reading is revised."""
        taken = []
        for kind in KINDS:
            for case in self.cases:
                if (
                    case.kind == kind
                    and case.state != "RETRACTED"
                    and self.takes_back(window, case, slot=slot)
                ):
                    case.retract()
                    taken.append(case)
        return [self.revised(case) for case in taken]

    def takes_back(self, window: Window, case: Case, *, slot: bool) -> bool:
        if case.kind in RUNS:
            since = case.began if slot else case.first.start
            return since <= window.start <= case.began and window.x != case.value
        if case.kind == "LEVEL_SHIFT" or (window.start, window.length) != (case.began, case.first.length):
            return False
        return Sight(window, case.basis, self.policy).begins(case.kind) is None

    # -- silence --------------------------------------------------------------------------------------------

    def silent_from(self) -> int | None:
        """When nothing will have been judged for too long."""
        return None if self.last is None else self.last.end + self.last.silence

    def close_all(self) -> list[Case]:
        """In the order of the table."""
        found = [case for kind in KINDS if (case := self.open_case(kind)) is not None]
        for case in found:
            assert self.last is not None
            case.close("SILENT", self.last.end)
            if case.kind == "LEVEL_SHIFT":
                self.before = None
        return [self.revised(case) for case in found]
