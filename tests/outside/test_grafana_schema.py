"""The dashboards are valid by Grafana's own schema, their panels' options and fields by that of the panel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from dashboards.expansion import dashboards
from tests.outside.conftest import Output

BOARDS = dashboards()
#: Open in Grafana's schema to what plugins and data sources put there, which its types do not say.
OPEN = (
    *("AnnotationQuery", "AnnotationTarget", "VariableModel"),
    *("Record<string,unknown>", "Record<string,ValueMappingResult>"),
)

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def schema(node: Output) -> Schema:
    """The JSON Schema of what Grafana's package declares."""
    program = "typescript-json-schema/bin/typescript-json-schema"
    printed = node(program, "tsconfig.json", "Grafana", "--required", "--noExtraProps")
    made: Schema = json.loads(printed)
    for name in OPEN:
        made["definitions"][name]["additionalProperties"] = True
    return made


def faults(schema: Schema, part: str, value: Any) -> list[str]:
    whole = {"definitions": schema["definitions"], **schema["properties"][part]}
    return [
        f"{'/'.join(map(str, leaf.absolute_path))}: {leaf.message}"
        for error in Draft7Validator(whole).iter_errors(value)
        for leaf in error.context or [error]
    ]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_is_valid_by_grafanas_schema(schema: Schema, uid: str) -> None:
    assert faults(schema, "dashboard", BOARDS[uid]) == []


@pytest.mark.parametrize("uid", BOARDS)
def test_options_and_fields_of_a_panel_are_valid_for_its_kind(schema: Schema, uid: str) -> None:
    for panel in BOARDS[uid]["panels"]:
        if panel["type"] == "row":
            continue
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        given = {"options": panel.get("options", {}), "custom": custom}
        assert faults(schema, panel["type"], given) == [], panel["title"]


def test_an_invalid_dashboard_is_detected(schema: Schema) -> None:
    board = json.loads(json.dumps(BOARDS["gridwatch-overview"]))
    board["panels"][0]["gridPos"]["w"] = "wide"
    board["editble"] = True
    printed = " ".join(faults(schema, "dashboard", board))
    assert "'wide' is not of type" in printed
    assert "editble" in printed
    assert faults(schema, "stat", {"options": {"colorMode": "no such"}, "custom": {}})
