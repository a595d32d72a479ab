"""What holds for any log, however it is cut."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.gaps import OPEN
from gridwatch.domain.outputs import DeadLetter, GapAlert, LateEvent, Metric, Validated
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from tests.unit.domain.log import LATER, Log, at

POLICY = Policy(
    partitions=1,
    default_interval=30 * MINUTE,
    grace=15 * MINUTE,
    allowed_lateness=HOUR,
    state_ttl=8 * HOUR,
    gap_memory=6 * HOUR,
    max_watermark_jump=6 * HOUR,
    metrics_window=20 * MINUTE,
    max_held=3,
    max_remembered_gaps=3,
)
START = at("2024-01-01T00:00:00")

minutes = st.one_of(
    st.integers(0, 48).map(lambda slot: 30 * slot),
    st.integers(0, 48).map(lambda slot: 20 * slot),
    st.integers(0, 24).map(lambda slot: 60 * slot + 12),
    st.integers(0, 1500),
    st.integers(0, 4000),
)


@st.composite
def a_reading(draw: st.DrawFn, plain: bool = False) -> Any:
    time = START + draw(minutes) * MINUTE + draw(st.sampled_from([0, 0, 0, 7 * SECOND, -40 * SECOND]))
    value = {
        "meter_id": draw(st.sampled_from("ABC")),
        "timestamp": format_instant(time),
        "consumption_kwh": draw(st.sampled_from([0, 1, 1.5, 2.25])),
    }
    if not plain and draw(st.integers(0, 9)) == 0:
        value["interval_minutes"] = draw(st.sampled_from([15, 30, 60, 0.5]))
    if not plain and draw(st.integers(0, 9)) == 0:
        value["region"] = draw(st.sampled_from(["north", "south"]))
    return value


garbage = st.sampled_from([None, 7, {}, {"meter_id": "A"}, {"meter_id": "", "timestamp": "x"}])


@st.composite
def a_run(draw: st.DrawFn) -> list[Any]:
    """Readings of a meter one after the other, as meters send them, while others report and time goes on.

    Some are lost, late, sent twice, revised, off by seconds; some runs give their interval.
    """
    meter, step = draw(st.sampled_from("ABC")), draw(st.sampled_from([10, 15, 30, 30, 60]))
    first = draw(st.integers(0, 20)) * 30 + draw(st.sampled_from([0, 0, 12]))
    gives = draw(st.sampled_from([None, None, None, step, 30]))
    sent: list[Any] = []
    fates = st.lists(st.integers(0, 13), min_size=3, max_size=16)
    steady = st.lists(st.sampled_from([13, 13, 13, 13, 13, 13, 13, 13, 0, 2, 4]), min_size=7, max_size=16)
    for fate in draw(fates | steady):
        first += step
        time = START + first * MINUTE + (20 * SECOND if fate == 1 else 0)
        value = {"meter_id": meter, "timestamp": format_instant(time), "consumption_kwh": 1}
        if gives is not None:
            value["interval_minutes"] = gives
        if fate != 0:
            sent.append(value)
        if fate == 2:
            sent.append({**value, "consumption_kwh": draw(st.sampled_from([1, 2]))})
        if fate == 3 and len(sent) > 1:
            sent[-2:] = [sent[-1], sent[-2]]
        if fate in {4, 5}:
            sent.append(first + draw(st.sampled_from([5, 20, 50, 90])))
        if fate == 6 and len(sent) > 2 and not isinstance(sent[-3], int):
            sent.append(sent.pop(-3))
        if fate == 7:
            sent.append({**value, "timestamp": format_instant(time + 3 * MINUTE)})
    return sent


@st.composite
def a_log(draw: st.DrawFn) -> list[LogRecord]:
    pieces = draw(
        st.lists(
            st.one_of(
                a_run(),
                a_run(),
                a_reading().map(lambda one: [one]),
                st.lists(a_reading() | garbage, max_size=4).map(lambda many: [many]),
                minutes.map(lambda tick: [tick]),
                garbage.map(lambda one: [one]),
            ),
            max_size=8,
        )
    )
    records = []
    for offset, item in enumerate(item for piece in pieces for item in piece):
        tick = isinstance(item, int) and item != 7
        value = format_instant(START + item * MINUTE) if tick else json.dumps(item)
        when = draw(st.sampled_from([LATER, LATER, LATER, START + 12 * HOUR]))
        records.append(LogRecord(offset, when, value.encode(), tick))
    return records


def states(log: Log) -> tuple[Any, ...]:
    meters = {meter: METER.encode(state) for meter, state in log.meters.items()}
    return METERS.encode_partition(log.partition, 1), meters


@settings(max_examples=150, deadline=None)
@given(a_log(), st.data())
def test_any_cut_any_budget_and_any_restart_give_the_same(
    records: list[LogRecord], data: st.DataObject
) -> None:
    whole = Log(POLICY)
    whole.work(records)
    cut = Log(POLICY)
    begin = 0
    while begin < len(records):
        end = data.draw(st.integers(begin + 1, len(records)))
        budget = data.draw(st.sampled_from([0, 1, 200, 1000]))
        batch = records[max(begin - data.draw(st.integers(0, 3)), 0) : end]  # some are delivered again
        complete = False
        while not complete:
            outcome = cut.processor.process(batch, budget=budget)
            complete = outcome.complete
            cut.outputs += outcome.outputs
            for meter, state in outcome.changed.items():
                if state is None:
                    cut.meters.pop(meter, None)
                else:
                    cut.meters[meter] = state
            if data.draw(st.booleans()):
                cut.restart()
        begin = end
    assert cut.outputs == whole.outputs
    assert states(cut) == states(whole)


@settings(max_examples=150, deadline=None)
@given(a_log())
def test_a_clean_reading_takes_the_short_way_and_comes_out_the_same(records: list[LogRecord]) -> None:
    short, careful = Log(POLICY), Log(POLICY, decode=None)
    short.work(records)
    careful.work(records)
    assert short.outputs == careful.outputs
    assert states(short) == states(careful)


@settings(max_examples=100, deadline=None)
@given(a_log())
def test_what_holds_after_every_record(records: list[LogRecord]) -> None:
    log = Log(POLICY)
    watermark = None
    for record in records:
        came = log.work([record])
        now = log.partition.watermark
        assert watermark is None or (now is not None and now >= watermark), "the watermark never falls"
        watermark = now
        revised = [alert.gap_id for alert in came if isinstance(alert, GapAlert)]
        single = not (record.value or b"").startswith(b"[")
        assert not single or len(revised) == len(set(revised)), "one revision per gap per step"
        assert log.partition.meters == len(log.meters)
        assert log.partition.open_gaps == sum(state.open_gap is not None for state in log.meters.values())
        assert len(log.partition.held) <= POLICY.max_held
        for state in log.meters.values():
            assert now is not None and state.due > now, "nothing due is left"
            due = state.due
            state.refresh(POLICY)
            assert state.due == due
            assert len(state.gaps) <= POLICY.max_remembered_gaps + 1
            assert all(gap.state != OPEN for gap in state.gaps[:-1])
            assert all(one.last < other.first for one, other in zip(state.gaps, state.gaps[1:], strict=False))
            gap = state.open_gap
            pending = [grid for grid in state.older if grid.pending] or [state]
            assert gap is None or gap.end == pending[0].cursor, "an open gap goes on at the cursor"
    for gap_id, last in log.gaps.items():
        alerts = [alert for alert in log.of(GapAlert) if alert.gap_id == gap_id]
        assert [alert.revision for alert in alerts if alert.revision <= last.revision][-1] == last.revision
        for alert in alerts:
            assert alert.missing_intervals * alert.interval == sum(b - a for a, b in alert.missing_ranges)


@settings(max_examples=100, deadline=None)
@given(a_log())
def test_every_reading_is_counted_once(records: list[LogRecord]) -> None:
    log = Log(POLICY)
    log.work(records)
    if log.partition.watermark is None:
        return
    end = format_instant(log.partition.watermark + 3 * DAY)
    log.tick(end)
    elements = sum(
        len(content) or 1 if isinstance(content := json.loads(record.value or b"0"), list) else 1
        for record in records
        if record.control is None
    )

    def total(name: str) -> float:
        return sum(value for (metric, _), value in log.metrics.items() if metric == name)

    ticks = {record.offset for record in records if record.control is not None}
    invalid = [letter for letter in log.of(DeadLetter) if letter.offset not in ticks]
    assert total("readings_received") == elements
    assert total("readings_validated") == len(log.of(Validated))
    assert total("readings_too_late") == len(log.of(LateEvent))
    assert total("readings_invalid") == len(invalid)
    assert total("readings_late") == sum(one.status == "LATE" for one in log.of(Validated))
    assert (
        len(log.of(Validated)) + len(log.of(LateEvent)) + len(invalid) + total("readings_duplicate")
        == elements
    )
    assert all(metric.value >= 0 for metric in log.of(Metric))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 40)), min_size=1, max_size=60))
def test_expected_is_received_and_missing(sent: list[tuple[str, int]]) -> None:
    """Meters that give their interval: each slot up to the watermark was read or is missing."""
    policy = Policy(partitions=1, gap_memory=30 * DAY, max_watermark_jump=30 * DAY, max_remembered_gaps=99)
    log = Log(policy)
    for meter, slot in sent:
        stamp = format_instant(START + slot * 30 * MINUTE)
        log.read({"meter_id": meter, "timestamp": stamp, "consumption_kwh": 1, "interval_minutes": 30})
    log.tick(format_instant(START + 2 * DAY))
    for meter, state in log.meters.items():
        first = next(one.time for one in log.of(Validated) if one.reading.meter_id == meter)
        came = {
            one.time
            for one in log.outputs
            if isinstance(one, (Validated, LateEvent)) and one.reading.meter_id == meter and one.time >= first
        }
        missing = sum(alert.missing_intervals for alert in log.gaps.values() if alert.meter_id == meter)
        before_gap = {time for time in came if _came_before_missing(log, meter, time)}
        assert (state.cursor - first) // (30 * MINUTE) == len(before_gap) + missing


def _came_before_missing(log: Log, meter: str, time: int) -> bool:
    """Whether the slot of ``time`` is not missing in the last revision of its gap."""
    return not any(
        start <= time < stop
        for alert in log.gaps.values()
        if alert.meter_id == meter
        for start, stop in alert.missing_ranges
    )


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.none(), st.booleans())
def test_no_bytes_stop_the_worker(value: bytes | None, tick: bool) -> None:
    log = Log()
    log.work([LogRecord(0, LATER, value, tick)])
    count = 1 if tick else _element_count(value)
    assert [type(output) for output in log.outputs] == [DeadLetter] * count
    assert log.meters == {}
    assert log.partition.watermark is None


def _element_count(value: bytes | None) -> int:
    """How many dead letters a record without a valid reading gives: one an element of an array."""
    try:
        content = json.loads(value or b"")
    except (ValueError, RecursionError):
        return 1
    return len(content) if isinstance(content, list) and content else 1
