"""`gridwatch bridge`: the parts of the MQTT entrance put together, and its pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.applications import Starlette

from gridwatch.bridge.bridge import MOST_PENDING_BYTES, Bridge
from gridwatch.bridge.config import Config, address_in, check_rules, read_config
from gridwatch.bridge.health import BridgeHealth
from gridwatch.bridge.session import Session
from gridwatch.bridge.translation import Translator
from gridwatch.errors import UsageProblem
from gridwatch.health.asgi_pages import routes
from gridwatch.health.pages import HealthPages
from gridwatch.http.serving import serve
from gridwatch.kafka.appending import RecordAppender
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.topics import HOMELAB, flow

logger = logging.getLogger(__name__)


def configured(settings: Settings) -> Config:
    """The configuration of the settings and their file. UsageProblem where it is wrong."""
    password = settings.mqtt_password.get_secret_value() or None
    config = Config() if settings.bridge_config is None else read_config(settings.bridge_config, password)
    broker = replace(config.broker, password=config.broker.password or password)
    if settings.bridge_config is None or "mqtt_url" in settings.model_fields_set:
        broker = replace(broker, **address_in(settings.mqtt_url, "GRIDWATCH_MQTT_URL"))
    if not broker.tls and (broker.ca_file or broker.cert_file):
        raise UsageProblem(
            f"{settings.bridge_config}: [mqtt]: certificates are of no use to {broker.address} without TLS",
            "write mqtts:// in the url, or leave out ca_file and cert_file",
        )
    check_rules(config.rules)
    return replace(config, broker=broker)


def build(settings: Settings, config: Config) -> Starlette:
    """The pages, and behind them everything that they start and stop."""
    raw = flow(settings.flow).raw.name
    emitter = Emitter(settings, f"gridwatch-bridge-{config.broker.client_id}")
    appender = RecordAppender(emitter)
    translator = Translator(config.rules, settings.policy(), config.broker.client_id, raw)
    bridge = Bridge(translator, appender)
    session = bridge.session = Session(
        config.broker,
        [rule.filter for rule in config.rules],
        bridge.receive,
        may_connect=lambda: appender.pending_bytes <= MOST_PENDING_BYTES,
    )
    topics = [raw, *(topic.name for topic in HOMELAB)]
    health = BridgeHealth(settings, topics, bridge, session)

    @contextlib.asynccontextmanager
    async def running(app: Any) -> AsyncIterator[None]:
        bridge.fail = lambda error: _fail(error, app)
        task = asyncio.ensure_future(session.run())
        task.add_done_callback(lambda done: _ended(done, app))
        try:
            yield
        finally:
            health.stopping = True
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await session.stop()
            await appender.stop()
            await emitter.stop()
            await health.close()

    return Starlette(routes=routes(HealthPages(health)), lifespan=running)


def _ended(task: asyncio.Task[None], app: Starlette) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _fail(error, app)


def _fail(error: BaseException, app: Starlette) -> None:
    """End: what is not acknowledged is delivered again."""
    logger.critical("the bridge failed", exc_info=error)
    app.state.server.should_exit = True
    app.state.failed = True


def run(settings: Settings, config: Config) -> bool:
    """Bridge until SIGINT or SIGTERM. Whether it ended in order."""
    app = build(settings, config)
    server = app.state.server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.web_host,
            port=settings.bridge_web_port,
            access_log=False,
            log_config=None,
            server_header=False,
        )
    )
    app.state.failed = False
    serve(server)
    return not app.state.failed
