"""Anomalies as they are scored and shown."""

from __future__ import annotations

from pathlib import Path

from gridwatch.cli.scoring.anomalies import AnomalyScore, KindScore, joined
from gridwatch.cli.scoring.page import write_page
from gridwatch.cli.scoring.stored import FoundAnomaly
from gridwatch.cli.scoring.sums import Sums
from gridwatch.cli.scoring.text import text
from replay.scoring.score import Found, Score
from replay.truth.manifest import InjectedAnomaly, Manifest


def episode(first: int, to: int, meter: str = "M", fault: str = "surge") -> InjectedAnomaly:
    return InjectedAnomaly(meter, fault, "SPIKE", first, to, 5.0)


def scored() -> AnomalyScore:
    result = AnomalyScore(meter_years=0.5, windows=1000, unsure_windows=7, meters=3, meters_left_out=1)
    result.kinds["SPIKE"] = KindScore(5, 4, 3, 1, {"low": 6, "medium": 0, "high": 1, "critical": 0}, 5, 2)
    result.kinds["DROP"].stored["low"] = 2
    result.missed = ["SPIKE missed: M"]
    return result


def test_the_parts_of_an_episode_are_one_again() -> None:
    parts = [
        episode(20, 30), episode(0, 10), episode(10, 20), episode(40, 50), episode(45, 60),
        episode(30, 40, fault="spike"), episode(60, 70, "N"),
    ]  # fmt: skip
    assert [(one.meter, one.fault, one.first, one.to) for one in joined(parts)] == [
        ("M", "spike", 30, 40), ("M", "surge", 0, 30), ("M", "surge", 40, 60), ("N", "surge", 60, 70),
    ]  # fmt: skip
    assert list(joined([])) == []


def test_an_anomaly_overlaps_what_has_time_in_common_with_it() -> None:
    ended, open_ = (FoundAnomaly("M", "SPIKE", "low", "low", 10, end) for end in (20, None))
    assert [ended.overlaps(*span) for span in ((0, 10), (0, 11), (19, 30), (20, 30))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [open_.overlaps(*span) for span in ((0, 10), (1000, 2000))] == [False, True]


def test_recall_is_of_what_is_decided() -> None:
    result = scored()
    assert result.kinds["SPIKE"].recall == 0.75
    assert result.kinds["VOLTAGE"].recall == 1.0
    assert list(result.rows) == ["SPIKE", "DROP", "overall"]
    assert result.total.stored == {"low": 8, "medium": 0, "high": 1, "critical": 0}
    assert result.as_dict()["false_alarms_per_meter_year"] == 4.0


def test_the_text_has_a_table_and_each_miss() -> None:
    said = text(Score(), [], Sums(), scored(), 20).splitlines()
    spike = next(line for line in said if line.startswith("SPIKE  "))
    assert spike.split() == ["SPIKE", "5", "4", "3", "1", "0.7500", "6", "0", "1", "0", "5", "2"]
    assert "SPIKE missed: M" in said
    assert any("in no episode of their meter: 2, 4.00 a meter-year" in line for line in said)
    assert any("7 of 1,000 windows" in line and "1 of 3 meters" in line for line in said)
    assert "anomalies" not in text(Score(), [], Sums(), None, 20)


def test_the_page_has_the_table_where_there_is_one(tmp_path: Path) -> None:
    truth = Manifest({"first": "", "last": ""}, 0, 10, None, 0)
    truth.head["settled_to"] = None
    for anomalies in (scored(), None):
        page = tmp_path / "score.html"
        write_page(page, truth, Found(), Score(), [], sums=Sums(), anomalies=anomalies)
        assert ('<table id="anomalies">' in page.read_text()) == (anomalies is not None)
