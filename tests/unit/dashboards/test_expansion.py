"""Questions are expanded as Grafana's PostgreSQL data source does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dashboards.expansion import Raw, Value, View, expand

START = datetime(2024, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC)
END = datetime(2024, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))


def view(timescaledb: bool = False, **variables: Value) -> View:
    return View(START, END, variables, interval="30d", zone="Europe/Berlin", timescaledb=timescaledb)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ('$__timeFilter("time")', "\"time\" BETWEEN '2024-01-01T10:00:00.25Z' AND '2024-01-01T11:00:00Z'"),
        (
            "a < $__timeTo() AND b > $__timeFrom()",
            "a < '2024-01-01T11:00:00Z' AND b > '2024-01-01T10:00:00.25Z'",
        ),
        ("$__timeGroup(t, '5m') AS x", "floor(extract(epoch from t)/300)*300 AS x"),
        ("$__timeGroup(t,'5m'), 1", 'floor(extract(epoch from t)/300)*300 AS "time", 1'),
        ("$__timeGroupAlias(t,$__interval)", 'floor(extract(epoch from t)/2592000)*2592000 AS "time"'),
        ("date_trunc('day', t, ${__timezone:sqlstring})", "date_trunc('day', t, 'Europe/Berlin')"),
        ("$__timeGroup(t,'500ms') x", "floor(extract(epoch from t)/0.5)*0.5 x"),
    ],
)
def test_macros(sql: str, expanded: str) -> None:
    assert expand(sql, view()) == expanded


def test_buckets_are_timescaledbs_where_the_source_is_told_so() -> None:
    assert (
        expand("$__timeGroupAlias(t, '1h')", view(timescaledb=True))
        == "time_bucket('3600.000s',t) AS \"time\""
    )


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("O'Brien", "'O''Brien'"),
        (["a", "b'c"], "'a','b''c'"),
        ('<b title="x">\\ü€', "'<b title=\"x\">\\ü€'"),
        ("$__interval ${meter}", "'$__interval ${meter}'"),
        (Raw("'*'"), "'*'"),
    ],
)
def test_variables_are_quoted_put_in_once_and_all_stays_as_it_is(value: Value, expanded: str) -> None:
    assert expand("x IN (${meter:sqlstring})", view(meter=value)) == f"x IN ({expanded})"


def test_what_grafana_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        expand("$__nothing(x)", view())
    with pytest.raises(KeyError):
        expand("${meter:sqlstring}", view(meter="an id with $macro(in) it"))
    with pytest.raises(KeyError):
        expand("$unknown", view())
