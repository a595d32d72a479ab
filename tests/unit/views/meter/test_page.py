"""A meter's page: its state row, its last readings from state and log, and a plot that hides nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.gaps import CLOSED, PARTIAL, Gap
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.terms import Terms
from gridwatch.domain.meter.timeliness import recent_of
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.registry.entry import Entry
from gridwatch.http.reply import Answer, Problem, Reply
from gridwatch.models.late_event import LateEvent
from gridwatch.models.validated import Validated
from gridwatch.topics import LATE_EVENTS, VALIDATED
from gridwatch.views.log_tail import Record
from gridwatch.views.meter.history import Histories, History
from gridwatch.views.meter.page import MeterPage
from gridwatch.views.meter.plot import meter_plot, picture
from gridwatch.views.rendering import render
from tests.unit.views.fakes import OTHER, SETTINGS, Log, Watch, pipeline, request
from tests.unit.views.registry.kinds import named, outage, registered, unheard
from tests.unit.views.test_state import GRACE, HALF_HOUR, TEN, gap, meter

SLACK = 10_000_000


def validated(slot: int, offset: int, kwh: float = 1.0, status: str = "OK", meter_id: str = "M") -> Record:
    stamp = format_instant(TEN + slot * HALF_HOUR)
    said = Validated(
        f"0-{offset}-0", meter_id, stamp, kwh, 30, cast(Any, status), 0.0, [], stamp, 0, offset, 0
    )
    return Record(0, offset, 0, meter_id.encode(), msgspec.json.encode(said))


def too_late(slot: int, offset: int) -> Record:
    stamp = format_instant(TEN + slot * HALF_HOUR)
    said = LateEvent(f"0-{offset}-0", "M", stamp, 9.0, 7200.0, stamp, 3600.0, [], 0, offset, 0)
    return Record(0, offset, 0, b"M", msgspec.json.encode(said))


def history(*records: Record, late: tuple[Record, ...] = ()) -> History:
    log = Log(**{VALIDATED.name: {0: list(records)}, LATE_EVENTS.name: {0: list(late)}})
    return asyncio.run(Histories(cast(Any, log), SLACK).of("M", 0))


def shown(one: MeterState, known: History, watermark: int) -> tuple[list[dict[str, Any]], str]:
    seen = picture(one, known, GRACE, watermark)
    return list(seen.readings), meter_plot("M<1>", one, seen, grace=GRACE, watermark=watermark)


def test_the_history_says_which_readings_were_late_and_which_too_late() -> None:
    known = history(
        validated(0, 0),
        validated(1, 1, meter_id="N"),
        validated(1, 2, status="LATE"),
        validated(0, 3, kwh=2.0),
        Record(0, 4, 0, b"M", b"{}"),
        late=(too_late(3, 0),),
    )
    assert [(one["consumption_kwh"], one["status"]) for one in known.readings] == [
        (2.0, "OK"),
        (1.0, "LATE"),
        (9.0, "TOO_LATE"),
    ]
    assert known.complete_from == 0


def test_before_the_first_record_looked_at_readings_may_be_missing() -> None:
    assert history(validated(4, 77)).complete_from == TEN + 4 * HALF_HOUR + SLACK
    assert history().complete_from is None


def test_one_read_of_the_log_serves_all_requests_for_a_while() -> None:
    log = Log()
    histories = Histories(cast(Any, log), SLACK)

    async def look() -> None:
        for _ in range(3):
            await histories.of("M", 0)

    asyncio.run(look())
    assert log.looks == 2  # one a topic


def test_without_brokers_the_page_says_so_and_shows_what_the_state_remembers() -> None:
    class Away:
        async def read(self, *asked: Any) -> None:
            raise Problem(503, "smartmeter_validated cannot be read: away")

    known = asyncio.run(Histories(cast(Any, Away()), SLACK).of("M", 0))
    assert known.problem == "smartmeter_validated cannot be read: away"
    one = meter()
    one.recent = recent_of([(TEN, 1.5)])
    readings, svg = shown(one, known, TEN)
    assert [(reading["consumption_kwh"], reading["status"]) for reading in readings] == [(1.5, None)]
    assert svg.count('class="bar reading"') == 1


def test_the_plot_has_each_reading_by_its_kind_and_each_missing_stretch() -> None:
    one = meter(gap(2, 2, CLOSED), gap(6, 1), last_seen=TEN + 5 * HALF_HOUR, last_slot=TEN + 5 * HALF_HOUR)
    one.recent = recent_of([(TEN + 4 * HALF_HOUR, 1.5), (TEN + 5 * HALF_HOUR, 0.5)])
    known = history(validated(0, 5), validated(1, 6, status="LATE"), late=(too_late(2, 0),))
    readings, svg = shown(one, known, TEN + 7 * HALF_HOUR)
    assert [reading["status"] for reading in readings] == ["OK", "LATE", "TOO_LATE", None, None]
    for kind, count in (("bar reading", 3), ("bar late", 1), ("bar too-late", 1), ("sign late", 1)):
        assert svg.count(f'class="{kind}"') == count, kind
    assert svg.count('class="region missing"') == 1
    assert svg.count('class="region open"') == 1
    assert "OPEN gap: 1 reading missing from 2024-01-01 13:00" in svg
    assert "M&lt;1&gt;" in svg


def test_the_plot_of_a_silent_meter_says_that_readings_are_not_kept() -> None:
    _, svg = shown(meter(gap(1, 48)), History(), TEN + 50 * HALF_HOUR)
    assert 'class="bar' not in svg
    assert 'class="region unknown"' in svg
    assert 'class="region open"' in svg


def test_the_plot_shows_what_came_after_all_apart_from_what_is_missing() -> None:
    slot = TEN + HALF_HOUR
    one = meter(gap(1, 3, PARTIAL, missing=(slot + HALF_HOUR, slot + 2 * HALF_HOUR)))
    _, svg = shown(one, History(), TEN + 10 * HALF_HOUR)
    assert svg.count('class="region filled"') == 2
    assert svg.count('class="region missing"') == 1


SECOND = 1_000_000


def brief(interval: int, *gaps: Gap) -> MeterState:
    """A meter of seconds, whose last hour of readings the log has."""
    one = meter(*gaps, interval=interval, last_seen=TEN, last_slot=TEN)
    one.cursor = TEN + interval
    return one


def every(interval: int, count: int) -> History:
    stamps = [format_instant(TEN - n * interval) for n in reversed(range(count))]
    known: dict[str, Any] = {"consumption_kwh": 1.0, "status": "OK", "delay_seconds": 0.0, "flags": []}
    return History([known | {"timestamp": stamp} for stamp in stamps], 0)


def test_a_gap_of_seconds_is_wide_enough_to_be_seen() -> None:
    first = TEN - 300 * SECOND
    one = brief(10 * SECOND, Gap(first, first + 10 * SECOND, 10 * SECOND, TEN, state=CLOSED))
    seen = picture(one, every(10 * SECOND, 3000), GRACE, TEN)
    assert 45 * 60 * SECOND < seen.end - seen.start <= 61 * 60 * SECOND
    svg = meter_plot("M", one, seen, grace=GRACE, watermark=TEN)
    assert "CLOSED gap: 2 readings missing from 2024-01-01 09:55" in svg
    [width] = re.findall(r'class="region missing"[^>]* width="([0-9.]+)"', svg)
    assert float(width) > 3


def test_a_meter_of_seconds_is_shown_after_the_end_of_its_run() -> None:
    settled = TEN + 15 * 60 * SECOND
    seen = picture(brief(SECOND), every(SECOND, 3000), GRACE, settled)
    assert len(seen.readings) > 100
    assert seen.end < settled


def page(meters: Mapping[int, Mapping[str, Any]]) -> tuple[MeterPage, Watch]:
    watch = Watch({})
    return MeterPage(SETTINGS, pipeline(meters), cast(Any, watch), cast(Any, Log())), watch


def test_a_meter_here_is_shown_whole() -> None:
    meter_id = next(name for name in map(str, range(100)) if partition_of(name, 4) == 1)
    here, _ = page({1: {meter_id: meter(gap(1, 2))}})
    reply = cast(Reply, asyncio.run(here.page(request(), meter_id)))
    assert reply.data["meter_id"] == meter_id
    assert [one["state"] for one in reply.data["gaps"]] == ["OPEN"]


def registered_page(states: dict[str, Any]) -> Reply:
    meter_id = next(name for name in map(str, range(100)) if partition_of(name, 4) == 1)
    here, _ = page({0: {}, 1: {name.replace("?", meter_id): one for name, one in states.items()}})
    reply = cast(Reply, asyncio.run(here.page(request(), meter_id)))
    render(reply.template, **reply.data, **reply.shown, here="/meters/", own_url="http://me:1")
    return reply


def test_a_meter_that_was_never_heard_has_a_page_with_its_gap() -> None:
    data = registered_page(named({"?": unheard()})).data
    assert (data["last_seen"], data["region"], data["open_gaps"]) == (None, "R01", 1)
    [gap] = data["gaps"]
    assert (gap["never_heard"], gap["missing_intervals"], gap["state"]) == (True, 48, "OPEN")
    assert data["registry"]["awaited_since"] == "2024-01-01T10:00:00Z"


def test_a_registered_meter_without_a_state_is_there_whatever_its_status() -> None:
    for one in (registered(), registered(heard=True), registered((TEN, Entry("planned")))):
        data = registered_page(named({"?": one})).data
        assert (data["gaps"], data["registry"]["status"]) == ([], one.entries[0][1].status)


def test_a_meter_says_what_the_registry_says_and_which_outages_cover_it() -> None:
    entry = Entry("suspended", HALF_HOUR, grace=HALF_HOUR, region="R01")
    outages = {"works": outage(TEN, TEN + HALF_HOUR), "other": outage(TEN, TEN + HALF_HOUR, target="R02")}
    one = meter(gap(1, 2))
    one.terms = Terms(grace=HALF_HOUR)
    data = registered_page({**named({"?": registered((TEN, entry))}, outages), "?": one}).data
    assert data["registry"]["status"] == "suspended"
    assert [found["outage_id"] for found in data["outages"]] == ["works"]
    # As its alert has it: the grace is the registry's.
    assert data["gaps"][0]["missing_to"] == format_instant(TEN + 3 * HALF_HOUR)


def test_a_meter_elsewhere_is_asked_for_with_the_very_path_that_came() -> None:
    meter_id = next(name for name in map(str, range(100)) if partition_of(name, 4) == 2)
    here, watch = page({0: {}, 1: {}})
    path = f"/meters/{meter_id}%2F/?format=json"
    answer = asyncio.run(here.page(request("format=json", path), meter_id))
    assert isinstance(answer, Answer)
    assert watch.cluster.asked == [OTHER + path]


def test_a_meter_of_nobody_is_503_and_an_unknown_one_404() -> None:
    here, _ = page({0: {}, 1: {}})
    for partition, status in ((3, 503), (0, 404)):
        meter_id = next(name for name in map(str, range(100)) if partition_of(name, 4) == partition)
        with pytest.raises(Problem) as problem:
            asyncio.run(here.page(request(), meter_id))
        assert problem.value.status == status
