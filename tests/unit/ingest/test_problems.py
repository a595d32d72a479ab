"""Problems: every kind has one status, an answer by RFC 9457, and no request is repeated back at length."""

from __future__ import annotations

import ast
import json
from http import HTTPStatus
from pathlib import Path

import pytest

import gridwatch.ingest
from gridwatch.ingest.problems import CONTENT_TYPE, KINDS, Problem

each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_an_answer_is_problem_json_with_status_title_and_id(kind: str) -> None:
    response = Problem(kind, "why", code="CODE").response("an-id")
    assert response.status_code == KINDS[kind].status == HTTPStatus(KINDS[kind].status)
    assert response.headers["content-type"] == CONTENT_TYPE
    assert response.headers["x-request-id"] == "an-id"
    assert response.headers["cache-control"] == "no-store"
    assert json.loads(bytes(response.body)) == {
        "type": f"problems/{kind}",
        "title": KINDS[kind].title,
        "status": KINDS[kind].status,
        "detail": "why",
        "code": "CODE",
        "request_id": "an-id",
    }


@each_kind
def test_only_who_is_not_known_is_asked_for_a_key(kind: str) -> None:
    asks = "www-authenticate" in Problem(kind, "why").response("i").headers
    assert asks == (KINDS[kind].status == 401)


def test_when_to_come_again_and_the_end_of_the_connection_are_headers() -> None:
    headers = Problem("unavailable", "why", retry_after=7, closes=True).response("i").headers
    assert (headers["retry-after"], headers["connection"]) == ("7", "close")
    headers = Problem("unavailable", "why").response("i").headers
    assert "retry-after" not in headers and "connection" not in headers


def test_half_a_character_in_a_detail_is_no_error() -> None:
    assert b"half ?" in bytes(Problem("bad-request", "half \ud800").response("i").body)


def test_the_kinds_that_are_raised_are_the_kinds_there_are() -> None:
    room = Path(gridwatch.ingest.__file__).parent
    raised = {
        call.args[0].value
        for path in room.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Problem"
        for _ in call.args[:1]
        if isinstance(call.args[0], ast.Constant)
    }
    assert raised | {"method", "not-found"} == set(KINDS)
