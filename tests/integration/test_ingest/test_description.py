"""Requests made from the OpenAPI description, by Schemathesis: the service keeps to it, whatever comes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as some
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from gridwatch.deployment.service import Service
from tests.integration.test_ingest.entrance import PATH

pytestmark = pytest.mark.integration

#: Checks that cannot hold: a key is optional on loopback, so a request without one is accepted; a reading
#: that the schema allows may be refused for its values (a time in 1066); one that it forbids may be refused
#: by itself, and its neighbours accepted.
UNFIT = {"ignored_auth", "positive_data_acceptance", "negative_data_rejection"}
EXAMPLES = 60


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_description_has(ingest: Service, mode: GenerationMode) -> None:
    document = ingest.page("/openapi.json")
    operation = schemathesis.openapi.from_dict(document)[PATH]["POST"]
    load_all_checks()
    unfit = [check for check in CHECKS.get_all() if check.__name__ in UNFIT]
    assert len(unfit) == len(UNFIT)
    seen: set[int] = set()

    @seed(11)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(some.data())
    def ask(data: Any) -> None:
        case = data.draw(operation.as_strategy(mode))
        response = case.call(base_url=ingest.url)
        seen.add(response.status_code)
        case.validate_response(response, excluded_checks=unfit)
        assert response.headers["x-request-id"]

    ask()
    assert 503 not in seen, "Kafka is there"
    assert 400 in seen
