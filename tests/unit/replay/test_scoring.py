"""Precision, recall, and every difference by name."""

from __future__ import annotations

from collections import Counter

from replay.manifest import ExpectedGap, Manifest
from replay.scoring import FoundGap, FoundLate, score
from tests.unit.replay.rig import MINUTE, at

EXPECTED = ExpectedGap("M", at("10:30"), at("11:00"), 1, "CLOSED")
FOUND = FoundGap("M", at("10:30"), at("11:00"), 1, "CLOSED", at("10:45"))


def truth(*gaps: ExpectedGap, **more: object) -> Manifest:
    head = {
        "first": at("00:00"),
        "last": at("20:00"),
        "settled_to": at("20:15"),
        "grace": 15 * MINUTE,
        **more,
    }
    return Manifest({"meters": head.pop("meters", "*")}, gaps=list(gaps), **head)  # type: ignore[arg-type]


def changed(**fields: object) -> FoundGap:
    return FoundGap(**{**vars(FOUND), **fields})  # type: ignore[arg-type]


def test_what_is_found_as_expected_is_perfect() -> None:
    result = score(truth(EXPECTED), [FOUND], [])
    assert (result.gaps.precision, result.gaps.recall, result.perfect) == (1.0, 1.0, True)


def test_a_gap_not_found_is_a_miss_that_is_named() -> None:
    result = score(truth(EXPECTED), [], [])
    assert (result.gaps.precision, result.gaps.recall) == (1.0, 0.0)
    told = str(result.differences[0])
    assert told.startswith("gap missed: M at 2024-01-01T10:30:00Z: expected CLOSED to 2024-01-01T11:00:00Z")
    assert told.endswith("with 1 missing, found nothing")


def test_a_gap_not_expected_is_a_false_alarm_that_is_named() -> None:
    result = score(truth(), [FOUND], [])
    assert (result.gaps.precision, result.gaps.recall) == (0.0, 1.0)
    assert result.differences[0].what == "false alarm"


def test_a_gap_with_another_end_count_or_state_is_no_match() -> None:
    for other in (changed(missing_to=at("11:30")), changed(missing_intervals=2), changed(state="PARTIAL")):
        result = score(truth(EXPECTED), [other], [])
        assert (result.gaps.matched, result.gaps.found, result.differences[0].what) == (0, 1, "differs")


def test_a_retracted_gap_was_not_reported() -> None:
    assert score(truth(), [changed(state="RETRACTED")], []).perfect


def test_what_is_unjudged_counts_neither_way() -> None:
    stretch = {"M": [(at("10:00"), at("11:00"))]}
    result = score(truth(EXPECTED, unjudged=stretch), [changed(missing_from=at("10:00")), FOUND], [])
    assert (result.gaps.expected, result.gaps.found, result.unjudged, result.perfect) == (0, 0, 3, True)


def test_what_lies_outside_of_the_replay_is_not_judged() -> None:
    before, after = changed(missing_from=at("23:00") - 86_400_000_000), changed(missing_from=at("20:01"))
    assert score(truth(), [before, after, changed(meter="X")], []).gaps.found == 1
    assert score(truth(meters="M*"), [changed(meter="X")], [FoundLate("X", at("10:00"))]).perfect


def test_a_gap_left_open_may_have_gone_on_after_the_replay() -> None:
    still_open = ExpectedGap("M", at("20:00"), at("20:15"), 1, "OPEN")
    later = FoundGap("M", at("20:00"), at("23:00"), 6, "CLOSED", at("23:00"))
    assert score(truth(still_open), [later], []).perfect
    too_early = FoundGap("M", at("20:00"), at("23:00"), 6, "CLOSED", at("20:15"))
    assert not score(truth(still_open), [too_early], []).perfect


def test_late_events_are_counted_one_by_one() -> None:
    late = Counter({("M", at("10:00")): 2, ("M", at("11:00")): 1})
    found = [FoundLate("M", at("10:00")), FoundLate("M", at("12:00"))]
    result = score(truth(late=late), [], found)
    assert (result.late.expected, result.late.found, result.late.matched) == (3, 2, 1)
    assert sorted((d.what, d.at[11:16], d.expected, d.found) for d in result.differences) == [
        ("false alarm", "12:00", "0", "1"),
        ("missed", "10:00", "2", "1"),
        ("missed", "11:00", "1", "0"),
    ]


def test_late_events_are_judged_where_gaps_are_not() -> None:
    stretch = {"M": [(at("10:00"), at("11:00"))]}
    late = Counter({("M", at("10:30")): 1})
    result = score(truth(late=late, unjudged=stretch), [], [FoundLate("M", at("10:30"))])
    assert (result.late.matched, result.perfect) == (1, True)


def test_the_overall_rates_hold_both_kinds() -> None:
    result = score(truth(EXPECTED, late=Counter({("M", at("10:00")): 1})), [FOUND], [])
    assert (result.overall.recall, result.overall.precision) == (0.5, 1.0)
    assert result.as_dict()["overall"]["recall"] == 0.5
