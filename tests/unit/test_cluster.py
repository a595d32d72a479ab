"""Which worker owns which partition, from Faust's assignment."""

from __future__ import annotations

from gridwatch.cluster import owners


def test_each_partition_of_the_topic_has_the_url_of_its_owner() -> None:
    distribution = {
        "http://a:6066/": {"smartmeter_raw": [0, 2], "other": [1]},
        "http://b:6067": {"smartmeter_raw": [1]},
    }
    assert owners(distribution, "smartmeter_raw") == {
        0: "http://a:6066",
        2: "http://a:6066",
        1: "http://b:6067",
    }


def test_before_the_first_assignment_nobody_owns_anything() -> None:
    assert owners({}, "smartmeter_raw") == {}
