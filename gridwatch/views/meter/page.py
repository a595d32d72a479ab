"""The page of one meter: its state row, a plot of its last readings and gaps, its windows of consumption, its
anomalies, and what the registry says."""

from __future__ import annotations

from typing import Any

from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.meter.intervals import lag_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.registry.registration import Registration
from gridwatch.durations import micros
from gridwatch.http.queries import parameters
from gridwatch.http.reply import JSON_ONLY, Answer, Problem, Reply
from gridwatch.plots.canvas import SIZES
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import flow
from gridwatch.views import state
from gridwatch.views.log_tail import LogTail
from gridwatch.views.meter.anomalies import MeterAnomalies
from gridwatch.views.meter.history import SCANNED_RECORDS, Histories, History
from gridwatch.views.meter.plot import Judged, meter_plot, picture
from gridwatch.views.meter.usual import read_usual
from gridwatch.views.meter.windows import MeterWindows, window_plots
from gridwatch.views.registry.outages import covering, read_outages
from gridwatch.views.registry.registrations import describe_registration, describe_silent, read_registration
from gridwatch.views.state import Record
from gridwatch.views.watch import Watch


class MeterPage:
    """The page of any meter; a meter of another worker is requested from it."""

    def __init__(
        self, settings: Settings, pipeline: Pipeline[PartitionState], watch: Watch, tail: LogTail
    ) -> None:
        self._partitions = settings.partitions
        self._pipeline = pipeline
        self._watch = watch
        self._histories = Histories(tail, micros(settings.max_out_of_orderness), flow(settings.flow))
        lengths = [int(length.total_seconds()) for length in settings.windows]
        self._windows = MeterWindows(tail, flow(settings.flow), lengths)
        self._anomalies = MeterAnomalies(tail, flow(settings.flow))
        self._policy = settings.policy()

    async def page(self, request: Any, meter_id: str) -> Reply | Answer:
        """One meter, by the path."""
        parameters(request.query, {})
        return await self.show(request, meter_id)

    async def table_row(self, request: Any, meter_id: str) -> Reply | Answer:
        """The same page under the URL of Faust's table view, always as JSON."""
        reply = await self.page(request, meter_id)
        return Reply(reply.data, JSON_ONLY) if isinstance(reply, Reply) else reply

    async def show(self, request: Any, meter_id: str) -> Reply | Answer:
        """One meter; Problem 404 if it is not known, 503 while its partition is being reassigned."""
        unknown = Problem(404, f"no meter {meter_id!r} is known")
        try:
            partition = partition_of(meter_id, self._partitions)
        except UnicodeEncodeError:
            raise unknown from None
        owner = self._watch.cluster.owner_elsewhere(partition, asked=asked_by_a_worker(request))
        if owner is not None:
            accept = request.headers.get("Accept", "")
            return await self._watch.cluster.ask(owner, request.rel_url.raw_path_qs, accept)
        self._watch.require_state()
        if self._known(partition, meter_id) == (None, None):
            raise unknown
        history = await self._histories.of(meter_id, partition)
        windows = await self._windows.of(meter_id, partition)
        anomalies = await self._anomalies.of(meter_id, partition)
        self._watch.require_state()
        outages, _ = await read_outages(lambda: self._pipeline.store, partition)
        # Read the state after the log, so that the state is not older than the history.
        self._watch.require_state()
        meter, registration = self._known(partition, meter_id)
        its_partition = state.read_partition(self._pipeline.store, partition)
        watermark = its_partition.watermark if its_partition is not None else None
        region = None if meter is None else meter.region
        registry = None
        if registration is not None:
            registry = describe_registration(meter_id, partition, registration)
        data: Record = {
            "registry": registry,
            "outages": covering(outages, meter_id, registration, region, watermark),
            "windows": [],
            "anomalies": anomalies.describe(judges=self._policy.judges),
            "usual": None,
        }
        only_html: Record = {
            "history_problem": history.problem,
            "scanned_records": sum(SCANNED_RECORDS.values()),
            "window_plots": {},
            "judged_slots": False,
        }
        plots: Record = {}
        if meter is not None:
            usual = read_usual(self._pipeline.store, partition, meter_id, meter, self._policy)
            only_html["window_plots"] = window_plots(meter_id, windows, usual, anomalies.anomalies)
            judged = None
            if usual is not None and self._judges_slots(meter):
                judged = Judged(usual, anomalies.anomalies, lag_of(meter, self._policy))
            only_html["judged_slots"] = judged is not None
            described, plots = self._described(meter_id, partition, meter, history, watermark, judged=judged)
            data["windows"] = self._windows.describe(meter, windows)
            data["usual"] = None if usual is None else usual.describe()
        elif registration is not None:
            described = {
                **describe_silent(meter_id, partition, registration, self._policy, watermark),
                "readings": history.readings,
                "readings_whole_from": state.instant(history.complete_from),
            }
        else:
            raise unknown
        data = {**described, **data}
        return Reply(data, "meter.html", shown={"meter": data, "plots": plots, **only_html})

    def _known(self, partition: int, meter_id: str) -> tuple[MeterState | None, Registration | None]:
        """The state of a meter and its registration, None for each that it does not have."""
        store = self._pipeline.store
        return (
            state.read_meter(store, partition, meter_id),
            read_registration(store, partition, meter_id),
        )

    def _judges_slots(self, meter: MeterState) -> bool:
        """Whether the slots of a meter are judged, not its windows of consumption."""
        return meter.calendar is not None or meter.interval > (self._policy.judged_window or 0)

    def _described(
        self,
        meter_id: str,
        partition: int,
        meter: MeterState,
        history: History,
        watermark: int | None,
        *,
        judged: Judged | None,
    ) -> tuple[Record, Record]:
        """A meter that has a state, and its plots by their size."""
        grace = meter.grace_of(meter.interval, self._policy)
        shown = picture(meter, history, grace, watermark)
        data = {
            **state.describe_meter_fully(meter_id, partition, meter, self._policy.grace, watermark),
            "readings": list(shown.readings),
            "readings_whole_from": state.instant(max(shown.start, shown.complete_from)),
        }
        plots = {
            size: meter_plot(
                meter_id, meter, shown, grace=grace, watermark=watermark, size=size, judged=judged
            )
            for size in SIZES
        }
        return data, plots
