"""The worker's Faust application: settings, stages, timers, views; nothing else.

`faust -A gridwatch.app worker -l info` and `gridwatch worker` both start it.
"""

from __future__ import annotations

from gridwatch import agents, views
from gridwatch.agents.readings import READINGS
from gridwatch.settings import load_settings
from gridwatch.streaming.stage.worker import Worker

settings = load_settings()
worker = Worker(settings, agents.STAGES)
app = worker.app
readings = worker.pipelines[READINGS.name]

agents.register(app, settings, readings, worker.emitter)
views.register(worker, settings)
