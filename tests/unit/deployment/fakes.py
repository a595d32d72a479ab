"""A fake service of a few lines: it answers `/ready/`, and behaves as its settings say."""

from __future__ import annotations

import sys

from gridwatch.deployment.service import Service

_PROGRAM = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

began = time.monotonic()
ready_after = float(os.environ.get("GRIDWATCH_READY_AFTER", "0"))

class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        ready = time.monotonic() - began >= ready_after
        known = self.path in ("/ready/", "/live/")
        self.send_response((200 if ready else 503) if known else 404)
        self.end_headers()
        reasons = [] if ready else ["warming up"]
        self.wfile.write(json.dumps({"reasons": reasons, "pid": os.getpid()}).encode())

    def log_message(self, *arguments):
        pass

def end(*_):
    time.sleep(float(os.environ.get("GRIDWATCH_STOPS_AFTER", "0")))
    print("stopped in order", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
print("up", *sys.argv[1:], flush=True)
if "GRIDWATCH_FAILS" in os.environ:
    raise SystemExit("[CRITICAL] " + os.environ["GRIDWATCH_FAILS"])
HTTPServer(("127.0.0.1", int(os.environ["GRIDWATCH_SINK_WEB_PORT"])), Pages).serve_forever()
"""


class FakeService(Service):
    """In the place of a sink."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", _PROGRAM, *super().command()[4:]]
