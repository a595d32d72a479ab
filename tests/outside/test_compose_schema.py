"""docker-compose.yml is valid by the schema of the Compose specification."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def specification() -> Draft7Validator:
    return Draft7Validator(get_builtin_schema("vendor.compose-spec"))


def test_the_file_is_valid(specification: Draft7Validator) -> None:
    assert [f"{error.json_path}: {error.message}" for error in specification.iter_errors(COMPOSE)] == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("kafka", "imge", "apache/kafka"),
        ("sink", "depends_on", {"kafka": {"condition": "service_well"}}),
        ("grafana", "healthcheck", {"test": ["CMD"], "interval": 10}),
        ("timescaledb", "ports", {"5432": 5432}),
    ],
)
def test_an_invalid_file_is_detected(
    specification: Draft7Validator, service: str, key: str, value: Any
) -> None:
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"][service][key] = value
    assert not specification.is_valid(wrong)
