"""When many meters that fell silent are an incident."""

from __future__ import annotations

import pytest

from gridwatch.domain.policy import HOUR, MINUTE
from gridwatch.domain.regions.records import CLOSED, OPEN, QUARTER, Incident
from tests.unit.domain.regions.feed import NOON, Run, bundle, group, out

A, B = ("F1", "T1"), ("F1", "T2")


def kinds(incidents: list[Incident]) -> list[tuple[str, str, str, int]]:
    return [(one.kind, one.target, one.state, one.revision) for one in incidents]


def alone() -> Run:
    return Run(1)


@pytest.mark.parametrize(
    ("active", "silent", "is_one"), [(6, 3, True), (7, 3, False), (2, 2, False), (3, 3, True)]
)
def test_three_meters_and_half_of_them_are_an_incident_of_a_transformer(
    active: int, silent: int, is_one: bool
) -> None:
    groups = [group(active, silent, place=(None, "T1"))]
    found = alone().incidents(bundle(0, NOON + 30_000_000, groups=groups))
    assert kinds(found) == ([("transformer", "T1", OPEN, 1)] if is_one else [])


def test_an_incident_says_when_where_and_who() -> None:
    run = alone()
    [one] = run.incidents(bundle(0, NOON + 1, groups=[group(6, 4, place=(None, "T1"))]))
    assert one.id == "transformer:north/T1@2024-01-01T12:00:00Z"
    assert (one.started, one.updated, one.ended, one.parent) == (NOON, NOON, None, None)
    assert (one.open, one.active, one.peak) == (4, 6, 4)
    assert one.meters == ("M000", "M001", "M002", "M003")


def test_a_change_is_a_revision_and_no_change_is_none() -> None:
    run = alone()
    place = (None, "T1")
    run.take(bundle(0, NOON, groups=[group(6, 4, place=place)]))
    assert run.incidents(bundle(0, NOON + MINUTE, groups=[group(6, 4, place=place)])) == []
    [more] = run.incidents(bundle(0, NOON + 2 * MINUTE, groups=[group(6, 6, place=place)]))
    [over] = run.incidents(bundle(0, NOON + 3 * MINUTE, groups=[group(6, 2, place=place)]))
    assert [(one.revision, one.state, one.open, one.peak) for one in (more, over)] == [
        (2, OPEN, 6, 6),
        (3, CLOSED, 2, 6),
    ]
    assert (over.ended, over.id) == (NOON + 3 * MINUTE, more.id)
    assert run.state.open_incidents == 0
    [again] = run.incidents(bundle(0, NOON + 4 * MINUTE, groups=[group(6, 3, place=place)]))
    assert (again.revision, again.id) == (1, "transformer:north/T1@2024-01-01T12:04:00Z")


def test_what_no_group_speaks_of_any_more_is_over() -> None:
    run = alone()
    run.take(bundle(0, NOON, groups=[group(6, 4)]))
    closed = run.incidents(bundle(0, NOON + MINUTE, groups=[group(0, 0)]))
    assert [(one.kind, one.state, one.open) for one in closed] == [("feeder", CLOSED, 0)]
    assert run.state.groups == {"north": {}}


def test_meters_of_all_sources_and_groups_are_one_picture() -> None:
    run = Run(2)
    run.take(bundle(0, NOON, groups=[group(4, 2, place=(None, "T1"), prefix="B")]))
    found = run.incidents(bundle(1, NOON, groups=[group(4, 2, place=(None, "T1"), prefix="A")]))
    assert kinds(found) == [("transformer", "T1", OPEN, 1)]
    assert found[0].meters == ("A000", "A001", "B000", "B001")


def test_at_most_a_hundred_meters_are_listed_and_all_counted() -> None:
    groups = [group(90, 90, place=(None, "T1"), prefix="B"), group(90, 90, place=("F", "T1"), prefix="A")]
    found = alone().incidents(bundle(0, NOON + HOUR, groups=groups))
    [one] = [each for each in found if each.kind == "transformer"]
    assert (one.open, len(one.meters), one.meters[0], one.meters[-1]) == (180, 100, "A000", "B009")


# -- wider and narrower scopes


def test_a_feeder_speaks_for_its_transformers() -> None:
    run = alone()
    found = run.incidents(bundle(0, NOON, groups=[group(4, 4, place=A), group(4, 4, place=B)]))
    assert kinds(found) == [("feeder", "F1", OPEN, 1)]


def test_a_transformer_on_two_feeders_speaks_for_itself() -> None:
    run = alone()
    groups = [group(4, 4, place=("F1", "T1")), group(4, 4, place=("F2", "T1"))]
    found = run.incidents(bundle(0, NOON, groups=groups))
    assert kinds(found) == [
        ("feeder", "F1", OPEN, 1), ("feeder", "F2", OPEN, 1), ("transformer", "T1", OPEN, 1)
    ]  # fmt: skip


def test_one_that_is_open_gets_the_wider_one_as_its_parent_and_loses_it_with_that() -> None:
    run = alone()
    quiet = group(9, 0, place=B)
    assert kinds(run.incidents(bundle(0, NOON, groups=[group(4, 4, place=A), quiet]))) == [
        ("transformer", "T1", OPEN, 1)
    ]
    feeder, transformer = run.incidents(bundle(0, NOON + MINUTE, groups=[group(9, 9, place=B)]))
    assert (feeder.kind, transformer.revision, transformer.parent) == ("feeder", 2, feeder.id)
    closed, left = run.incidents(bundle(0, NOON + 2 * MINUTE, groups=[quiet]))
    assert (closed.state, left.state, left.parent) == (CLOSED, OPEN, None)


