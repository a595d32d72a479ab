"""What a meter remembers of its stamps is what a dictionary would."""

from __future__ import annotations

import random

from replay.truth.remembered import Remembered


def test_stamps_in_any_order_have_their_last_value() -> None:
    chance = random.Random(3)
    remembered, plain = Remembered(), dict[int, float]()
    for number in range(5_000):
        time, horizon = number * 10 + chance.choice([0, 0, 0, -10, -30, -400]), number * 10 - 500
        remembered.put(time, float(number), horizon)
        plain[time] = float(number)
        for asked in (time, time - 10, time - 250, time + 5, number * 10 - 500):
            if asked >= horizon:
                assert remembered.value(asked) == plain.get(asked)
                assert (asked in remembered) == (asked in plain)


def test_what_is_too_old_is_forgotten() -> None:
    remembered = Remembered()
    for time in range(10_000):
        remembered.put(time, 1.0, time - 100)
    assert 5_000 not in remembered
    assert 9_950 in remembered
