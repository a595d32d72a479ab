"""The commands of the book: what they refuse before anything is connected."""

from __future__ import annotations

import pytest

from gridwatch.cli import run
from gridwatch.cli.registry.shared import fields_of
from gridwatch.errors import UsageProblem


def test_fields_are_key_and_value_and_an_empty_value_clears() -> None:
    assert fields_of(["region=R1", "feeder=", "why=a=b"]) == {"region": "R1", "feeder": "", "why": "a=b"}


@pytest.mark.parametrize("arguments", [["region"], ["=R1"], ["a=1", "a=2"]])
def test_other_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(UsageProblem):
        fields_of(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["registry", "import", "no-such-file.csv"],
        ["registry", "set", "M1"],
        ["registry", "list", "--status", "lost"],
        ["registry", "import", "x.csv", "--valid-from", "tomorrow"],
        [
            "outages",
            "add",
            "--scope",
            "town",
            "--target",
            "x",
            "--from",
            "2026-01-01",
            "--until",
            "2026-01-02",
        ],
        ["registry", "export", "-o", "meters.xml"],
    ],
)
def test_wrong_use_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2


@pytest.mark.parametrize("arguments", [["registry", "list"], ["regions", "export"], ["outages", "list"]])
def test_a_database_that_is_away_exits_with_1_and_says_which(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", "postgresql://me:secret@127.0.0.1:9/x")
    assert run(arguments) == 1
    printed = capsys.readouterr()
    assert "127.0.0.1:9/x" in printed.err
    assert "secret" not in printed.err + printed.out
