"""A worker with both stages: `gridwatch.app`, and sums on top of it."""

from __future__ import annotations

from gridwatch import agents, views
from gridwatch.settings import load_settings
from gridwatch.streaming.stage.worker import Worker
from tests.sums.stage import STAGE

settings = load_settings()
worker = Worker(settings, [*agents.stages(settings), STAGE])
app = worker.app

agents.register(app, settings, worker.pipelines, worker.emitter)
views.register(worker, settings)
