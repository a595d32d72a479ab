"""The HTTP entrance: where it listens, who may send, and how much."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from gridwatch.durations import Duration


class Ingest(BaseModel):
    """`gridwatch ingest`."""

    ingest_host: str = Field(
        "127.0.0.1",
        description="address that `gridwatch ingest` listens on; any but a loopback one requires API keys",
    )
    ingest_port: int = Field(3001, ge=1, le=65535, description="its port")
    ingest_require_key: bool = Field(
        False, description="whether it requires API keys on a loopback address, too: behind a reverse proxy"
    )
    ingest_ack_timeout: Duration = Field(
        timedelta(seconds=10),
        description="how long a request waits for Kafka's ack before the answer is 503",
    )
    ingest_body_timeout: Duration = Field(
        timedelta(seconds=15), description="how long the body of a request may take to arrive"
    )
    ingest_rate: int = Field(
        0, ge=0, description="readings a second that one caller may send, with bursts of ten seconds; 0: any"
    )
    ingest_pending_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024 * 1024,
        description="readings that may wait for Kafka's ack, bytes; beyond, the answer is 503",
    )
