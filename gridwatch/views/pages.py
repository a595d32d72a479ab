"""The routes of a worker's pages.

A page is built as plain data, which is its JSON; its HTML renders the same data. Whatever is missing (a
worker that does not answer, a partition without an owner) is listed in `incomplete`, so that a partial result
never looks complete.
"""

from __future__ import annotations

from typing import Any

from gridwatch.cluster import asked_by_a_worker
from gridwatch.domain.partition.state import PartitionState
from gridwatch.health.pages import HealthPages, Verdict
from gridwatch.http.queries import parameters, text
from gridwatch.http.reply import Answer, Handler, Reply
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import STATE_TABLE
from gridwatch.views.anomalies.log import AnomalyLog
from gridwatch.views.anomalies.page import AnomaliesPage
from gridwatch.views.dead_letters import DeadLetters
from gridwatch.views.lists.pages import Lists, surveys_of
from gridwatch.views.log_tail import LogTail
from gridwatch.views.meter.page import MeterPage
from gridwatch.views.overview import Overview
from gridwatch.views.regional.incident_pages import IncidentPages
from gridwatch.views.regional.log import RegionalLog
from gridwatch.views.regional.region_page import RegionPage
from gridwatch.views.regional.regions_page import RegionsPage
from gridwatch.views.registry.counts import RegistryCounts
from gridwatch.views.registry.outage_page import OutagePage
from gridwatch.views.registry.page import RegistryPage
from gridwatch.views.watch import Watch


class Pages:
    """All pages of a worker.

    Args:
        watch: the health and the partitions of this worker and of the others.
    """

    def __init__(self, settings: Settings, pipeline: Pipeline[PartitionState], watch: Watch) -> None:
        self._watch = watch
        self._source = pipeline.stage.source.name
        self.health = HealthPages(watch)
        self._tail = LogTail(settings)
        self._surveys = surveys_of(settings, pipeline, watch)
        counts = RegistryCounts(self._surveys)
        self._lists = Lists(settings, pipeline, watch, self._surveys)
        self._registry = RegistryPage(pipeline, watch, self._surveys, counts)
        self._outages = OutagePage(pipeline, watch, settings.partitions)
        self._meter = MeterPage(settings, pipeline, watch, self._tail)
        self._regional = RegionalLog(settings, self._tail)
        self._region = RegionPage(self._regional)
        self._regions = RegionsPage(self._regional, self._region)
        self._incidents = IncidentPages(self._regional, self._tail)
        self._anomaly_log = AnomalyLog(settings, self._tail)
        self._anomalies = AnomaliesPage(self._anomaly_log)
        self._overview = Overview(
            settings, pipeline, watch, counts, self._regional, anomalies=self._anomaly_log
        )
        self._dead_letters = DeadLetters(settings, self._tail)

    def routes(self) -> dict[str, Handler]:
        """Path → handler."""
        return {
            "/": self._overview.page,
            "/rates/": self._overview.rates,
            "/meters/": self.meters,
            "/meters/{meter_id}/": self._meter.page,
            f"/table/{STATE_TABLE}/{{meter_id}}/": self._meter.table_row,
            "/gaps/": self._lists.gaps,
            "/regions/": self._regions.page,
            "/regions/{region}/": self._region.page,
            "/incidents/": self._incidents.page,
            "/incidents/{incident_id}/": self._incidents.one,
            "/anomalies/": self._anomalies.page,
            "/registry/": self._registry.page,
            "/outages/": self._outages.page,
            "/partitions/": self.partitions,
            "/dead-letters/": self._dead_letters.page,
            "/live/": self.live,
            "/ready/": self.ready,
        }

    async def close(self) -> None:
        """Cancel surveys and disconnect."""
        self._surveys.close()
        self._regional.close()
        self._anomaly_log.close()
        await self._tail.close()

    async def meters(self, request: Any) -> Reply | Answer:
        """The list of meters; with `?id=` one meter whose id browsers would remove from a path."""
        if "id" in request.query:
            asked = parameters(request.query, {"id": text})
            return await self._meter.show(request, asked.get("id", ""))
        return await self._lists.meters(request)

    async def partitions(self, request: Any) -> Reply:
        """Owner, offsets, watermark and size of each partition."""
        parameters(request.query, {})
        incomplete: list[str] = []
        if asked_by_a_worker(request):
            partitions = self._watch.own_partitions()
        else:
            partitions, incomplete = await self._watch.all_partitions()
        data = {"topic": self._source, "partitions": partitions, "incomplete": incomplete}
        return Reply(data, "partitions.html")

    async def live(self, request: Any) -> Reply:
        """200 while the event loop answers and the worker is not stopping."""
        return _health(await self.health.is_live(), "The worker’s event loop answers.")

    async def ready(self, request: Any) -> Reply:
        """200 when readings that arrive now are processed, else 503 and the reasons."""
        return _health(await self.health.is_ready(), "Readings that arrive now are processed.")


def _health(verdict: Verdict, meaning: str) -> Reply:
    word = verdict.word.upper()
    shown = {
        "word": word if verdict.good else f"NOT {word}",
        "good": verdict.good,
        "meaning": meaning,
    }
    return Reply(verdict.data, "health.html", verdict.status, shown)
