"""Every query of every dashboard, as Grafana asks it, on a real PostgreSQL: empty, and with data."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from msgspec.structs import replace as replace_fields

from dashboards.expansion import PanelQuery, Raw, Value, View, expand, panel_queries
from gridwatch.embedded import EmbeddedPostgres
from gridwatch.topics import GAP_ALERTS, HOMELAB_DEAD_LETTERS, HOMELAB_ENERGY, VALIDATED, Topic
from sinks.database import read_url
from sinks.rows import Rows
from sinks.schema.version import migrate
from sinks.writer import Writer
from tests.integration import anomaly_data, grid_data, home_data
from tests.integration.dashboard_data import (
    METERS,
    PARTITIONS,
    REGIONS,
    Period,
    Source,
    gaps,
    readings,
    write,
)

pytestmark = pytest.mark.integration

ALL = Raw("'*'")
#: The region near its limit, and the one of which too little is known.
NEAR, UNKNOWN = "north", "south'; --"


@cache
def period() -> Period:
    """Two days up to now: the moment the tests begin, which may be long after they were collected."""
    now = datetime.now(UTC).replace(microsecond=0)
    today = now.replace(minute=0, second=0)
    return Period(today - timedelta(days=2), today, now)


@cache
def whole_view() -> View:
    """All of it, with nothing chosen."""
    variables: dict[str, Value] = {"flow": "smartmeter", "meter": "O'Brien", "region": ALL, "partition": ALL}
    variables |= {"interval": "1h", "window": "auto", "kind": ALL, "confidence": ALL, "device": ALL}
    return View(period().start, period().now, variables)


Ask = Callable[[str, View], list[tuple[Any, ...]]]

QUERIES = list(panel_queries())
#: What a reader may choose, each with each.
CHOICES: dict[str, list[Value]] = {
    "flow": ["smartmeter", "a daily'; --"],
    "region": [ALL, "north", ["south'; --", "(none)"]],
    "partition": [ALL, ["0", "1"], "1"],
    "interval": ["5m", "1d"],
    "meter": [*METERS, "nobody"],
    "window": ["auto", "1m", "15m"],
    "kind": [ALL, "SPIKE", ["DROP", "no such'; --"]],
    "confidence": [ALL, "low"],
    "device": [ALL, home_data.PLUG, [*home_data.DEVICES], "no such'; --"],
}


def _database(postgres: EmbeddedPostgres) -> str:
    name = f"dashboards_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(postgres.url)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    server.close()
    url = read_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    return url


def _asking(url: str) -> Iterator[Ask]:
    session = psycopg2.connect(url)
    session.autocommit = True

    def ask(sql: str, view: View) -> list[tuple[Any, ...]]:
        with session.cursor() as cursor:
            cursor.execute(expand(sql, view))
            return list(cursor.fetchall())

    yield ask
    session.close()


@pytest.fixture(scope="module")
def ask_empty(postgres: EmbeddedPostgres) -> Iterator[Ask]:
    yield from _asking(_database(postgres))


@pytest.fixture(scope="module")
def ask(postgres: EmbeddedPostgres) -> Iterator[Ask]:
    url = _database(postgres)
    write(url, period())
    places = {meter: REGIONS[number % 3] for number, meter in enumerate(METERS)}
    _add(url, grid_data.records(places, NEAR, UNKNOWN, period().end))
    yield from _asking(url)


def _add(url: str, records: dict[str, list[Any]]) -> None:
    writer = Writer(url)
    for topic, of_it in records.items():
        assert writer.write([Rows(topic, of_it, [Source(topic)] * len(of_it))]) == []
    writer.disconnect()


def _sql(title: str) -> str:
    [found] = [query.sql for query in QUERIES if str(query) == title]
    return found


@pytest.fixture(scope="module")
def ask_of_seconds(postgres: EmbeddedPostgres) -> Iterator[Ask]:
    """The last day, of meters of ten seconds: gaps of one slot."""
    url = _database(postgres)
    given: dict[str, Any] = {"interval_minutes": 10 / 60, "interval_seconds": 10}
    day = replace(period(), start=period().end - timedelta(days=1))
    brief = [replace_fields(one, **given) for one in readings(day)]
    short = [replace_fields(one, gap_minutes=one.missing_intervals * 10 / 60, **given) for one in gaps(day)]
    _add(url, {VALIDATED.name: brief, GAP_ALERTS.name: short})
    yield from _asking(url)


each_query = pytest.mark.parametrize("query", QUERIES, ids=str)


@each_query
def test_an_empty_database_gives_zero_or_nothing(ask_empty: Ask, query: PanelQuery) -> None:
    rows = ask_empty(query.sql, whole_view())
    assert len(rows) <= 1
    assert all(value in (None, 0) for row in rows for value in row)


@each_query
def test_data_gives_rows(ask: Ask, query: PanelQuery) -> None:
    rows = ask(query.sql, whole_view())
    assert rows
    assert any(value is not None for row in rows for value in row)


@each_query
def test_whatever_is_chosen_there_is_an_answer(ask: Ask, query: PanelQuery) -> None:
    used = [name for name in CHOICES if f"${name}" in query.sql or f"${{{name}" in query.sql]
    everything = ask(query.sql, whole_view())
    for values in itertools.product(*(CHOICES[name] for name in used)):
        variables = {**whole_view().variables, **dict(zip(used, values, strict=True))}
        chosen = replace(whole_view(), variables=variables)
        rows = ask(query.sql, chosen)
        if "meter" not in used and "interval" not in used:
            assert len(rows) <= len(everything)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("gridwatch-overview: Open gaps now A", len(METERS)),
        ("gridwatch-overview: Silent meters now A", len(METERS)),
        ("gridwatch-overview: Active meters A", 3 * PARTITIONS),
        ("gridwatch-overview: Late readings A", 20.0),
        ("gridwatch-overview: Dead letters A", 3),
        ("gridwatch-health: Partitions reporting A", PARTITIONS),
        ("gridwatch-health: Total lag A", 7.0 * PARTITIONS),
        ("gridwatch-health: Slowest watermark A", 45.0),
        ("gridwatch-meter: Interval now A", 1800),
        ("gridwatch-fleet: Registered meters A", 8),
        ("gridwatch-fleet: Installed or active A", 4),
        ("gridwatch-fleet: Never heard A", 1),
        ("gridwatch-fleet: Planned gaps A", 3),
        ("gridwatch-fleet: Silent A", 5),
        ("gridwatch-fleet: Planned outages now A", 1),
        ("gridwatch-fleet: Changes not published A", 2),
        ("gridwatch-grid: Open incidents A", 3),
        ("gridwatch-grid: Meters out A", 4 + grid_data.SILENT),  # the transformer's are the feeder's, too
        ("gridwatch-grid: Highest load A", 95.0),
        ("gridwatch-grid: Regions from 90 % on A", 1),
        ("gridwatch-grid: Regions without a sure load A", 1),
        ("gridwatch-anomalies: Open, high confidence A", 3),
        ("gridwatch-anomalies: Meters with open ones A", len(METERS)),
        ("gridwatch-home: Devices heard A", len(home_data.DEVICES) - 1),
        ("gridwatch-home: Silent devices A", 1),
        ("gridwatch-home: Messages refused A", 3),
    ],
)
def test_numbers_are_right(ask: Ask, title: str, expected: float) -> None:
    assert ask(_sql(title), whole_view()) == [(expected,)]


def test_rates_are_the_same_whatever_they_are_gathered_by(ask: Ask) -> None:
    sql = _sql("gridwatch-overview: Readings per minute A")
    for interval in ("5m", "1h"):
        view = replace(whole_view(), variables={**whole_view().variables, "interval": interval})
        rates = {rate for _, metric, rate in ask(sql, view)[6:-6] if metric == "received"}
        assert rates == {10.0 * PARTITIONS / 5}


def test_a_region_counts_for_itself(ask: Ask) -> None:
    sql = _sql("gridwatch-overview: By region A")
    by_region = {row[0]: row[1:4] for row in ask(sql, whole_view())}
    assert set(by_region) == {"north", "south'; --", "(none)"}
    assert len({counts[0] for counts in by_region.values()}) == 1
    only = replace(whole_view(), variables={**whole_view().variables, "region": ["north", "(none)"]})
    assert {row[0] for row in ask(sql, only)} == {"north", "(none)"}


def test_the_fleet_is_the_same_by_region_and_by_class(ask: Ask) -> None:
    by_region = {row[0]: row[1:] for row in ask(_sql("gridwatch-fleet: By region A"), whole_view())}
    assert set(by_region) == {"north", "south'; --", "(none)"}
    assert by_region["north"][2:] == (2, 1, 0, 900.0)
    assert by_region["south'; --"][2:] == (0, 0, 3, None)
    by_class = {row[0]: row[1:] for row in ask(_sql("gridwatch-fleet: By customer class A"), whole_view())}
    assert set(by_class) == {"household", "industry", "(none)"}
    for counted in range(2):
        of_regions = sum(row[counted] for row in by_region.values())
        assert of_regions == sum(row[counted] for row in by_class.values()) > 0


def test_outages_that_are_over_are_not_listed(ask: Ask) -> None:
    shown = ask(_sql("gridwatch-fleet: Planned outages, now and to come A"), whole_view())
    assert [(row[0], row[1]) for row in shown] == [("now", "works-1"), ("coming", "works-2")]


def test_what_is_planned_is_not_silent(ask: Ask) -> None:
    silent = {row[0] for row in ask(_sql("gridwatch-fleet: Silent meters A"), whole_view())}
    never = {row[0] for row in ask(_sql("gridwatch-fleet: Meters never heard A"), whole_view())}
    assert never == {METERS[0]}
    assert silent == {meter for number, meter in enumerate(METERS) if number and number % 3 != 1}


def test_a_meter_of_any_name_is_found_by_typing_and_shown(ask: Ask) -> None:
    meters = _sql("gridwatch-meter: variable meter")
    plot = _sql("gridwatch-meter: Consumption A")
    assert {row[0] for row in ask(meters, whole_view())} == set(METERS)
    assert ask(meters, replace(whole_view(), search="O'")) == [("O'Brien",)]
    for meter in METERS:
        shown = ask(plot, replace(whole_view(), variables={**whole_view().variables, "meter": meter}))
        assert len(shown) == len(ask(plot, whole_view())) > 70


def test_missing_intervals_are_regions_on_the_plot(ask: Ask) -> None:
    regions = ask(_sql("gridwatch-meter: annotation Missing intervals"), whole_view())
    assert all(end - start == timedelta(minutes=30) for start, end, *_ in regions)
    assert sum(text.startswith("OPEN: ") for _, _, text, _ in regions) == 1
    gaps = ask(_sql("gridwatch-meter: Gaps A"), whole_view())
    assert len(gaps) == len(regions) + 1  # the one taken back has no region


def test_delays_fall_into_their_bins(ask: Ask) -> None:
    bins = dict(ask(_sql("gridwatch-overview: How late A"), whole_view()))
    assert bins["to 6 h"] == len(METERS)
    assert set(bins) == {"to 1 min", "to 5 min", "to 15 min", "to 6 h"}


def test_silence_of_the_workers_is_not_health(ask_empty: Ask) -> None:
    assert ask_empty(_sql("gridwatch-health: Partitions reporting A"), whole_view()) == [(0,)]
    assert ask_empty(_sql("gridwatch-health: Last report of a worker A"), whole_view()) == [(None,)]


@pytest.mark.parametrize(
    ("title", "column", "lengths"),
    [
        ("gridwatch-meter: Interval now A", 0, {10}),
        ("gridwatch-meter: Interval A", 1, {10}),
        ("gridwatch-meter: Gaps A", 5, {0, 10}),  # one is taken back
        ("gridwatch-meter: Gaps A", 9, {10}),
        ("gridwatch-overview: Longest open gaps A", 3, {10}),
    ],
)
def test_ten_seconds_are_ten_seconds(ask_of_seconds: Ask, title: str, column: int, lengths: set[int]) -> None:
    assert {row[column] for row in ask_of_seconds(_sql(title), whole_view())} == lengths


@pytest.mark.parametrize("title", ["Top 10 meters by gaps", "By region"])
def test_missing_seconds_add_up(ask_of_seconds: Ask, title: str) -> None:
    rows = ask_of_seconds(_sql(f"gridwatch-overview: {title} A"), whole_view())
    missing, seconds = (3, 4) if title.startswith("Top") else (4, 5)
    assert rows
    assert all(row[seconds] == 10 * row[missing] > 0 for row in rows)


# -- the grid


def _choosing(start: datetime | None = None, end: datetime | None = None, **variables: Value) -> View:
    """The whole view, but for what is given."""
    view = whole_view()
    return replace(
        view, start=start or view.start, end=end or view.end, variables={**view.variables, **variables}
    )


def test_the_region_near_its_limit_comes_first_and_what_another_lacks_is_said(ask: Ask) -> None:
    near, unknown = ask(_sql("gridwatch-grid: Load now A"), whole_view())
    assert near[:7] == (NEAR, 95.0, 855.0, 900.0, 45.0, 90.0, "")
    assert unknown[:7] == (
        *(UNKNOWN, None, None, None, None, 50.0),
        "a source partition, readings, a capacity",
    )
    assert near[-1] == unknown[-1] == period().end + grid_data.QUARTER


def test_now_is_the_newest_window_of_the_time_range(ask: Ask) -> None:
    earlier = _choosing(end=period().end - timedelta(minutes=1))
    assert ask(_sql("gridwatch-grid: Highest load A"), earlier) == [(50.0,)]
    assert ask(_sql("gridwatch-grid: Regions from 90 % on A"), earlier) == [(0,)]
    end = period().end.timestamp() * 1000
    assert ask(_sql("gridwatch-grid: Newest window A"), earlier) == [(end,)]


def test_open_incidents_come_first_with_their_meters_and_last_until_the_newest_window(ask: Ask) -> None:
    listed = ask(_sql("gridwatch-grid: Incidents A"), whole_view())
    assert [row[:2] for row in listed] == [
        ("OPEN", "storm"),
        ("OPEN", "feeder"),
        ("OPEN", "transformer"),
        ("CLOSED", "feeder"),
    ]
    assert [row[6] / 60 for row in listed] == [15, 75, 135, 60]
    assert listed[0][7:10] == (grid_data.SILENT, grid_data.SILENT + 5, 90)
    assert listed[0][-1] == ", ".join(METERS[:3])
    assert listed[2][-2].startswith(f"feeder:{NEAR}/F2@")


def test_an_open_incident_is_shown_whatever_the_time_range_a_closed_one_only_in_it(ask: Ask) -> None:
    long_ago = _choosing(start=period().start - timedelta(days=9), end=period().start - timedelta(days=8))
    listed = ask(_sql("gridwatch-grid: Incidents A"), long_ago)
    assert [row[0] for row in listed] == ["OPEN"] * 3
    assert all(row[6] > 0 for row in listed)


def test_windows_are_counted_by_state_and_those_in_doubt_are_named(ask: Ask) -> None:
    [(preliminary, updated, final, incomplete, insufficient)] = ask(
        _sql("gridwatch-grid: Windows by state A"), whole_view()
    )
    assert (preliminary, updated, final, incomplete) == (2, 1, 2 * 192 - 1, 1)
    doubtful = ask(_sql("gridwatch-grid: Incomplete and insufficient windows A"), whole_view())
    assert doubtful[0][:3] == (UNKNOWN, "a source partition, readings, a capacity", 1)
    assert {row[1] for row in doubtful[1:]} == {"readings"}
    assert sum(row[2] for row in doubtful) == insufficient > 2


def test_energy_over_time_adds_up_to_that_of_the_regions(ask: Ask) -> None:
    over_time = ask(_sql("gridwatch-grid: Energy over time A"), whole_view())
    by_region = dict(ask(_sql("gridwatch-grid: Energy by region A"), whole_view()))
    assert set(by_region) == {NEAR, UNKNOWN} == {region for _, region, _ in over_time}
    for region, energy in by_region.items():
        assert sum(value for _, named, value in over_time if named == region) == pytest.approx(energy)


def test_groups_are_of_whole_windows_whatever_grafana_asks_for(ask: Ask) -> None:
    sql = _sql("gridwatch-grid: Energy over time A")
    for interval, minutes in (("10s", 15), ("20m", 30), ("1h", 60)):
        times = sorted({row[0] for row in ask(sql, replace(whole_view(), interval=interval))})
        steps = {after - before for before, after in itertools.pairwise(times)}
        assert steps == {timedelta(minutes=minutes)}


def test_the_meter_with_the_most_energy_of_the_newest_window_comes_first(ask: Ask) -> None:
    top = ask(_sql("gridwatch-grid: Top meters A"), whole_view())
    assert [row[0] for row in top] == list(reversed(METERS))
    of_region = ask(_sql("gridwatch-grid: Top meters A"), _choosing(region=NEAR))
    assert {row[1] for row in of_region} == {NEAR}


def test_the_power_of_a_meter_is_that_of_minutes_in_a_short_range_else_of_quarters(ask: Ask) -> None:
    sql = _sql("gridwatch-grid: Power of the meter A")
    start = period().start
    for end, length in ((start + timedelta(hours=6), "1m"), (start + timedelta(hours=7), "15m")):
        auto, chosen = (ask(sql, _choosing(end=end, window=window)) for window in ("auto", length))
        assert auto == chosen
        assert auto[0][1:] == (1.0, 1.5, 2.0)
    minutes, quarters = (ask(sql, _choosing(window=window)) for window in ("1m", "15m"))
    assert len(minutes) == 4 < len(quarters)  # there are minutes for two hours


# -- anomalies


def _anomalies(title: str) -> str:
    return _sql(f"gridwatch-anomalies: {title}")


def test_open_anomalies_are_counted_and_listed_whatever_the_time_range(ask: Ask) -> None:
    long_ago = _choosing(start=period().start - timedelta(days=9), end=period().start - timedelta(days=8))
    for view in (whole_view(), long_ago):
        # The last of 16 of each meter: number 15, so of the highest severity.
        assert ask(_anomalies("Open by severity A"), view) == [(len(METERS), 0, 0, 0)]
        listed = ask(_anomalies("Open anomalies A"), view)
        assert {row[3] for row in listed} == set(METERS)
        assert [row[1] for row in listed] == ["high"] * 3 + ["low"] * 6
        assert all(row[5] == period().end - anomaly_data.EVERY for row in listed)
    begun = (period().end - anomaly_data.EVERY).timestamp() * 1000
    assert ask(_anomalies("Oldest open one A"), long_ago) == [(begun,)]


def test_what_was_taken_back_counts_as_that_alone(ask: Ask) -> None:
    everything = 16 * len(METERS)
    [(begun, high, still_open, taken_back)] = ask(_anomalies("Begun in the time range A"), whole_view())
    assert (begun + taken_back, still_open, taken_back) == (everything, len(METERS), 3 * len(METERS))
    over_time = ask(_anomalies("Anomalies by kind over time A"), whole_view())
    assert sum(count for _, _, count in over_time) == begun
    assert {kind for _, kind, _ in over_time} == set(anomaly_data.KINDS)
    for table in ("By kind A", "By region A"):
        counted = ask(_anomalies(table), whole_view())
        assert [sum(row[column] for row in counted) for column in (1, 2, 3, 5)] == [
            *(begun, high, still_open, taken_back)
        ]
        assert {row[4] for row in counted if row[4] is not None} == {3600}
    assert {row[0] for row in ask(_anomalies("By region A"), whole_view())} == {
        "north",
        "south'; --",
        "(none)",
    }
    newest = ask(_anomalies("Newest anomalies A"), whole_view())
    assert len(newest) == 100
    assert "RETRACTED" not in {row[10] for row in newest}
    assert newest == sorted(newest, key=lambda row: row[0], reverse=True)


def test_kind_confidence_and_region_choose_anomalies(ask: Ask) -> None:
    [(begun, high, *_)] = ask(_anomalies("Begun in the time range A"), _choosing(confidence="high"))
    assert begun == high > 0
    of_kinds = ask(_anomalies("By kind A"), _choosing(kind=["SPIKE", "DROP"]))
    assert {row[0] for row in of_kinds} == {"SPIKE", "DROP"}
    of_region = ask(_anomalies("Newest anomalies A"), _choosing(region=["(none)"]))
    assert {row[3] for row in of_region} == {None}


def test_top_meters_are_those_with_the_most_anomalies_of_high_confidence(ask: Ask) -> None:
    top = ask(_anomalies("Top meters A"), whole_view())
    assert top == ask(_anomalies("Top meters A"), _choosing(confidence="low"))
    assert {row[0] for row in top} == set(METERS)
    counts = [row[2:4] for row in top]
    assert counts == sorted(counts, reverse=True)
    assert {row[3] for row in top} == {13}
    assert sum(row[2] for row in top) == ask(_anomalies("Begun in the time range A"), whole_view())[0][1]


def test_the_power_of_a_meter_has_its_anomalies_beside_it(ask: Ask) -> None:
    powers = ask(_anomalies("Power and anomalies of the meter A"), replace(whole_view(), interval="15m"))
    assert len(powers) > 90
    points = ask(_anomalies("Power and anomalies of the meter B"), whole_view())
    assert {row[1] for row in points} == {9.0}
    assert {row[2] for row in points} == {1.5, None}
    stretches = ask(_anomalies("annotation Anomalies of the meter"), whole_view())
    assert [end - start for start, end, *_ in stretches[:-1]] == [timedelta(hours=1)] * 12
    assert stretches[-1][1] == period().now  # it is open
    assert stretches[0][2] == "SPIKE, low, confidence low"
    assert len(ask(_anomalies("All of the meter A"), whole_view())) == len(stretches)


def test_an_anomaly_is_on_the_strip_of_its_kind_for_as_long_as_it_lasts(ask: Ask) -> None:
    sql = _anomalies("Anomalies of the meter by kind A")
    edges = ask(sql, whole_view())
    of_spikes = [(time - period().start, value) for time, kind, value in edges if kind == "SPIKE"]
    # The 10th is a spike, too, and taken back.
    assert of_spikes == [(timedelta(0), 1), (timedelta(hours=1), 0)]
    within = _choosing(start=period().start + timedelta(minutes=30))
    [first, *_] = ask(sql, within)
    assert first == (within.start, "SPIKE", 1)
    assert all(time >= within.start for time, *_ in ask(sql, within))
    [*_, last] = edges
    assert last == (period().end - anomaly_data.EVERY, anomaly_data.KINDS[15 % 9], 4)


# -- a home


def _home(title: str) -> str:
    return _sql(f"gridwatch-home: {title}")


def _of_home(topic: Topic, device: str) -> list[tuple[datetime, Any]]:
    records = home_data.records(period().start, period().now)[topic.name]
    return [(datetime.fromisoformat(one.timestamp), one) for one in records if one.device_id == device]


def _used(device: str) -> list[tuple[datetime, float]]:
    """What the register of a device rose by, and when."""
    registers = [(at, one.total_energy_kwh) for at, one in _of_home(HOMELAB_ENERGY, device)]
    rises = [(at, after - before) for (_, before), (at, after) in itertools.pairwise(registers)]
    return [(at, rise) for at, rise in rises if rise > 0]


def test_power_now_is_that_of_the_devices_that_are_heard(ask: Ask) -> None:
    [(at, newest)] = _of_home(HOMELAB_ENERGY, home_data.METER)[-1:]
    assert ask(_home("Power now A"), whole_view()) == [(newest.power_kw + 1.0,)]  # the plug's
    by_device = ask(_home("Power now by device A"), whole_view())
    assert {(row[0], row[1]) for row in by_device} == {
        (home_data.METER, newest.power_kw),
        (home_data.PLUG, 1.0),
    }
    assert {row[-1] for row in by_device} == {at}
    before = _choosing(end=period().now - home_data.SILENT_FOR)
    assert home_data.SILENT in {row[0] for row in ask(_home("Power now by device A"), before)}


def test_energy_is_what_registers_rose_by_also_where_one_began_again(ask: Ask) -> None:
    expected: dict[str, dict[datetime, float]] = {}
    for device in (home_data.METER, home_data.PLUG):
        for at, rise in _used(device):
            hour = (at - timedelta(microseconds=1)).replace(minute=0, second=0, microsecond=0)
            by_hour = expected.setdefault(device, {})
            by_hour[hour] = by_hour.get(hour, 0) + rise
    found: dict[str, dict[datetime, float]] = {}
    for hour, device, energy in ask(_home("Energy per hour A"), whole_view()):
        found.setdefault(device, {})[hour] = energy
    assert found == expected
    total = sum(sum(by_hour.values()) for by_hour in expected.values())
    assert ask(_home("Energy in the time range A"), whole_view()) == [(total,)]
    assert all(energy > 0 for _, _, energy in ask(_home("Energy per day A"), whole_view()))
    meter = _choosing(device=home_data.METER)
    assert {row[1] for row in ask(_home("Energy per hour A"), meter)} == {home_data.METER}
    assert ask(_home("Energy in the time range A"), meter) == [(sum(expected[home_data.METER].values()),)]
    exported = [one.exported_energy_kwh for _, one in _of_home(HOMELAB_ENERGY, home_data.METER)]
    assert ask(_home("Fed in in the time range A"), whole_view()) == [(exported[-1] - exported[0],)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_a_day_of_energy_is_one_of_the_readers_zone(ask: Ask, zone: str) -> None:
    expected: dict[datetime, float] = {}
    for at, rise in _used(home_data.METER):
        local = (at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        expected[day] = expected.get(day, 0) + rise
    view = replace(_choosing(device=home_data.METER), zone=zone)
    assert {at: energy for at, _, energy in ask(_home("Energy per day A"), view)} == expected


def test_the_state_of_a_heat_pump_is_told_where_it_changes(ask: Ask) -> None:
    states = ask(_home("State of the heat pump A"), whole_view())
    assert [state for *_, state in states[:4]] == ["heating", "off", "hot water", "heating"]
    assert {device for _, device, _ in states} == {home_data.PUMP}
    assert [at - period().start for at, *_ in states[:3]] == [timedelta(hours=2 * n) for n in range(3)]
    [(device, electricity, heat, cop)] = ask(_home("Heat pumps in the time range A"), whole_view())
    assert (device, heat, cop) == (home_data.PUMP, electricity * 4, 4)
    lines = {name for _, name, _ in ask(_home("Flow, return and outdoor temperature A"), whole_view())}
    assert lines == {f"{home_data.PUMP} {name}" for name in ("flow", "return", "outdoor")}


def test_the_silent_device_and_the_low_battery_are_named(ask: Ask) -> None:
    [(device, kind, newest, seconds)] = ask(_home("Silent for more than an hour A"), whole_view())
    assert (device, kind) == (home_data.SILENT, "energy")
    assert newest == _of_home(HOMELAB_ENERGY, home_data.SILENT)[-1][0]
    assert float(seconds) == pytest.approx((datetime.now(UTC) - newest).total_seconds(), abs=5)
    batteries = ask(_home("Batteries that are low A"), whole_view())
    assert [row[:2] for row in batteries] == [(home_data.ATTIC, 10.0)]
    then = _choosing(end=period().start + timedelta(hours=1))
    assert ask(_home("Batteries that are low A"), then) == []


def test_every_device_of_a_home_is_offered_once_and_its_messages_are_counted(ask: Ask) -> None:
    offered = [device for (device,) in ask(_home("variable device"), whole_view())]
    assert offered == sorted(home_data.DEVICES)
    counted: dict[str, int] = {}
    for _, device, messages in ask(_home("Messages per device and hour A"), whole_view()):
        counted[device] = counted.get(device, 0) + messages
    records = home_data.records(period().start, period().now)
    measured = [one for name in records if name != HOMELAB_DEAD_LETTERS.name for one in records[name]]
    assert counted == Counter(one.device_id for one in measured)
    reasons = ask(_home("Refused messages by reason A"), whole_view())
    assert reasons == [("NOT_JSON", 2), ("BAD_TIMESTAMP", 1), ("NOT_A_NUMBER", 1)]
    assert len(ask(_home("Newest refused messages A"), whole_view())) == 3
