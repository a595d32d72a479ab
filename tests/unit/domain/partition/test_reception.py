"""A record is opened the slow way once, however many of its elements ask for it."""

from __future__ import annotations

from gridwatch.domain.partition.reception import Reception
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord, Reading
from tests.unit.domain.log import LATER

GOOD = b'{"meter_id": "A", "timestamp": "2024-01-01T10:00:00Z", "consumption_kwh": 1}'


def a_reception() -> Reception:
    return Reception(Policy(partitions=1), PartitionState(0), lambda meter_id: None)


def test_a_decoded_record_is_cached_for_the_next_element() -> None:
    reception, record = a_reception(), LogRecord(0, LATER, b"[7, 8]")
    opened = reception.open(record)
    assert len(opened) == 2
    assert reception.open(record) is opened


def test_another_record_is_opened_whatever_it_shares_with_the_one_before() -> None:
    reception = a_reception()
    assert not isinstance(reception.open(LogRecord(0, LATER, b"7"))[0], Reading)
    assert isinstance(reception.open(LogRecord(0, LATER, GOOD))[0], Reading), "its offset"
    before = reception.open(LogRecord(1, LATER, GOOD))
    assert reception.open(LogRecord(2, LATER - 1, GOOD)) is not before, "its value"
