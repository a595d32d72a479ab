"""The worker's Faust application: settings, topics, tables, agents, views; nothing else.

`faust -A gridwatch.app worker -l info` and `gridwatch worker` both start it.
"""

from __future__ import annotations

from gridwatch import agents, views
from gridwatch.codecs.decode import log_records
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import load_settings
from gridwatch.streaming.application import create_app
from gridwatch.streaming.pipeline import Pipeline
from gridwatch.streaming.state_table import meters_table
from gridwatch.topics import RAW, changelog

settings = load_settings()
app = create_app(
    settings,
    name=settings.app_id,
    web_port=settings.web_port,
    unpacked={RAW.name: log_records, changelog(settings.app_id).name: list},
)
table = meters_table(app, settings)
emitter = Emitter(settings, client_id=app.conf.broker_client_id)
pipeline = Pipeline(app, settings, emitter, table)

agents.register(app, settings, pipeline, emitter)
views.register(app, settings, pipeline)
