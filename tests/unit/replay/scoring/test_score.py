"""Precision, recall, and every difference by name."""

from __future__ import annotations

from collections import Counter

from replay.scoring.score import Found, FoundGap, FoundLate, Score
from replay.scoring.score import score as score_found
from replay.truth.manifest import ExpectedGap, ExpectedRefusal, Manifest
from tests.unit.replay.rig import MINUTE, at

SLOT = ((at("10:30"), at("11:00")),)
EXPECTED = ExpectedGap("M", at("10:30"), at("11:00"), 1, "CLOSED", "burst", 30 * MINUTE, SLOT)
FOUND = FoundGap("M", at("10:30"), at("11:00"), 1, "CLOSED", at("10:45"), 30 * MINUTE, SLOT)


def truth(*gaps: ExpectedGap, **more: object) -> Manifest:
    head = {
        "first": at("00:00"),
        "last": at("20:00"),
        "settled_to": at("20:15"),
        "grace": 15 * MINUTE,
        **more,
    }
    return Manifest({"meters": head.pop("meters", "*")}, gaps=list(gaps), **head)  # type: ignore[arg-type]


def score(manifest: Manifest, gaps: list[FoundGap], late: list[FoundLate]) -> Score:
    return score_found(manifest, Found(gaps, late))


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
    assert told.endswith("with 1 missing (burst), found nothing")


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


def test_rates_are_told_by_kind_of_fault() -> None:
    single = ExpectedGap("M", at("12:30"), at("13:00"), 1, "CLOSED", "gap", 30 * MINUTE)
    false = changed(missing_from=at("15:00"), missing_to=at("15:30"))
    result = score(truth(EXPECTED, single), [FOUND, false], [])
    rates = {kind: (r.expected, r.found, r.matched) for (kind, _), r in result.kinds.items()}
    assert rates == {"burst": (1, 1, 1), "gap": (1, 0, 0), "none": (0, 1, 0)}


def test_a_gap_reported_with_other_edges_differs_and_tells_how_far_they_are_off() -> None:
    wider = ((at("10:00"), at("12:00")),)
    other = changed(missing_from=at("10:00"), missing_to=at("12:00"), missing_intervals=4, ranges=wider)
    result = score(truth(EXPECTED), [other], [])
    assert [difference.what for difference in result.differences] == ["differs"]
    assert (result.false_alarms, result.edges.starts, result.edges.ends) == (0, [-30 * MINUTE], [60 * MINUTE])
    assert (result.slots.expected, result.slots.found, result.slots.matched) == (1, 4, 1)


def test_time_to_detect_runs_from_the_first_missing_slot_to_the_watermark() -> None:
    assert score(truth(EXPECTED), [FOUND], []).seconds_to_detect == {
        "median": 900.0, "p95": 900.0, "max": 900.0,
    }  # fmt: skip


def test_false_alarms_are_told_by_the_time_that_meters_were_watched() -> None:
    manifest = truth(unjudged={"N": [(at("00:00"), at("20:15"))]})
    manifest.head["meter_count"] = 3
    result = score(manifest, [FOUND], [])
    assert result.meter_years == 2 * 20.25 / 24 / 365.25
    assert result.false_alarm_rate == 1 / result.meter_years


def test_readings_that_were_late_by_a_wrong_clock_alone_are_not_judged() -> None:
    manifest = truth(late_readings={("M", at("10:00")): "delay"})
    marked = {("M", at("10:00")), ("N", at("10:00"))}
    assert score_found(manifest, Found(late_readings=marked)).late_readings.precision == 0.5
    manifest.head["overtaken"] = 1
    result = score_found(manifest, Found(late_readings=marked))
    assert (result.late_readings.precision, result.unjudged, result.perfect) == (1.0, 1, True)


def test_a_record_that_was_not_refused_is_a_miss_and_other_dead_letters_are_not_judged() -> None:
    manifest = truth(refused={("utf-8", "ERR"): ExpectedRefusal("garbage", "M", at("10:00"), 2)})
    assert score_found(manifest, Found(refused={("utf-8", "ERR"): 2, ("utf-8", "{}"): 9})).perfect
    result = score_found(manifest, Found(refused={("utf-8", "ERR"): 1}))
    assert (result.refused.recall, result.differences[0].kind) == (0.5, "dead letter")


def test_a_revision_that_was_not_marked_is_a_miss() -> None:
    result = score_found(truth(revised={("M", at("10:00")): "revision"}), Found())
    assert str(result.differences[0]) == (
        "reading missed: M at 2024-01-01T10:00:00Z: expected REVISED (revision), found not marked"
    )
