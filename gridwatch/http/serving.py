"""Runs a web server until a signal, which is its normal end."""

from __future__ import annotations

import signal

import uvicorn


def serve(server: uvicorn.Server) -> None:
    """Run until SIGINT or SIGTERM; what is under way is answered first. SystemExit when it cannot listen."""
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn sends itself the signal again at its end
        signal.signal(number, lambda *_: None)
    server.run()
