"""The overview: status, rates over the last hour, and the position of each partition."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.durations import micros
from gridwatch.http.formats import duration
from gridwatch.http.queries import parameters
from gridwatch.http.reply import JSON_ONLY, Problem, Reply
from gridwatch.plots.canvas import Frame, Mark
from gridwatch.plots.charts import Layer, layered
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.views import rates, state
from gridwatch.views.anomalies.known import SEVERE
from gridwatch.views.anomalies.log import AnomalyLog
from gridwatch.views.regional.log import RegionalLog
from gridwatch.views.registry.counts import UNCOUNTED, RegistryCounts, added_up
from gridwatch.views.registry.orders import NEVER_HEARD
from gridwatch.views.state import Record, sums
from gridwatch.views.watch import Watch

#: How long the page waits for what regions and incidents have written, and as long for anomalies, seconds.
LOG_SECONDS = 0.25
_WIDTH, _HEIGHT = 460, 150


class Overview:
    """The start page, and the rates that it plots."""

    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline[PartitionState],
        watch: Watch,
        counts: RegistryCounts,
        regional: RegionalLog,
        *,
        anomalies: AnomalyLog,
    ) -> None:
        self._flow = settings.flow
        self._partitions = settings.partitions
        self._window = micros(settings.metrics_window)
        self._pipeline = pipeline
        self._watch = watch
        self._counts = counts
        self._regional = regional
        self._anomalies = anomalies

    async def page(self, request: Any) -> Reply:
        """Status in a few numbers and plots. The cost does not grow with the number of meters,
        but for a survey of the registered ones from time to time."""
        parameters(request.query, {})
        answers, incomplete = await self._watch.cluster.ask_all("/rates/")
        partitions, incomplete = (
            self._watch.merged_partitions(answers),
            incomplete + self._watch.unowned_reasons(),
        )
        windows, minutes = self._merged(answers)
        registry = added_up(
            [*(await self._own_counts()), *(one.get("registry", UNCOUNTED) for one in answers)]
        )
        load, anomalies = await asyncio.gather(self._load_and_incidents(), self._open_anomalies())
        reasons = self._watch.last_reasons()
        watermarks = sorted(
            (parse_instant(one["watermark"])[0], one["watermark"])
            for one in partitions
            if one["watermark"] is not None
        )
        hour = rates.last_hour(windows, watermarks[-1][0] if watermarks else None)
        data = {
            "flow": self._flow,
            "ready": not reasons,
            "reasons": reasons,
            **sums(partitions),
            "partitions": self._partitions,
            "partitions_owned": len(self._watch.cluster.own_partitions()),
            "late_share": rates.late_share(hour),
            "readings_received": sum(one["readings_received"] for one in hour),
            "readings_invalid": sum(one["readings_invalid"] for one in hour),
            "registered": registry["registered"],
            "never_heard": registry["by_hearing"][NEVER_HEARD],
            "registry_counted": registry["complete"],
            "active_meters": max((one["active_meters"] for one in hour), default=0),
            **load,
            **anomalies,
            "watermark_lowest": watermarks[0][1] if watermarks else None,
            "watermark_highest": watermarks[-1][1] if watermarks else None,
            "watermark_lag_seconds": rates.age_seconds(watermarks[0][1]) if watermarks else None,
            "last_commit": self._last_commit(),
            "watermarks": [_position(one) for one in partitions],
            "windows": hour,
            "workers": self._workers(partitions),
            "incomplete": incomplete,
        }
        shown = {
            "plots": self._plots(hour, minutes, watermarks[0][0] if watermarks else None),
            "window": duration(self._window / SECOND),
        }
        return Reply(data, "overview.html", shown=shown)

    async def rates(self, request: Any) -> Reply:
        """The last hour by event time and by wall clock; a worker that asks gets this worker's part only."""
        parameters(request.query, {})
        if asked_by_a_worker(request):
            mine = {
                "windows": self._own_windows(),
                "minutes": self._watch.throughput.minutes(),
                "partitions": self._watch.own_partitions(),
                "registry": added_up(await self._own_counts()),
            }
            return Reply(mine, JSON_ONLY)
        answers, incomplete = await self._watch.cluster.ask_all("/rates/")
        windows, minutes = self._merged(answers)
        processed = [{"minute": state.instant(at), "records_per_second": rate} for at, rate in minutes]
        data = {
            "windows": windows,
            "minutes": processed,
            "incomplete": incomplete + self._watch.unowned_reasons(),
        }
        return Reply(data, JSON_ONLY)

    async def _own_counts(self) -> list[Record]:
        """This worker's counts of registered meters, if its state is complete."""
        if not self._watch.is_state_ready():
            return []
        try:
            return [await self._counts.own()]
        except Problem:  # a partition is moving, or many lists are being built
            return [UNCOUNTED]

    async def _load_and_incidents(self) -> Record:
        """How many incidents are open and which region is loaded most; null until that was read."""
        problem = await self._regional.read_within(LOG_SECONDS)
        known = problem == ""
        highest = self._regional.rows.highest() if known else None
        return {
            "regions": len(self._regional.rows) if known else None,
            "incidents_open": len(self._regional.incidents.open()) if known else None,
            "highest_load": None
            if highest is None
            else {
                "region": highest.region,
                "load_percentage": highest.load_percentage,
                "window_start": highest.window_start,
            },
            "regional_problem": problem or "",
        }

    async def _open_anomalies(self) -> Record:
        """How many anomalies are open, and how many of those are severe; null until that was read."""
        problem = await self._anomalies.read_within(LOG_SECONDS)
        known = self._anomalies.known
        found = known.open() if problem == "" else None
        return {
            "anomalies_judged": self._anomalies.judges,
            "anomalies_open": None if found is None else len(found),
            "anomalies_severe": None if found is None else sum(one.severity in SEVERE for one in found),
            "anomalies_complete": known.complete_from is None,
            "anomalies_problem": problem or "",
        }

    def _own_windows(self) -> list[Record]:
        self._watch.require_state()
        store, mine = self._pipeline.store, self._watch.cluster.own_partitions()
        states = (state.read_partition(store, partition) for partition in mine)
        return rates.windows_of((one for one in states if one is not None), self._window)

    def _merged(self, answers: list[Record]) -> tuple[list[Record], list[tuple[int, float]]]:
        """This worker's windows and minutes merged with those of the other workers."""
        windows = [self._own_windows()] if self._watch.is_state_ready() else []
        minutes = [self._watch.throughput.minutes(), *(one["minutes"] for one in answers)]
        return rates.merged([*windows, *(one["windows"] for one in answers)]), rates.merged_minutes(minutes)

    def _last_commit(self) -> str | None:
        commits = [owned.last_commit for owned in self._pipeline.owned.values() if owned.last_commit]
        return state.instant(int(max(commits)) * SECOND) if commits else None

    def _workers(self, partitions: list[Record]) -> list[Record]:
        workers = []
        for url in sorted(
            {self._watch.cluster.own_url, *(one["owner"] for one in partitions if one["owner"])}
        ):
            theirs = [one for one in partitions if one["owner"] == url]
            numbers = [one["partition"] for one in theirs]
            workers.append({"url": url, "partitions": numbers, **sums(theirs)})
        return workers

    def _plots(
        self, hour: list[Record], minutes: Sequence[tuple[int, float]], lowest: int | None
    ) -> list[Record]:
        """Each plot with title, legend and caption; `lowest` is the watermark of the slowest partition."""
        starts = [parse_instant(one["window_start"])[0] for one in hour]
        length = self._window
        end = starts[-1] + length if starts else now_micros()
        start = min(starts[0] if starts else end, end - max(rates.HOUR, length))
        span = max(length, MINUTE)
        per = duration(span / SECOND)
        slowest = Mark(lowest, "slowest watermark") if lowest is not None and lowest < end - length else None

        def counted(*names: str, less: str = "") -> list[tuple[int, float]]:
            """Counts by window; windows shorter than a minute are added up by the minute."""
            found: dict[int, float] = {}
            for at, one in zip(starts, hour, strict=True):
                value = sum(one[name] for name in names) - (one[less] if less else 0)
                found[at - at % span] = found.get(at - at % span, 0.0) + value
            return sorted(found.items())

        def frame(title: str, unit: str, **more: Any) -> Frame:
            marks = [slowest] if slowest is not None else []
            return Frame(
                title, unit, start, end, marks=marks, width=_WIDTH, height=_HEIGHT, size="small", **more
            )

        received = dict(counted("readings_received"))
        late = [
            (at, 100 * value / received[at])
            for at, value in counted("readings_late", "readings_too_late")
            if received[at]
        ]
        kinds = [
            Layer("on time", counted("readings_validated", less="readings_late")),
            Layer("late", counted("readings_late"), "late"),
            Layer("too late", counted("readings_too_late"), "too-late"),
            Layer("refused", counted("readings_invalid"), "refused"),
        ]
        now = now_micros()
        clock = Frame(
            "Records processed",
            "records a second",
            now - rates.HOUR,
            now,
            width=_WIDTH,
            height=_HEIGHT,
            size="small",
        )
        return [
            {
                "title": "Readings",
                "svg": layered(frame("Readings", f"readings in {per}", least=4), kinds, span, stacked=True),
                "kinds": [(layer.tone, layer.name) for layer in kinds],
                "caption": "",
            },
            {
                "title": "Late share",
                "svg": layered(
                    frame("Late share", "% of received", least=4),
                    [Layer("late", late, "late")],
                    span,
                    stacked=True,
                ),
                "kinds": [],
                "caption": "late and too-late readings, of all received",
            },
            {
                "title": "Missing readings",
                "svg": layered(
                    frame("Missing readings", f"slots in {per}", least=4),
                    [Layer("missing", counted("missing_intervals"), "missing")],
                    span,
                    stacked=True,
                ),
                "kinds": [],
                "caption": "by the event time at which the gap was detected",
            },
            {
                "title": "Records processed",
                "svg": layered(clock, [Layer("processed", minutes, "processed")], MINUTE, stacked=True),
                "kinds": [],
                "caption": "by wall clock, all workers, since they started",
            },
        ]


def _position(partition: Record) -> Record:
    """A partition's position, as the overview shows it."""
    names = ("partition", "owner", "watermark", "lag", "open_gaps", "meters")
    return {
        **{name: partition[name] for name in names},
        "watermark_lag_seconds": rates.age_seconds(partition["watermark"]),
    }
