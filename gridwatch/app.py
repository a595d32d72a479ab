"""The worker's Faust application: settings, stages, timers, views; nothing else.

`faust -A gridwatch.app worker -l info` and `gridwatch worker` both start it.
"""

from __future__ import annotations

from gridwatch import agents, views
from gridwatch.settings import load_settings
from gridwatch.streaming.stage.worker import Worker

settings = load_settings()
worker = Worker(settings, agents.stages(settings))
app = worker.app

agents.register(app, settings, worker.pipelines, worker.emitter)
views.register(worker, settings)
