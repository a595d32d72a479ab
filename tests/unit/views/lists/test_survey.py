"""A survey finds exactly what a look at everything would, a slice at a time and within bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter.gaps import CLOSED, FILLED, OPEN, PARTIAL
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import recent_of
from gridwatch.http.reply import Problem
from gridwatch.tables.meter_rows import METER
from gridwatch.views.lists import survey
from gridwatch.views.lists.rankings import GapOrder, MeterOrder, head_of
from gridwatch.views.lists.survey import Question, Survey, Surveys
from tests.unit.views.test_state import GRACE, TEN, gap, meter, store

GAPS = GapOrder(("open", "ended"), GRACE)


def test_the_head_of_a_row_is_what_the_state_holds() -> None:
    one = meter(gap(1, 2), gap(5, 1, CLOSED), late_count=7, last_seen=TEN + 5, last_slot=TEN + 3)
    one.recent = recent_of([(TEN, 1.5)])
    head = head_of(METER.encode(one))
    assert (head.last_seen, head.last_slot, head.interval) == (one.last_seen, one.last_slot, one.interval)
    assert (head.gap_count, head.late_count) == (2, 7)
    assert head_of(METER.encode(meter())).gaps == []


COUNTS = st.integers(0, 3)
IDS = st.text("aé0", min_size=1, max_size=3)


@given(st.dictionaries(IDS, COUNTS, max_size=25), st.sampled_from(["asc", "desc"]), st.integers(1, 4))
def test_pages_of_every_order_have_every_meter_once_in_order(
    counts: dict[str, int], order: str, limit: int
) -> None:
    here, _ = store({0: {name: meter(late_count=count) for name, count in counts.items()}})
    by_count = MeterOrder("late_count", order)
    seen: list[str] = []
    after = None
    while True:
        page = Survey(Question(by_count, "", after, limit))
        assert page.scan(here, 0, b"", 60.0) is None
        records = page.records()
        seen += [one["meter_id"] for one in records]
        if len(records) < limit:
            break
        after = by_count.read_cursor(by_count.cursor(records[-1]))
    sign = 1 if order == "asc" else -1
    assert seen == sorted(counts, key=lambda name: (sign * counts[name], name.encode()))


def test_a_survey_goes_on_where_it_stopped_and_keeps_no_more_than_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(survey, "_CLOCK_ROWS", 1)
    kinds = [
        (),
        (gap(1, 1),),
        (gap(1, 1, CLOSED), gap(4, 2, PARTIAL), gap(9, 1)),
        (gap(2, 1, FILLED, missing=()),),
    ]
    here, _ = store({5: {f"M{number:03}": meter(*kinds[number % 4]) for number in range(400)}})
    found = Survey(Question(GAPS, "", None, 10))
    start: bytes | None = b""
    steps = 0
    while start is not None:
        start = found.scan(here, 5, start, 0.0)
        steps += 1
    assert steps > 400
    assert found.scanned == 400
    assert [one["state"] for one in found.records()] == [OPEN] * 10
    everything = Survey(Question(GAPS, "", None, 1000))
    everything.scan(here, 5, b"", 60.0)
    gaps = [(one["state"], one["gap_minutes"]) for one in everything.records()]
    assert gaps == [(OPEN, 30)] * 200 + [(PARTIAL, 60)] * 100 + [(CLOSED, 30)] * 100 + [(FILLED, 0)] * 100
    assert found.records() == everything.records()[:10]


def surveys(meters: dict[int, dict[str, MeterState]], mine: Callable[[], list[int]]) -> Surveys:
    here, _ = store(meters)
    return Surveys(lambda: here, mine, lambda: False)


def test_requests_for_one_list_share_a_survey_and_a_finished_one_is_served_for_a_while() -> None:
    async def ask() -> None:
        asked = surveys({0: {"A": meter()}}, lambda: [0])
        question = Question(MeterOrder("late_count", "desc"), "", None, 5)
        first, second = await asyncio.gather(asked.answer(question), asked.answer(question))
        assert first is second
        assert first.complete
        assert await asked.answer(question) is first

    asyncio.run(ask())


def test_a_survey_that_takes_too_long_is_shown_as_far_as_it_came_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(survey, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(survey, "_CLOCK_ROWS", 1)
    monkeypatch.setattr(survey, "SLICE_SECONDS", 0.0)

    async def ask() -> list[Any]:
        asked = surveys({0: {f"M{number}": meter() for number in range(9)}}, lambda: [0])
        seen = []
        for _ in range(40):
            answer = await asked.answer(Question(GAPS, "", None, 5))
            seen.append((answer.scanned, answer.complete))
        return seen

    seen = asyncio.run(ask())
    assert not seen[0][1]
    assert seen[-1] == (9, True)
    assert sorted(seen) == seen


def test_a_partition_that_goes_away_meanwhile_ends_the_survey_with_the_reason() -> None:
    looks = iter([[0]])

    async def ask() -> None:
        asked = surveys({0: {"A": meter()}}, lambda: next(looks, []))
        with pytest.raises(Problem, match="partition 0 is moving between workers"):
            await asked.answer(Question(GAPS, "", None, 5))

    asyncio.run(ask())
