"""Which partitions windows wait for, and which they are made without."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gridwatch.views.log_tail import Record
from gridwatch.views.regional.sources import Sources, judged_to, waited_for
from tests.unit.views.regional.kinds import MINUTE, bundle, out
from tests.unit.views.test_state import TEN

EXPECTED = [("smartmeter", 0), ("smartmeter", 1), ("smartmeter", 2)]


def read(*bundles: dict[str, Any]) -> Sources:
    sources = Sources(EXPECTED)
    for offset, one in enumerate(bundles):
        sources.take(Record(0, offset, 0, b"", msgspec.json.encode(one)))
    return sources


def said(*bundles: dict[str, Any]) -> list[tuple[int, str, Any]]:
    return [(one["partition"], one["why"], one["behind_seconds"]) for one in waited_for(read(*bundles).all())]


def test_nothing_is_waited_for_before_the_first_bundle_and_among_equals() -> None:
    assert said() == []
    assert said(bundle(0, 30), bundle(1, 29), bundle(2, 30)) == []


def test_a_source_that_has_not_passed_a_window_which_others_have_holds_it_up() -> None:
    assert said(bundle(0, 31), bundle(1, 31), bundle(2, 20)) == [(2, "last", 660)]
    # All are within one quarter: there is no window that waits.
    assert said(bundle(0, 29), bundle(1, 29), bundle(2, 16)) == []
    # A minute apart is what they always are.
    assert said(bundle(0, 30), bundle(1, 30), bundle(2, 29)) == []


def test_the_newest_watermark_counts_in_whatever_order_bundles_repeat() -> None:
    assert said(bundle(0, 31), bundle(1, 31), bundle(2, 31), bundle(2, 5)) == []


def test_a_source_is_out_until_its_next_bundle() -> None:
    fast = (bundle(0, 31), bundle(1, 31), bundle(2, 2))
    assert said(*fast, out(2)) == [(2, "out", 1740)]
    assert said(*fast, out(2), bundle(2, 2)) == [(2, "out", 1740)]
    assert said(*fast, out(2), bundle(2, 31)) == []


def test_a_source_that_nobody_waits_for_is_not_out() -> None:
    for minute in (10, 11):
        sources = read(bundle(0, 10), bundle(1, 10), bundle(2, minute), out(2)).all()
        assert not any(one.out for one in sources)
    assert [one.out for one in read(bundle(0, 10), bundle(1, 10), bundle(2, 9), out(2)).all()][2]


def test_a_source_that_was_never_heard_is_named() -> None:
    assert said(bundle(0, 10), bundle(1, 10)) == [(2, "unheard", None)]
    assert said(bundle(0, 10), bundle(1, 10), out(2)) == [(2, "out", None)]
    assert said(out(2), bundle(0, 10), bundle(1, 10)) == [(2, "out", None)]


def test_incidents_are_judged_up_to_the_last_source_that_is_waited_for() -> None:
    assert judged_to(read(bundle(0, 31), bundle(1, 30), bundle(2, 2), out(2)).all()) == TEN + 30 * MINUTE
    assert judged_to(read(bundle(0, 31), bundle(1, 30)).all()) is None
    assert judged_to([]) is None


@pytest.mark.parametrize("value", [b"", b"[]", b'{"flow": 1}', b'{"flow":"f","partition":0,"watermark":"x"}'])
def test_what_is_no_bundle_is_left_out(value: bytes) -> None:
    sources = read()
    sources.take(Record(0, 0, 0, b"", value))
    assert sources.all() == []
