"""The description of the HTTP entrance for OpenAPI: request, answers, security."""

from __future__ import annotations

import json
from typing import Any, Final

from gridwatch.domain.validation.findings import REASONS
from gridwatch.ingest.elements import DUPLICATE_KEY, MOST_READINGS
from gridwatch.ingest.intake import TELEMETRY
from gridwatch.ingest.problems import CONTENT_TYPE, KINDS

SUMMARY: Final = "Readings of electricity meters"
DESCRIPTION: Final = (
    "Accepts batches of readings. An answer of 202 means that every accepted reading is in Kafka, "
    "acknowledged by all replicas. A batch may be sent again after any other answer, or none: "
    "repeated readings are recognised and counted once."
)
SECURITY: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `gridwatch keys create`."}
}

_NUMBER: Final = {"type": ["number", "null"]}
_TEXT: Final = {"type": ["string", "null"]}
_READING: Final[dict[str, Any]] = {
    "type": "object",
    "description": (
        "A reading. Its energy is `consumption_kwh` (or `energy_kwh`) of its interval, "
        "else a cumulative register `energy_register_kwh` (or `total_energy_kwh`), else `power_kw`. Other "
        "members are passed on. With `profile=telemetry` " + ", ".join(TELEMETRY) + " are required."
    ),
    "required": ["meter_id", "timestamp"],
    "properties": {
        "meter_id": {"type": "string", "minLength": 1},
        "timestamp": {"type": "string", "description": "RFC 3339, such as 2026-01-31T10:00:00Z"},
        **dict.fromkeys(
            (
                "consumption_kwh",
                "energy_kwh",
                "energy_register_kwh",
                "total_energy_kwh",
                "interval_minutes",
                "interval_seconds",
                "voltage",
                "current",
                "power_kw",
                "power_factor",
                "frequency",
            ),
            _NUMBER,
        ),
        **dict.fromkeys(("region", "sent_at", "interval", "timezone"), _TEXT),
        "flags": {"type": ["array", "null"], "items": {"type": "string"}, "maxItems": 16},
    },
    "example": {"meter_id": "METER_1", "timestamp": "2026-01-31T10:00:00Z", "consumption_kwh": 0.42},
}
_READINGS: Final = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST_READINGS,
    "items": {"$ref": "#/components/schemas/Reading"},
}
_REJECTED: Final = {
    "type": "object",
    "required": ["index", "reasons", "message"],
    "properties": {
        "index": {"type": "integer", "minimum": 0, "description": "its place in the batch, from 0 on"},
        "reasons": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "enum": [*REASONS, DUPLICATE_KEY]},
        },
        "message": {"type": "string"},
        "field": _TEXT,
    },
}
_ANSWER: Final = {
    "type": "object",
    "required": ["accepted", "rejected", "request_id"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0},
        "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejected"}},
        "request_id": {"type": "string"},
    },
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
SCHEMAS: Final = {"Reading": _READING, "Rejected": _REJECTED, "Answer": _ANSWER, "Problem": _PROBLEM}

_IDENTIFIED: Final = {"X-Request-ID": {"schema": {"type": "string"}}}
_LATER: Final = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "seconds"}}


def _problem(*kinds: str) -> dict[str, Any]:
    status = KINDS[kinds[0]].status
    return {
        "description": "; ".join(dict.fromkeys(KINDS[kind].title for kind in kinds)),
        "headers": {**_IDENTIFIED, **(_LATER if status in (429, 503) else {})},
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _answers() -> dict[str, Any]:
    answer = {"schema": {"$ref": "#/components/schemas/Answer"}}
    answers: dict[str, Any] = {
        "202": {
            "description": "Every accepted reading is in Kafka",
            "headers": _IDENTIFIED,
            "content": {"application/json": answer},
        }
    }
    by_status: dict[int, list[str]] = {}
    for kind, declared in KINDS.items():
        if kind not in ("not-found", "method"):
            by_status.setdefault(declared.status, []).append(kind)
    answers |= {str(status): _problem(*kinds) for status, kinds in by_status.items()}
    answers["400"]["description"] += "; or every reading was rejected"
    answers["400"]["content"]["application/json"] = answer
    return answers


BATCH: Final[dict[str, Any]] = {
    "summary": "Send a batch of readings",
    "operationId": "sendBatch",
    "parameters": [
        {
            "name": "profile",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": ["contract", "telemetry"], "default": "contract"},
            "description": "which members a reading has to have",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _READINGS,
                        {"type": "object", "required": ["readings"], "properties": {"readings": _READINGS}},
                    ]
                }
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "one reading a line"},
                "example": json.dumps(_READING["example"]) + "\n",
            },
        },
    },
    "responses": _answers(),
    "security": [{"key": []}, {}],
}
