"""The OpenAPI description: valid by its own rules, and what it says is what the service accepts."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from gridwatch.domain.policy import Policy
from gridwatch.ingest.api import PATH
from gridwatch.ingest.elements import elements_of
from gridwatch.ingest.intake import TELEMETRY, Intake
from gridwatch.ingest.problems import CONTENT_TYPE, KINDS
from gridwatch.ingest.service import build
from gridwatch.settings import load_settings

NOW = 1_767_225_600_000_000


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As programs get it."""
    app, _ = build(load_settings())
    found: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return found


def schema_of(document: dict[str, Any], content: dict[str, Any]) -> Draft202012Validator:
    """A validator of one content, with the schemas that it refers to."""
    whole = {**content["schema"], "components": document["components"]}
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def test_it_is_valid_openapi_of_version_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    broken = copy.deepcopy(document)
    broken["paths"][PATH]["post"]["parameters"][0]["in"] = "nowhere"
    with pytest.raises(Exception, match=r"nowhere|not valid"):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_kind_of_problem_is_described_by_its_status(document: dict[str, Any]) -> None:
    operation = document["paths"][PATH]["post"]
    kinds = {kind: one for kind, one in KINDS.items() if kind not in ("not-found", "method")}
    assert set(operation["responses"]) == {"202"} | {str(one.status) for one in kinds.values()}
    for one in kinds.values():
        response = operation["responses"][str(one.status)]
        assert one.title in response["description"]
        assert CONTENT_TYPE in response["content"]
        assert "X-Request-ID" in response["headers"]
        assert ("Retry-After" in response["headers"]) == (one.status in (429, 503))


def test_a_key_is_described_and_not_always_required(document: dict[str, Any]) -> None:
    assert document["paths"][PATH]["post"]["security"] == [{"key": []}, {}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_what_is_asked_for_is_valid_and_what_is_described_is_accepted(document: dict[str, Any]) -> None:
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    valid = schema_of(document, body)
    example = document["components"]["schemas"]["Reading"]["example"]
    for batch in ([example], {"readings": [example]}):
        valid.validate(batch)
        found = Intake(Policy()).admit(elements_of(json.dumps(batch).encode(), lines=False), NOW + 10**13)
        assert found.accepted == 1
    for wrong in ([], {}, {"readings": []}, [1], [{"meter_id": "A"}], [example] * 5001):
        assert not valid.is_valid(wrong)


def test_lines_are_described_by_an_example_that_is_accepted(document: dict[str, Any]) -> None:
    example = document["paths"][PATH]["post"]["requestBody"]["content"]["application/x-ndjson"]["example"]
    found = Intake(Policy()).admit(elements_of(example.encode(), lines=True), NOW + 10**13)
    assert found.accepted == 1


def test_the_members_of_telemetry_are_all_described(document: dict[str, Any]) -> None:
    assert set(TELEMETRY) <= set(document["components"]["schemas"]["Reading"]["properties"])
