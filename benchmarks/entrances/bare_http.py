"""The floor of an HTTP entrance: Starlette and confluent-kafka, one record a reading, 202 after every ack.

Nothing is validated, limited or counted. `python -m benchmarks.entrances.bare_http BOOTSTRAP TOPIC PORT`.
"""

from __future__ import annotations

import asyncio
import sys
import threading

import orjson
import uvicorn
from confluent_kafka import KafkaError, Message, Producer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class _Request:
    """Counts the acks of a request."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = count
        self.done = self._loop.create_future()

    def acked(self, error: KafkaError | None, _message: Message) -> None:
        """One record is there."""
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self.done.set_result, None)


def main(bootstrap: str, topic: str, port: int) -> None:
    """Serve until it is ended."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 1,
            "queue.buffering.max.messages": 1_000_000,
        }
    )

    def poll() -> None:
        while True:
            producer.poll(0.1)

    async def batch(request: Request) -> JSONResponse:
        readings = orjson.loads(await request.body())
        waiting = _Request(len(readings))
        for reading in readings:
            producer.produce(topic, orjson.dumps(reading), reading["meter_id"], on_delivery=waiting.acked)
        await waiting.done
        return JSONResponse({"accepted": len(readings)}, 202)

    threading.Thread(target=poll, daemon=True).start()
    app = Starlette(routes=[Route("/telemetry/batch", batch, methods=["POST"])])
    uvicorn.run(app, port=port, access_log=False, log_level="error")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
