"""Stamps in and out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.instants import EARLIEST, LATEST, Stamps, format_instant, parse_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("2024-01-01t10:00z", "2024-01-01T10:00:00Z"),
        ("2024-01-01 10:00", "2024-01-01T10:00:00Z"),
        ("2024-01-01T10:00:00.5", "2024-01-01T10:00:00.5Z"),
        ("2024-01-01T10:00:00.1234569Z", "2024-01-01T10:00:00.123456Z"),
        ("2024-01-01T10:00:00+01:30", "2024-01-01T08:30:00Z"),
        ("2024-01-01T10:00:00-0130", "2024-01-01T11:30:00Z"),
        ("2024-01-01T10:00-01", "2024-01-01T11:00:00Z"),
        ("1969-12-31T23:59:59.000001Z", "1969-12-31T23:59:59.000001Z"),
    ],
)
def test_accepted_forms(text: str, expected: str) -> None:
    assert format_instant(parse_instant(text)[0]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-01",
        "2024-01-01T10",
        "2024-01-01T24:00:00Z",
        "2024-01-01T10:00:60Z",
        "2023-02-29T10:00:00Z",
        "2024-01-01T10:00:00,5Z",
        "2024-01-01T10:00:00 Z",
        " 2024-01-01T10:00:00Z",
        "2024-01-01T10:00:00Z\n",
        "20240101T100000Z",
        "2024-1-1T10:00:00Z",
        "2024-01-01T10:00:00+24:00",
        "2024-01-01T10:00:00+01:60",
        "٢٠٢٤-01-01T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_nothing_else_is_accepted(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)
    with pytest.raises(ValueError):
        Stamps("UTC").read(text)


def test_a_stamp_with_two_instants_is_the_earlier_one_and_ambiguous() -> None:
    instant, ambiguous = parse_instant("2024-10-27 02:30", "Europe/Berlin")
    assert (format_instant(instant), ambiguous) == ("2024-10-27T00:30:00Z", True)
    assert parse_instant("2024-10-27 02:30+01:00", "Europe/Berlin")[1] is False


def test_a_stamp_that_the_clocks_skipped_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        parse_instant("2024-03-31 02:30", "Europe/Berlin")
    assert format_instant(parse_instant("2024-03-31 03:00", "Europe/Berlin")[0]) == "2024-03-31T01:00:00Z"


@given(st.integers(EARLIEST, LATEST - 1))
def test_what_is_written_reads_as_itself(instant: int) -> None:
    assert parse_instant(format_instant(instant)) == (instant, False)


@given(
    st.lists(
        st.builds(
            "{}{}{}".format,
            st.sampled_from(
                ["2024-10-27T02:30", "2024-10-27 03:00", "2024-07-01t00:00", "0002-01-01T00:00", "x"]
            ),
            st.sampled_from(["", ":00", ":59.25", ":60"]),
            st.sampled_from(["", "Z", "z", "+05:30", "-23"]),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["UTC", "Europe/Berlin"]),
)
def test_remembered_stamps_read_as_if_they_were_new(texts: list[str], zone: str) -> None:
    stamps = Stamps(zone)
    for text in texts:
        try:
            expected = parse_instant(text, zone)
        except ValueError:
            with pytest.raises(ValueError):
                stamps.read(text)
            continue
        assert stamps.read(text) == expected


def test_the_end_of_the_calendar_is_read_so_that_it_can_be_refused_as_the_future() -> None:
    assert parse_instant("9999-12-31T23:59:59Z")[0] > LATEST
    assert Stamps("UTC").read("9999-12-31T23:59:59Z")[0] > LATEST
