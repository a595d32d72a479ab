"""The web pages and the log of a service."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Pages(BaseModel):
    """Addresses of the pages, and the format of the log."""

    log_format: str = Field(
        "text",
        pattern="^(text|json)$",
        description="how worker and sink log: text, or json, one object a line",
    )
    web_host: str = Field("127.0.0.1", description="address the web pages listen on")
    web_port: int = Field(6066, ge=1, le=65535, description="port of the worker's pages")
    web_advertised_url: str = Field(
        "", description="URL under which other workers reach this one; empty: from host and port"
    )
    sink_web_port: int = Field(
        6067, ge=1, le=65535, description="port of the sink's health and metrics pages"
    )
