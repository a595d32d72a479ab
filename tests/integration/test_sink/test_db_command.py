"""`gridwatch db` prints the kind of the database and the schema's revision, and never a password."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from gridwatch.cli import run
from sinks.migrations import VERSION_TABLE

pytestmark = pytest.mark.integration


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_url(url: str) -> None:
        monkeypatch.setenv("GRIDWATCH_DATABASE_URL", url)

    return set_url


def test_status_before_and_after_migrate(empty_database: str, at: Any, capsys: Any) -> None:
    at(empty_database)
    assert run(["db", "status"]) == 1
    printed = capsys.readouterr()
    assert "schema missing" in printed.out
    assert "gridwatch db migrate" in printed.err

    assert run(["db", "migrate"]) == 0
    assert "brought from nothing to revision" in capsys.readouterr().out
    assert run(["db", "migrate"]) == 0
    assert "already at revision" in capsys.readouterr().out

    assert run(["db", "status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "current"
    assert found["kind"].startswith("PostgreSQL ")
    assert found["timescaledb"] is None


def test_a_newer_schema_is_refused(database: str, query: Any, at: Any, capsys: Any) -> None:
    query(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    at(database)
    assert run(["db", "migrate"]) == 1
    assert "newer" in capsys.readouterr().err
    assert run(["db", "status"]) == 1


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://gridwatch:sekret@127.0.0.1:1/gridwatch", "127.0.0.1:1/gridwatch"),
        ("postgresql://gridwatch:sekret@no-such-host.invalid:5433/x", "no-such-host.invalid:5433/x"),
    ],
)
def test_an_unreachable_database_is_named_with_its_remedy(url: str, named: str, at: Any, capsys: Any) -> None:
    at(url)
    started = time.monotonic()
    assert run(["db", "status"]) == 1
    assert time.monotonic() - started < 30
    printed = capsys.readouterr().err
    assert named in printed
    assert "GRIDWATCH_DATABASE_URL" in printed
    assert "sekret" not in printed


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:sekret@127.0.0.1:port/x",
        "postgresql://u:sek@ret@127.0.0.1:1/x",
        "mysql://u:sekret@h/x",
    ],
)
def test_a_malformed_url_is_a_usage_error_and_is_not_printed(url: str, at: Any, capsys: Any) -> None:
    at(url)
    assert run(["db", "status"]) == 2
    printed = capsys.readouterr().err
    assert "GRIDWATCH_DATABASE_URL" in printed
    assert "ret" not in printed.replace("secret", "")