def test_one_that_closes_keeps_its_parent() -> None:
    run = alone()
    run.take(bundle(0, NOON, groups=[group(4, 4, place=A), group(9, 0, place=B)]))
    feeder, _ = run.incidents(bundle(0, NOON + MINUTE, groups=[group(9, 9, place=B)]))
    found = run.incidents(bundle(0, NOON + 2 * MINUTE, groups=[group(4, 0, place=A), group(9, 0, place=B)]))
    assert [(one.kind, one.state, one.parent) for one in found] == [
        ("feeder", CLOSED, None), ("transformer", CLOSED, feeder.id)
    ]  # fmt: skip


def test_a_narrower_one_opens_when_the_wider_one_is_over() -> None:
    run = alone()
    run.take(bundle(0, NOON, groups=[group(4, 4, place=A), group(4, 4, place=B)]))
    found = run.incidents(bundle(0, NOON + MINUTE, groups=[group(9, 0, place=B)]))
    assert kinds(found) == [("feeder", "F1", CLOSED, 2), ("transformer", "T1", OPEN, 1)]


# -- storms


def storm_groups(active: int, silent: int, at: int = NOON) -> list[object]:
    return [group(active, silent, at=at, place=(None, None))]


@pytest.mark.parametrize(
    ("active", "silent", "is_one"), [(200, 20, True), (201, 20, False), (19, 19, False), (300, 30, True)]
)
def test_twenty_meters_and_a_tenth_of_a_region_are_a_storm(active: int, silent: int, is_one: bool) -> None:
    found = alone().incidents(bundle(0, NOON, groups=storm_groups(active, silent)))  # type: ignore[arg-type]
    assert kinds(found) == ([("storm", "north", OPEN, 1)] if is_one else [])
    assert not is_one or found[0].id == "storm:north@2024-01-01T12:00:00Z"


@pytest.mark.parametrize(("before", "is_one"), [(14 * MINUTE, True), (15 * MINUTE, False)])
def test_gaps_make_a_storm_if_they_were_detected_within_a_quarter_of_an_hour(
    before: int, is_one: bool
) -> None:
    groups = storm_groups(100, 20, at=NOON - before)
    assert bool(alone().incidents(bundle(0, NOON, groups=groups))) == is_one  # type: ignore[arg-type]


@pytest.mark.parametrize(("silent", "state"), [(3, CLOSED), (4, OPEN), (0, CLOSED)])
def test_a_storm_is_over_when_fewer_than_two_percent_are_silent(silent: int, state: str) -> None:
    run = alone()
    run.take(bundle(0, NOON, groups=storm_groups(200, 40)))  # type: ignore[arg-type]
    found = run.incidents(bundle(0, NOON + HOUR, groups=storm_groups(200, silent)))  # type: ignore[arg-type]
    assert [(one.kind, one.state) for one in found] == [("storm", state)]


def test_a_storm_speaks_for_feeders_and_transformers() -> None:
    found = alone().incidents(bundle(0, NOON, groups=[group(30, 30, place=A)]))
    assert kinds(found) == [("storm", "north", OPEN, 1)]


# -- minutes


def test_a_minute_is_evaluated_once_every_source_has_come_to_it() -> None:
    run = Run(2)
    later = NOON + 5 * MINUTE
    groups = [group(6, 6, place=(None, "T1"))]
    assert run.incidents(bundle(0, NOON, groups=groups), bundle(0, later)) == []
    assert run.incidents(bundle(1, NOON - 1)) == []
    [one] = run.incidents(bundle(1, later))
    assert one.started == NOON
    assert run.state.evaluated == NOON


def test_a_gap_that_others_have_passed_when_it_ends_is_still_an_incident() -> None:
    run = Run(2)
    place = (None, "T1")
    run.take(bundle(0, NOON, groups=[group(6, 6, place=place)]))
    run.take(bundle(0, NOON + MINUTE, groups=[group(6, 0, place=place)]))
    found = run.incidents(bundle(1, NOON + QUARTER))
    assert [(one.state, one.updated) for one in found] == [(OPEN, NOON), (CLOSED, NOON + MINUTE)]


def test_a_source_that_is_out_keeps_its_last_picture() -> None:
    run = Run(2)
    place = (None, "T1")
    run.take(bundle(1, NOON, groups=[group(3, 3, place=place, prefix="B")]))
    [one] = run.incidents(bundle(0, NOON, groups=[group(3, 0, place=place)]))
    [more] = run.incidents(bundle(0, NOON + HOUR, groups=[group(3, 1, place=place)]), out(1))
    assert (more.id, more.open, more.updated) == (one.id, 4, NOON + HOUR)


def test_a_minute_that_comes_too_late_counts_at_the_first_one_after() -> None:
    run = Run(2)
    run.take(bundle(1, NOON), bundle(0, NOON + HOUR, groups=[group(4, 0, place=(None, "T1"))]), out(1))
    assert run.state.evaluated == NOON + HOUR
    groups = [group(9, 9, place=(None, "T2"))]
    assert run.incidents(bundle(1, NOON + MINUTE, groups=groups)) == []
    assert run.incidents(bundle(0, NOON + 2 * HOUR)) == []
    [one] = run.incidents(bundle(1, NOON + 2 * HOUR))
    assert (one.target, one.started) == ("T2", NOON + HOUR + MINUTE)
