"""The soak's judgement: what rises after the warm-up is growth, what rose in it is not."""

from __future__ import annotations

import os
import random

import pytest

from benchmarks.measuring.samples import FILES_NOISE, MEMORY_NOISE, Samples, growth, page

SECOND = 1_000_000
WARM = 100 * SECOND


def line(values: list[float]) -> list[tuple[int, float]]:
    return [(second * SECOND, value) for second, value in enumerate(values)]


def test_a_steady_rise_is_growth() -> None:
    assert not growth(line([100 + second / 4 for second in range(300)]), WARM, MEMORY_NOISE).ok


def test_a_rise_that_ends_with_the_warm_up_is_none() -> None:
    assert growth(line([min(second, 90) * 3.0 for second in range(300)]), WARM, MEMORY_NOISE).ok


def test_noise_and_a_saw_tooth_are_none() -> None:
    chance = random.Random(4)
    noisy = [150 + chance.uniform(-20, 20) + second % 20 for second in range(300)]
    assert growth(line(noisy), WARM, MEMORY_NOISE).ok


def test_a_file_left_open_every_ten_seconds_is_growth() -> None:
    assert not growth(line([40.0 + second // 10 for second in range(300)]), WARM, FILES_NOISE).ok


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="let it go on for longer"):
        growth(line([1.0] * 105), WARM, MEMORY_NOISE)


def test_a_process_is_sampled_and_plotted_and_one_that_is_gone_is_left_out() -> None:
    here, gone = Samples(), Samples()
    here.take(os.getpid())
    here.take(os.getpid())
    gone.take(None)
    assert [value > 1 for _, value in here.memory] == [True, True]
    assert [value > 1 for _, value in here.files] == [True, True]
    shown = page("a <soak>", ["all & well"], {"here": here, "gone": gone}, 0)
    assert shown.count("<svg") == 2
    assert "a &lt;soak&gt;" in shown
    assert "all &amp; well" in shown
    assert "gone" not in shown
