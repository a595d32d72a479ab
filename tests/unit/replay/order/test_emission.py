"""The order of sending, and what ticks may say."""

from __future__ import annotations

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import Policy
from replay.faults import FaultPlan
from replay.order.emission import Item, Kind, final_after
from tests.unit.replay.rig import DAY, HOUR, MINUTE, SECOND, at, every, row, sequence

LATE = FaultPlan(3, 0.5, 300 * SECOND, 0.2)


def ticks(items: list[Item]) -> list[str]:
    return [format_instant(item.instant)[11:] for item in items if item.row is None]


def test_readings_go_by_arrival_then_meter_then_time() -> None:
    rows = [r for m in range(20) for r in every(1, f"M{m:02d}", at("10:00"), 30)]
    sent = [
        (item.arrival, item.row[1], item.row[0])
        for item in sequence(rows, LATE)
        if item.kind is Kind.READING and item.row
    ]
    assert sent == sorted(sent)


def test_a_delayed_reading_arrives_its_delay_after_its_time() -> None:
    items = sequence(every(30, "M", at("00:00"), 200), LATE)
    delayed = [item for item in items if item.delay]
    assert delayed
    assert all(item.row and item.arrival == item.row[0] + item.delay for item in delayed)


def test_withheld_readings_are_in_the_sequence_but_move_nothing() -> None:
    items = sequence(every(30, "M", at("10:00"), 4), FaultPlan(gap_rate=1.0))
    assert [item.kind for item in items] == [Kind.WITHHELD] * 4


def test_a_tick_says_the_minute_that_has_begun_less_the_out_of_orderness() -> None:
    assert ticks(sequence(every(30, "M", at("10:00"), 3))) == ["10:29:50Z", "10:59:50Z", "11:15:00Z"]


def test_equal_times_have_one_tick() -> None:
    rows = [row(f"M{n}", time) for n in range(50) for time in (at("10:00"), at("10:30"))]
    assert ticks(sequence(rows)) == ["10:29:50Z", "10:45:00Z"]


def test_a_paced_replay_ticks_every_minute_that_passes() -> None:
    assert ticks(sequence(every(3, "M", at("10:00"), 2), every_minute=True)) == [
        "10:00:50Z", "10:01:50Z", "10:02:50Z", "10:18:00Z",
    ]  # fmt: skip


def test_no_tick_makes_a_reading_late_that_was_sent_at_its_own_time() -> None:
    rows = [r for m in range(5) for r in every(7, f"M{m}", at("00:00") + m * 11 * SECOND, 100)]
    for every_minute in (True, False):
        said = -1
        for item in sequence(rows, LATE, every_minute=every_minute):
            if item.row is None:
                said = item.instant
            elif item.kind is Kind.READING and not item.delay:
                assert item.row[0] >= said


def test_ticks_never_go_back_and_the_settle_tick_is_the_highest() -> None:
    plan = FaultPlan(3, 0.9, 12 * HOUR, 0.1)
    instants = [item.instant for item in sequence(every(30, "M", at("00:00"), 50), plan) if item.row is None]
    assert instants == sorted(set(instants))


def test_no_tick_reaches_the_deadline_of_the_slot_after_the_end() -> None:
    plan = FaultPlan(3, 0.9, 12 * HOUR, 0.1)
    items = sequence(every(30, "M", at("00:00"), 50), plan)
    last = max(item.row[0] for item in items if item.row and item.kind is Kind.READING)
    assert max(item.instant for item in items if item.row is None) == last + 15 * MINUTE


def test_settle_is_the_last_event_time_sent_plus_grace() -> None:
    items = sequence(every(30, "M", at("10:00"), 3))
    assert items[-1].kind is Kind.SETTLE
    assert items[-1].instant == at("11:15")


def test_without_settle_the_last_item_is_a_reading() -> None:
    assert sequence(every(30, "M", at("10:00"), 3), settle=False)[-1].kind is Kind.READING


def test_a_tick_goes_before_the_first_reading_after_a_long_hole() -> None:
    rows = [row("M", at("10:00")), row("M", at("10:00") + 5 * DAY)]
    assert next(item.instant for item in sequence(rows) if item.row is None) == rows[1][0] - 10 * SECOND


def test_in_the_order_of_the_file_only_the_settle_tick_is_sent() -> None:
    rows = every(30, "A", at("10:00"), 4) + every(30, "B", at("10:00"), 4)
    items = sequence(rows, by_time=False)
    assert [item.row for item in items if item.row] == rows
    assert ticks(items) == ["11:45:00Z"]


def test_the_last_tick_says_the_last_own_time_sent_as_the_end_of_the_run() -> None:
    assert sequence(every(30, "M", at("10:00"), 3))[-1].end == at("11:00")
    withheld = sequence(every(30, "M", at("10:00"), 50), FaultPlan(seed=3, gap_rate=0.5))
    last = max(item.row[0] for item in withheld if item.row and item.kind is Kind.READING)
    assert withheld[-1].end == last
    assert [item.end for item in withheld[:-1]] == [None] * (len(withheld) - 1)


def test_ticks_among_the_last_readings_that_were_put_off_say_the_end_too() -> None:
    rows = [one for n in range(30) for one in every(1, f"M{n}", at("10:00"), 20)]
    items = sequence(rows, FaultPlan(3, 0.5, 8 * MINUTE))
    ends = {item.arrival: item.end for item in items if item.row is None}
    assert {end for arrival, end in ends.items() if arrival <= at("10:19")} == {None}
    assert {end for arrival, end in ends.items() if arrival > at("10:19")} == {at("10:19")}
    assert max(ends) > at("10:25")


def test_a_final_tick_is_so_late_that_nothing_is_waited_for() -> None:
    policy = Policy(allowed_lateness=2 * HOUR)
    plain, final = (
        sequence(every(15, "M", at("10:00"), 5), settle_after=after)[-1]
        for after in (None, final_after(policy, 15 * MINUTE))
    )
    assert (plain.instant, final.instant) == (at("11:15"), at("13:30"))
    assert plain.end == final.end == at("11:00")
    assert final_after(Policy(grace=3 * HOUR), 10 * SECOND) == 3 * HOUR


def test_a_final_tick_waits_for_the_last_window_of_a_slot_that_is_longer_than_it() -> None:
    policy = Policy(allowed_lateness=HOUR)
    # 23:46 to 00:16 touches the window that ends at 00:30, which is final at 01:30.
    assert final_after(policy, 30 * MINUTE) >= 104 * MINUTE
    # A day takes no part in regions: only its own lateness is waited for.
    assert final_after(policy, 24 * HOUR) == 2 * HOUR + 15 * MINUTE


def test_a_final_tick_comes_no_later_than_it_may() -> None:
    rows = every(15, "M", at("10:00"), 5)
    last = sequence(rows, settle_after=2 * HOUR, settle_by=at("12:00"))[-1]
    assert (last.instant, last.end) == (at("12:00"), at("11:00"))
