"""What a request asks for is checked before anything is done."""

from __future__ import annotations

import pytest
from multidict import MultiDict

from gridwatch.http.queries import one_of, parameters, text, wants_json, whole
from gridwatch.http.reply import Problem

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("query", "accept", "json"),
    [
        ({}, BROWSER, False),
        ({}, "*/*", False),
        ({}, "", False),
        ({}, "application/json", True),
        ({}, "Application/JSON ; q=0.9, text/plain", True),
        ({}, "application/json;q=0", False),
        ({}, "application/json;q=oops", False),
        ({}, "text/html, application/json;q=0.5", False),
        ({"format": "json"}, BROWSER, True),
        ({"format": "html"}, "application/json", False),
    ],
)
def test_json_is_for_who_asks_for_it(query: dict[str, str], accept: str, json: bool) -> None:
    assert wants_json(query, accept) is json


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(Problem, match="'xml' is not json or html") as problem:
        wants_json({"format": "xml"}, "")
    assert problem.value.status == 400


def test_parameters_are_read_and_empty_ones_left_out() -> None:
    allowed = {"limit": whole(1, 10), "prefix": text, "state": one_of(["open"])}
    query = MultiDict({"limit": "7", "prefix": "", "state": "open", "format": "json"})
    assert parameters(query, allowed) == {"limit": 7, "state": "open"}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ([("limit", "0")], "limit: '0' is not a whole number from 1 to 10"),
        ([("limit", "-1")], "limit: '-1' is not a whole number"),
        ([("limit", "1e1")], "limit: '1e1' is not a whole number"),
        ([("limit", "٣")], "limit: '٣' is not a whole number"),
        ([("limit", "9" * 5000)], "limit: "),
        ([("limit", "1"), ("limit", "2")], "limit: given 2 times"),
        ([("state", "OPEN")], "state: 'OPEN' is not one of open"),
        ([("prefix", "a\x00b")], "prefix: control characters"),
        ([("prefix", "a" * 1025)], "prefix: longer than 1024"),
        ([("prefix", "a\udcff")], "prefix: not UTF-8"),
        ([("prefx", "a")], "unknown parameter 'prefx'; known here: format, limit, prefix, state"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_reason(query: list[tuple[str, str]], reason: str) -> None:
    allowed = {"limit": whole(1, 10), "prefix": text, "state": one_of(["open"])}
    with pytest.raises(Problem) as problem:
        parameters(MultiDict(query), allowed)
    assert problem.value.status == 400
    assert reason in problem.value.reasons[0]
