"""Instants, durations and numbers as a person reads them."""

from __future__ import annotations

import pytest

from gridwatch.http.formats import (
    duration,
    number,
    percent,
    quantity,
    readable,
    readable_after,
    span,
    time_range,
)


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2024-01-01T10:00:00Z", "2024-01-01 10:00"),
        ("2024-01-01T10:00:07Z", "2024-01-01 10:00:07"),
        ("2024-01-01T10:00:00.5Z", "2024-01-01 10:00:00.5"),
    ],
)
def test_instants_are_short_to_read_and_exact_for_machines(instant: str, shown: str) -> None:
    assert readable(instant) == f'<time datetime="{instant}">{shown}</time>'


def test_fractions_are_left_out_where_nobody_reads_them() -> None:
    assert readable("2024-01-01T10:00:07.25Z", to_seconds=True).endswith(">2024-01-01 10:00:07</time>")


def test_what_is_not_known_is_a_dash() -> None:
    assert readable(None) == number(None) == quantity(None) == duration(None) == percent(None) == "–"


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0.0 %"), (0.0004, "< 0.1 %"), (0.072, "7.2 %"), (1.0, "100.0 %")]
)
def test_a_share_that_is_there_is_never_shown_as_nothing(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_a_stretch_within_a_day_names_the_day_once() -> None:
    within = time_range("2024-01-01T10:00:00Z", "2024-01-01T11:30:00Z")
    across = time_range("2024-01-01T23:30:00Z", "2024-01-02T00:30:00Z")
    assert within.endswith(">11:30</time>")
    assert across.endswith(">2024-01-02 00:30</time>")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 s"),
        (45.4, "45.4 s"),
        (720, "12 min"),
        (3 * 3600 + 1200, "3 h 20 min"),
        (2 * 86400, "2 d"),
        (-5, "−5 s"),
    ],
)
def test_durations_are_in_units_that_fit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (20, "20 s"),
        (60 * (1 / 3), "20 s"),
        (90, "1 min 30 s"),
        (1800, "30 min"),
        (3610, "1 h 10 s"),
        (32 * 86_400, "32 d"),
    ],
)
def test_a_length_of_time_is_exact_to_the_second(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (0.015061, "0.01506"), (31.6249, "31.62"), (999.96, "1000"), (12_345.6, "12\u202f346")],
)
def test_a_measured_value_has_four_digits_and_large_ones_are_whole(value: float, shown: str) -> None:
    assert quantity(value) == shown


def test_an_instant_after_another_goes_without_its_day_if_it_is_the_same() -> None:
    start = "2024-01-01T23:30:00Z"
    assert readable_after("2024-01-01T23:45:00Z", start).striptags() == "23:45"
    assert readable_after("2024-01-02T00:15:00Z", start).striptags() == "2024-01-02 00:15"
    assert readable_after(None, start) == "–"
