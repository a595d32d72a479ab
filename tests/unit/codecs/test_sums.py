"""Windows and bundles on the wire: in the shape of their models, with every character escaped."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from gridwatch.codecs.sums import BUNDLE_VERSION, WindowMessages, encode_bundles
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.outputs import Aggregate, Bundle, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.models.aggregate import Aggregate as Record
from gridwatch.models.partial import Partial
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, REGIONAL_PARTIALS, SMARTMETER, flow

START = 1_704_103_200 * SECOND
ODD = ('M"1\\', "Zähler 7", "x\u2028y", "METER_0001")


def aggregate(draw: random.Random) -> Aggregate:
    length = draw.choice([MINUTE, 15 * MINUTE])

    def perhaps(value: int) -> int | None:
        return draw.choice([None, value])

    return Aggregate(
        draw.choice(ODD),
        START + length * draw.randrange(3),
        length,
        draw.randrange(1, 4),
        draw.choice([None, 'no"rth', "süd"]),
        draw.randrange(9),
        draw.choice([None, 0, 6, 7]),
        draw.randrange(10**12),
        *(perhaps(draw.randrange(-(10**6), 10**9)) for _ in range(6)),
        draw.randrange(6),
        START + draw.randrange(10**6) * 1000,
    )


def scaled(value: int | None, scale: int) -> float | None:
    return None if value is None else value / scale


@pytest.mark.parametrize("seed", range(50))
def test_a_window_has_the_shape_of_its_model(seed: int) -> None:
    draw = random.Random(seed)
    windows = [aggregate(draw) for _ in range(30)]
    encoder = WindowMessages(SMARTMETER)
    for window in windows:
        encoder.add(window)
    for topic, length in ((AGGREGATES_1M, MINUTE), (AGGREGATES_15M, 15 * MINUTE)):
        mine = [window for window in windows if window.length == length]
        messages = encoder.messages[topic.name]
        assert [key.decode() for key, _ in messages] == [window.meter_id for window in mine]
        for (_, value), window in zip(messages, mine, strict=True):
            record = msgspec.json.decode(value, type=Record)
            assert (record.meter_id, record.region, record.revision) == (
                *(window.meter_id, window.region),
                window.revision,
            )
            assert record.id == f"{window.meter_id}@{record.window_start}/{length // MINUTE}m"
            assert (record.reading_count, record.expected_readings) == (window.readings, window.expected)
            whole = min(window.readings, window.expected) if window.expected else None
            exact = None if whole is None or not window.expected else whole / window.expected
            assert record.completeness == (None if exact is None else pytest.approx(exact, abs=5.1e-5))
            assert record.energy_kwh_sum == window.energy / 1e9
            powers = (record.power_kw_avg, record.power_kw_min, record.power_kw_max)
            mw = (window.power, window.lowest_power, window.highest_power)
            assert powers == tuple(scaled(value, 10**6) for value in mw)
            assert record.voltage_avg == scaled(window.voltage, 1000)
            assert record.current_avg == scaled(window.current, 1000)
            assert record.power_factor_avg == scaled(window.power_factor, 10**6)
            assert record.partition == window.partition


def test_completeness_is_rounded_half_to_even() -> None:
    encoder = WindowMessages(SMARTMETER)
    counts = [(1, 3), (2, 3), (1, 16), (3, 16), (7, 6)]
    for readings, expected in counts:
        some: Any = (None,) * 6
        encoder.add(Aggregate("M", START, MINUTE, 1, None, readings, expected, 0, *some, 0, START))
    found = [msgspec.json.decode(value)["completeness"] for _, value in encoder.messages[AGGREGATES_1M.name]]
    assert found == [0.3333, 0.6667, 0.0625, 0.1875, 1.0]


def test_the_windows_of_another_flow_are_in_its_topics() -> None:
    some: Any = (None,) * 6
    window = Aggregate("M", START, MINUTE, 1, None, 1, 1, 0, *some, 0, START)
    assert list(encode_outputs([window], flow("daily"))) == ["daily_aggregates_1m"]


def test_a_bundle_goes_to_its_target_with_all_that_is_in_it() -> None:
    window = RegionWindow('n"', START, 2, False, True, 5, (1,) * 15, 7, 9, 3, 1, 2, 4)
    group = RegionGroup("n", None, "t1", 3, 1, ((START, 1),), ("M1",))
    limit = RegionLimit("n", 4, 12.5, None)
    bundles = [Bundle("smartmeter", 3, target, START, (window,), (group,), (limit,)) for target in (0, 2)]
    messages = encode_bundles(bundles)
    assert list(messages) == [(REGIONAL_PARTIALS.name, 0), (REGIONAL_PARTIALS.name, 2)]
    [(key, value)] = messages[REGIONAL_PARTIALS.name, 2]
    partial = msgspec.json.decode(value, type=Partial)
    assert (key, partial.version, partial.partition) == (b"smartmeter/3", BUNDLE_VERSION, 3)
    assert (partial.windows[0].region, partial.windows[0].minutes) == ('n"', [1] * 15)
    assert (partial.windows[0].initial, partial.windows[0].final, partial.windows[0].flat) == (False, True, 5)
    assert partial.groups[0].openings == [(partial.windows[0].window_start, 1)]
    assert (partial.regions[0].capacity_kw, partial.regions[0].valid_from) == (12.5, None)
    assert encode_outputs(bundles) == {}
