"""The deadline index: whoever is due is found, in order, however stale its entry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter.deadlines import BUCKET, Deadlines


def drain(index: Deadlines, due: dict[str, int], watermark: int) -> list[str]:
    """Settle everything due at a watermark: a meter's next deadline is far off."""
    found = []
    while (meter := index.pop(watermark)) is not None:
        found.append(meter)
        due[meter] = 10**9 * BUCKET
        index.add(due[meter], meter)
    return found


def test_a_stale_entry_that_belongs_to_a_bucket_already_reached_is_found_in_the_same_step() -> None:
    due = {"A": BUCKET + 10}
    index = Deadlines(due.get)
    index.add(due["A"], "A")
    assert drain(index, due, BUCKET + 5) == []  # its bucket is opened, it is not due yet
    due["A"] = 5 * BUCKET + 1  # a reading came: the entry stays where it was
    assert drain(index, due, 9 * BUCKET) == ["A"]


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEF"), st.integers(0, 40 * BUCKET), st.integers(0, 20 * BUCKET)),
        max_size=40,
    )
)
def test_each_step_finds_exactly_who_is_due_in_order_of_deadline_and_name(
    steps: list[tuple[str, int, int]],
) -> None:
    due: dict[str, int] = {}
    index = Deadlines(due.get)
    watermark = 0
    for meter, deadline, advance in steps:
        before = due.get(meter)
        due[meter] = watermark + deadline
        if before is None or due[meter] < before:
            index.add(due[meter], meter)
        watermark += advance
        expected = sorted((at, name) for name, at in due.items() if at <= watermark)
        assert drain(index, due, watermark) == [name for _, name in expected]
