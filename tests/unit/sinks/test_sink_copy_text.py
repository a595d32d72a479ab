"""COPY text: one line a row, tabs between, escaped only where it must be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.tables import copy_text


def test_plain_values_are_left_as_they_are() -> None:
    assert copy_text.rows([["M1", "M2"], ["1.5", "2.0"]]) == b"M1\t1.5\nM2\t2.0\n"


def test_no_rows_are_no_text() -> None:
    assert copy_text.rows([[], []]) == b""


def test_columns_of_different_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        copy_text.rows([["a", "b"], ["c"]])


def test_what_copy_would_misread_is_escaped() -> None:
    assert copy_text.texts(["a\tb", "c\\N", "d\r\n", "e"]) == ["a\\tb", "c\\\\N", "d\\r\\n", "e"]


def test_missing_is_null_and_empty_is_empty() -> None:
    assert copy_text.optional_texts([None, "", "\\N"]) == ["\\N", "", "\\\\N"]
    assert copy_text.optional_texts([None, None]) == ["\\N", "\\N"]
    assert copy_text.optional_numbers([None, 0.5]) == ["\\N", "0.5"]
    assert copy_text.optional_numbers([None]) == ["\\N"]


def test_arrays_quote_every_item() -> None:
    assert copy_text.arrays([[], ["LATE"], ['a"b', "c\\d", "NULL", ""]]) == [
        "{}",
        '{"LATE"}',
        '{"a\\\\"b","c\\\\\\\\d","NULL",""}',
    ]


@pytest.mark.parametrize("word", ["now", "today", "infinity", "yesterday", "epoch", "2024-01-01 10:00:00"])
def test_an_instant_is_not_a_word(word: str) -> None:
    with pytest.raises(ValueError, match="not an RFC 3339 instant"):
        copy_text.instants(["2024-01-01T10:00:00Z", word])


def test_a_lone_surrogate_is_an_error() -> None:
    with pytest.raises(UnicodeEncodeError):
        copy_text.rows([["\ud800"]])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_escaping_one_column_at_once_is_escaping_each_value(values: list[str]) -> None:
    assert copy_text.texts(values) == [text for value in values for text in copy_text.texts([value])]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_row_is_always_one_line(values: list[str]) -> None:
    text = copy_text.rows([[value] for value in copy_text.texts(values)]).decode()
    assert text.count("\n") == 1
    assert text.count("\t") == len(values) - 1
