"""A registration as the pages show it: what holds now, what is to come, whether the meter was heard."""

from __future__ import annotations

import pytest

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.policy import DAY, MINUTE
from gridwatch.domain.registry.entry import Entry
from gridwatch.domain.registry.registration import Registration
from gridwatch.tables.registry_rows import REGISTRATION
from gridwatch.views.registry.heads import registration_head_of
from gridwatch.views.registry.orders import AWAITED, HEARD, NEVER_HEARD, hearing_of
from gridwatch.views.registry.registrations import describe_registration, find_registered, read_regions
from tests.unit.views.registry.kinds import named, region, registered, unheard
from tests.unit.views.test_state import HALF_HOUR, TEN, meter, store

ELEVEN = "2024-01-01T11:00:00Z"


def test_what_holds_now_is_the_last_entry_that_took_over() -> None:
    one = registered(
        (TEN - HALF_HOUR, Entry("installed", region="R01")),
        (TEN, Entry("active", 15 * MINUTE, grace=5 * MINUTE, region="R02", feeder="F", transformer="T")),
        applied=2,
        heard=True,
    )
    shown = describe_registration("M", 0, one)
    assert (shown["status"], shown["since"], shown["version"]) == ("active", "2024-01-01T10:00:00Z", 3)
    assert (shown["region"], shown["feeder"], shown["transformer"]) == ("R02", "F", "T")
    assert (shown["interval_seconds"], shown["grace_seconds"], shown["calendar"]) == (900, 300.0, None)
    assert (shown["heard"], shown["awaited_since"], shown["pending"]) == (True, None, [])


def test_what_is_to_come_says_when_and_what_it_changes() -> None:
    days = Calendar("1d", "Europe/Berlin")
    one = registered(
        (TEN, Entry("active", region="R01")),
        (TEN + 2 * HALF_HOUR, Entry("suspended", region="R01")),
        (TEN + DAY, Entry("active", DAY, days, region="R02")),
    )
    shown = describe_registration("M", 0, one)
    assert shown["status"] == "active"
    assert shown["pending"] == [
        {"from": ELEVEN, "status": "suspended", "changes": {"status": "suspended"}},
        {
            "from": "2024-01-02T10:00:00Z",
            "status": "active",
            "changes": {
                "status": "active",
                "region": "R02",
                "interval_seconds": 86_400,
                "calendar": "1d Europe/Berlin",
            },
        },
    ]


def test_before_its_first_entry_a_meter_is_pending() -> None:
    shown = describe_registration("M", 0, registered((TEN, Entry("installed")), applied=0))
    assert (shown["status"], shown["since"], shown["awaited_since"]) == ("pending", None, None)
    assert shown["pending"][0]["changes"] == {"status": "installed"}


@pytest.mark.parametrize(
    ("one", "hearing"),
    [
        (registered(), AWAITED),
        (registered(heard=True), HEARD),
        (unheard(), NEVER_HEARD),
        (registered((TEN, Entry("planned"))), ""),
        (registered((TEN, Entry("active")), applied=0), ""),
    ],
)
def test_the_head_of_a_row_says_what_the_registration_does(one: Registration, hearing: str) -> None:
    head = registration_head_of(REGISTRATION.encode(one))
    shown = describe_registration("M", 0, one)
    assert (head.version, head.status, head.region) == (one.version, shown["status"], shown["region"])
    assert hearing_of(head) == hearing
    assert (shown["never_heard"], shown["heard"]) == (hearing == NEVER_HEARD, hearing == HEARD)
    assert (shown["awaited_since"] is not None) == (hearing in (AWAITED, NEVER_HEARD))


def test_registered_meters_are_read_from_the_key_where_a_page_begins() -> None:
    names = [f"M{number:04}" for number in range(1000)]
    here, rows = store({0: {**named(dict.fromkeys(names, registered())), "M0001": meter()}, 1: named()})
    page = find_registered(here, [0, 1], "M0", "M0500", 10)
    assert [one["meter_id"] for one in page] == names[501:511]
    assert rows.looked < 15
    assert find_registered(here, [0, 1], "N", "", 10) == []
    assert [one["meter_id"] for one in find_registered(here, [0, 1], "M099", "", 50)] == names[990:]


def test_regions_are_those_of_a_partition() -> None:
    here, _ = store(
        {0: {**named({"R09": registered()}, regions=(region("R02"), region("R01"))), "R03": meter()}}
    )
    assert [(one["region"], one["capacity_kw"]) for one in read_regions(here, 0)] == [
        ("R01", 500.0),
        ("R02", 500.0),
    ]
    assert len(read_regions(here, 0, 1)) == 1
