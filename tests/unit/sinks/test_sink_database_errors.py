"""Only errors that every retry would repeat are the row's fault; everything else is transient."""

from __future__ import annotations

import psycopg2
import pytest
from psycopg2 import errors

from sinks.database_errors import describe, is_row_at_fault


class Coded(psycopg2.Error):
    """An error with a SQLSTATE of our choice, which psycopg2 sets only itself."""

    def __init__(self, code: str | None) -> None:
        super().__init__("something\nand more")
        self.code = code

    @property
    def pgcode(self) -> str | None:  # type: ignore[override]
        return self.code


@pytest.mark.parametrize("code", ["22003", "22021", "22P02", "22P05", "23502", "23514", "54000"])
def test_the_row_is_at_fault(code: str) -> None:
    assert is_row_at_fault(Coded(code))


@pytest.mark.parametrize(
    "code",
    [
        None,
        "08006",
        "23505",
        "25006",
        "40001",
        "40P01",
        "42P01",
        "42501",
        "53100",
        "53300",
        "55P03",
        "57014",
        "57P01",
        "XX000",
    ],
)
def test_the_database_is_at_fault(code: str | None) -> None:
    assert not is_row_at_fault(Coded(code))


def test_a_lost_connection_is_not_the_rows_fault() -> None:
    assert not is_row_at_fault(psycopg2.OperationalError("server closed the connection unexpectedly"))
    assert not is_row_at_fault(psycopg2.InterfaceError("connection already closed"))
    assert not is_row_at_fault(errors.LockNotAvailable("canceling statement due to lock timeout"))


def test_text_that_cannot_be_encoded_is_the_rows_fault() -> None:
    assert is_row_at_fault(ValueError("not an instant"))


def test_an_error_is_described_in_one_line_with_its_state() -> None:
    assert describe(Coded("22003")) == "something (22003)"
    assert describe(psycopg2.OperationalError()) == "OperationalError"
