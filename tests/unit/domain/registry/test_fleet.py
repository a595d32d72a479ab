"""A fleet of 10,000 registered meters: exactly the gaps that there are, each with its reason."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from gridwatch.codecs.decode import decode_readings
from gridwatch.domain.policy import HOUR, MINUTE, Policy
from tests.unit.domain.log import Log, at, reading, stamp

HOURS = 30
START = at("00:00:00")


def clock(hour: float) -> str:
    day, rest = divmod(round(hour * 60), 24 * 60)
    return f"2024-01-{1 + day:02}T{rest // 60:02}:{rest % 60:02}:00"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_gap_has_its_reason(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"M{number:05}" for number in range(10_000)]
    chance.shuffle(names)
    silent, suspended, removed, out, broken = (
        set(names[start:stop])
        for start, stop in ((0, 300), (300, 500), (500, 600), (600, 1100), (1100, 1200))
    )
    log = Log(Policy(partitions=1), decode=decode_readings)
    for name in sorted(names):
        log.register(name, interval="1h", transformer="T7" if name in out else "T1")
    log.say(
        "outage", outage_id="O", version=1, scope="transformer", target="T7",
        **{"from": stamp(clock(15)), "until": stamp(clock(18))},
    )  # fmt: skip
    for name in sorted(suspended):
        log.register(name, "suspended", 2, interval="1h", valid_from=stamp(clock(5)))
    for name in sorted(removed):
        log.register(name, "removed", 2, interval="1h", valid_from=stamp(clock(12.5)))

    def speaks(name: str, hour: int) -> bool:
        return not (
            name in silent
            or (name in suspended and hour >= 5)
            or (name in removed and hour >= 8)
            or (name in out and 15 <= hour < 18)
            or (name in broken and 20 <= hour < 22)
        )

    for hour in range(HOURS):
        speaking = [name for name in names if speaks(name, hour)]
        chance.shuffle(speaking)
        log.read(*([reading(name, clock(hour))] for name in speaking))
    log.tick(clock(HOURS - 0.5))

    expected = Counter(
        {
            ("OPEN", 0, 24, "NEVER_HEARD"): 300,
            ("OPEN", 5, HOURS - 5, "PLANNED"): 200,
            ("RETRACTED", 8, 0, "REMOVED"): 100,
            ("CLOSED", 15, 3, "PLANNED"): 500,
            ("CLOSED", 20, 2, "readings came again"): 100,
        }
    )
    found = Counter(
        (gap.state, (gap.missing_from - START) // HOUR, gap.missing_intervals, gap.reason)
        for gap in log.gaps.values()
    )
    assert found == expected
    assert log.partition.open_gaps == 500
    assert log.partition.meters == 9_700
    assert {gap.meter_id for gap in log.gaps.values() if gap.reason == "NEVER_HEARD"} == silent
    assert log.partition.watermark == START + HOURS * HOUR - 30 * MINUTE
