"""The energy of a reading: of its interval, its register, its power. None of it is invented."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import DeadLetter, LateEvent, Validated
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy
from tests.unit.domain.log import Log, at, reading

TEN = at("10:00:00")


def a_log(**policy: Any) -> Log:
    return Log(policy=Policy(partitions=1, **policy))


def sent(log: Log, time: int, **fields: Any) -> Validated:
    """One reading of a 10 s meter."""
    element = {"meter_id": "A", "timestamp": format_instant(time), "interval_seconds": 10, **fields}
    log.read({name: value for name, value in element.items() if value is not None})
    return log.of(Validated)[-1]


def energies(log: Log) -> list[float]:
    return [output.reading.consumption_kwh for output in log.of(Validated)]


def registers(
    log: Log, *values: float, step: int = 10 * SECOND, start: int = TEN
) -> list[tuple[float, list[str]]]:
    """The energy and the flags about energy of each value, `step` apart."""
    found = []
    for number, value in enumerate(values):
        output = sent(log, start + number * step, energy_register_kwh=value)
        flags = [flag for flag in output.flags if flag not in {"FIRST", "ZERO"}]
        found.append((output.reading.consumption_kwh, flags))
    return found


def test_the_first_value_of_a_register_counts_nothing() -> None:
    assert registers(a_log(), 1234.5) == [(0.0, [])]


def test_a_register_counts_what_it_rose_by_and_the_sum_is_what_it_rose_by() -> None:
    values = [100.0, 100.002, 100.002, 100.01, 100.0101]
    found = registers(a_log(), *values)
    assert found == [(0.0, []), (0.002, []), (0.0, []), (0.008, []), (0.0001, [])]
    assert math.isclose(sum(energy for energy, _ in found), values[-1] - values[0])


def test_a_small_fall_counts_nothing_and_the_base_stays() -> None:
    assert registers(a_log(), 100.0, 99.5, 100.001) == [
        (0.0, []),
        (0.0, ["REGISTER_DIP"]),
        (0.001, ["GAP_ENERGY"]),
    ]


@pytest.mark.parametrize(("low", "flag"), [(99.0, "REGISTER_DIP"), (98.999, "SUSPECT")])
def test_a_dip_is_one_per_cent_at_most(low: float, flag: str) -> None:
    assert registers(a_log(max_power_kw=10.0), 100.0, low)[-1] == (0.0, [flag])


@pytest.mark.parametrize(("low", "flag"), [(9999.0, "REGISTER_DIP"), (9998.999, "SUSPECT")])
def test_a_dip_is_one_kwh_at_most(low: float, flag: str) -> None:
    assert registers(a_log(max_power_kw=10.0), 10_000.0, low)[-1] == (0.0, [flag])


def test_a_register_that_begins_again_at_zero_counts_its_new_value() -> None:
    found = registers(a_log(max_power_kw=10.0), 100.0, 0.004, 0.005)
    assert found == [(0.0, []), (0.004, ["REGISTER_RESET"]), (0.001, [])]


def test_a_register_of_known_digits_rolls_over() -> None:
    found = registers(a_log(register_digits=5, max_power_kw=10.0), 99_999.99, 0.01, 0.02)
    assert found == [(0.0, []), (0.02, ["ROLL_OVER"]), (0.01, [])]


def test_without_known_digits_a_roll_over_is_a_reset_and_nothing_is_invented() -> None:
    assert registers(a_log(max_power_kw=10.0), 99_999.99, 0.01)[-1] == (0.01, ["REGISTER_RESET"])


def test_a_meter_that_is_swapped_counts_from_its_new_register_on() -> None:
    found = registers(a_log(max_power_kw=10.0), 100.0, 5000.0, 5000.01, 5000.02)
    assert found == [(0.0, []), (0.0, ["SUSPECT"]), (0.01, []), (0.01, [])]
    found = registers(a_log(max_power_kw=10.0), 5000.0, 100.0, 100.01)
    assert found == [(0.0, []), (0.0, ["SUSPECT"]), (0.01, [])]


def test_a_value_that_is_too_high_once_counts_nothing() -> None:
    found = registers(a_log(max_power_kw=10.0), 100.0, 5000.0, 100.004, 100.005)
    assert found == [(0.0, []), (0.0, ["SUSPECT"]), (0.004, ["GAP_ENERGY"]), (0.001, [])]
    assert math.isclose(sum(energy for energy, _ in found), 0.005)


def test_a_register_of_whole_kwh_is_believed() -> None:
    assert registers(a_log(max_power_kw=10.0), 100.0, 100.0, 101.0)[-1] == (1.0, [])


def test_energy_over_a_gap_comes_with_the_first_reading_after_it() -> None:
    log = a_log()
    sent(log, TEN, energy_register_kwh=100.0)
    output = sent(log, TEN + DAY, energy_register_kwh=124.0)
    assert (output.reading.consumption_kwh, output.energy_from) == (24.0, TEN)
    assert "GAP_ENERGY" in output.flags
    output = sent(log, TEN + DAY + 10 * SECOND, energy_register_kwh=124.5)
    assert (output.reading.consumption_kwh, output.energy_from, output.flags) == (0.5, None, ())


def test_the_register_of_a_meter_outlives_its_state() -> None:
    log = a_log(state_ttl=HOUR)
    sent(log, TEN, energy_register_kwh=100.0)
    log.tick("14:00:00")
    assert "A" not in log.meters
    log.restart()
    output = sent(log, at("15:00:00"), energy_register_kwh=107.0)
    assert output.reading.consumption_kwh == 7.0
    assert {"FIRST", "GAP_ENERGY"} <= set(output.flags)


def test_readings_with_earlier_stamps_are_kept_and_count_nothing() -> None:
    log = a_log()
    registers(log, 100.0, 100.5)
    late = sent(log, TEN + 5 * SECOND, energy_register_kwh=100.2)
    assert late.reading.consumption_kwh == 0.0
    assert late.reading.energy_register_kwh == 100.2
    assert sent(log, TEN + 20 * SECOND, energy_register_kwh=100.6).reading.consumption_kwh == 0.1


def test_another_value_of_a_stamp_leaves_what_was_counted() -> None:
    log = a_log()
    registers(log, 100.0, 100.5)
    revised = sent(log, TEN + 10 * SECOND, energy_register_kwh=100.4)
    assert (revised.reading.consumption_kwh, "REVISED" in revised.flags) == (0.5, True)
    assert sent(log, TEN + 20 * SECOND, energy_register_kwh=101.0).reading.consumption_kwh == 0.5


def test_the_same_value_of_a_stamp_is_a_duplicate() -> None:
    log = a_log()
    registers(log, 100.0, 100.5)
    before = len(log.of(Validated))
    log.read({"meter_id": "A", "timestamp": format_instant(TEN), "energy_register_kwh": 100.0})
    assert len(log.of(Validated)) == before


def test_a_meter_that_comes_thirty_seconds_late_for_ever_counts_everything() -> None:
    log = a_log()
    total = 0.0
    for number in range(200):
        log.read(reading("B", format_instant(TEN + number * 10 * SECOND), 0.0, interval_seconds=10))
        if number >= 3:
            value = 100.0 + (number - 3) * 0.001
            output = sent(log, TEN + (number - 3) * 10 * SECOND, energy_register_kwh=round(value, 3))
            total += output.reading.consumption_kwh
    assert math.isclose(total, 0.196)


@pytest.mark.parametrize("start", ["2024-03-31T00:30:00Z", "2024-10-27T00:30:00Z"])
def test_a_change_of_clocks_is_nothing_to_a_register(start: str) -> None:
    log = a_log(timezone="Europe/Berlin")
    found = registers(
        log, *(round(50 + number / 10, 1) for number in range(60)), step=5 * MINUTE, start=at(start)
    )
    assert math.isclose(sum(energy for energy, _ in found), 5.9)


def test_whatever_a_register_does_no_energy_is_negative_or_more_than_possible() -> None:
    chance = random.Random(17)
    for _ in range(60):
        log, value, time = a_log(max_power_kw=20.0), 500.0, TEN
        for _ in range(60):
            step = chance.choice([10, 10, 10, 20, 600]) * SECOND
            time += step
            value = chance.choice(
                [value + chance.random() * 0.05] * 8
                + [0.0, value * 0.995, value / 2, value + 700, value - 0.01, chance.random()]
            )
            value = max(0.0, round(value, 3))
            output = sent(log, time, energy_register_kwh=value)
            since = output.energy_from or time - step * 3
            assert 0.0 <= output.reading.consumption_kwh <= max(1.0, 20.0 * (time - since) / HOUR + 1e-6)


def test_power_counts_for_a_given_interval() -> None:
    log = a_log()
    assert sent(log, TEN, power_kw=3.6).reading.consumption_kwh == 0.01
    assert sent(log, TEN + HOUR, power_kw=7.2).reading.consumption_kwh == 0.02


def test_power_counts_the_time_since_the_reading_before_while_the_interval_is_learned() -> None:
    log = a_log()
    for number in range(8):
        sent(log, TEN + number * 10 * SECOND, power_kw=3.6, interval_seconds=None)
    assert energies(log) == [0.0] + [0.01] * 7


def test_after_a_gap_power_counts_one_interval() -> None:
    log = a_log()
    for number in (0, 1, 2, 3, 4, 400):
        sent(log, TEN + number * 10 * SECOND, power_kw=3.6, interval_seconds=None)
    assert energies(log)[-1] == 0.01


def test_interval_energy_comes_before_register_and_register_before_power() -> None:
    log = a_log()
    both = {"energy_register_kwh": 100.0, "power_kw": 360.0}
    assert sent(log, TEN, consumption_kwh=1.0, **both).reading.consumption_kwh == 1.0
    assert sent(log, TEN + 10 * SECOND, **both).reading.consumption_kwh == 0.0


def test_energy_of_another_kind_in_between_is_not_counted_again() -> None:
    log = a_log()
    registers(log, 100.0)
    sent(log, TEN + 10 * SECOND, consumption_kwh=0.3)
    sent(log, TEN + 20 * SECOND, power_kw=36.0)
    assert sent(log, TEN + 30 * SECOND, energy_register_kwh=101.0).reading.consumption_kwh == 0.6
    assert math.isclose(sum(energies(log)), 1.0)


@pytest.mark.parametrize(
    ("power", "apart"), [(360.0, False), (270.0, False), (269.0, True), (480.0, False), (490.0, True)]
)
def test_energy_and_power_that_are_far_apart_are_flagged_and_nothing_is_changed(
    power: float, apart: bool
) -> None:
    output = sent(a_log(), TEN, consumption_kwh=1.0, power_kw=power)
    assert ("ENERGY_POWER_MISMATCH" in output.flags, output.reading.consumption_kwh) == (apart, 1.0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"energy_register_kwh": "100"}, "NOT_A_NUMBER"),
        ({"energy_register_kwh": -1}, "NEGATIVE"),
        ({"energy_register_kwh": 100_000}, "OUT_OF_RANGE"),
        ({"power_kw": -0.5}, "NEGATIVE"),
        ({"power_kw": 1000.5}, "OUT_OF_RANGE"),
        ({"energy_kwh": True}, "NOT_A_NUMBER"),
        ({"voltage": 230}, "MISSING_FIELD"),
    ],
)
def test_a_reading_without_sound_energy_is_a_dead_letter(fields: dict[str, Any], reason: str) -> None:
    log = a_log(register_digits=5)
    log.read({"meter_id": "A", "timestamp": format_instant(TEN), **fields})
    assert [letter.reasons for letter in log.of(DeadLetter)] == [(reason,)]


def test_what_comes_too_late_counts_nothing() -> None:
    log = a_log()
    registers(log, 100.0)
    log.tick("14:00:00")
    log.read({"meter_id": "A", "timestamp": format_instant(TEN + 10 * SECOND), "energy_register_kwh": 100.1})
    assert [event.reading.consumption_kwh for event in log.of(LateEvent)] == [0.0]
    assert sent(log, at("14:00:10"), energy_register_kwh=100.5).reading.consumption_kwh == 0.5
