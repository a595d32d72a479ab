"""Requests the pages of a service."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

ANSWER_SECONDS = 5.0


def fetch(url: str, seconds: float = ANSWER_SECONDS, accept: str = "*/*") -> tuple[int, bytes]:
    """Status and body of a page, errors included. OSError if the service does not answer."""
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310  http only
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def fetch_json(url: str, seconds: float = ANSWER_SECONDS) -> tuple[int, Any]:
    """Status and JSON of a page. OSError if the service does not answer, ValueError if it is not JSON."""
    status, body = fetch(url, seconds, "application/json")
    return status, json.loads(body)
