"""The page of one meter: its state row, and a plot of its last readings and gaps."""

from __future__ import annotations

from typing import Any

from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partitioning import partition_of
from gridwatch.durations import micros
from gridwatch.http.queries import parameters
from gridwatch.http.reply import JSON_ONLY, Answer, Problem, Reply
from gridwatch.plots.canvas import SIZES
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import flow
from gridwatch.views import state
from gridwatch.views.log_tail import LogTail
from gridwatch.views.meter.history import SCANNED_RECORDS, Histories
from gridwatch.views.meter.plot import meter_plot, picture
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
        self._grace = micros(settings.grace)

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
        if state.read_meter(self._pipeline.store, partition, meter_id) is None:
            raise unknown
        history = await self._histories.of(meter_id, partition)
        # Read the state after the log, so that the state is not older than the history.
        self._watch.require_state()
        store = self._pipeline.store
        meter, its_partition = (
            state.read_meter(store, partition, meter_id),
            state.read_partition(store, partition),
        )
        if meter is None:
            raise unknown
        watermark = its_partition.watermark if its_partition is not None else None
        shown = picture(meter, history, self._grace, watermark)
        data = {
            **state.describe_meter_fully(meter_id, partition, meter, self._grace, watermark),
            "readings": list(shown.readings),
            "readings_whole_from": state.instant(max(shown.start, shown.complete_from)),
        }
        plots = {
            size: meter_plot(meter_id, meter, shown, grace=self._grace, watermark=watermark, size=size)
            for size in SIZES
        }
        only_html = {
            "meter": data,
            "plots": plots,
            "history_problem": history.problem,
            "scanned_records": sum(SCANNED_RECORDS.values()),
        }
        return Reply(data, "meter.html", shown=only_html)
