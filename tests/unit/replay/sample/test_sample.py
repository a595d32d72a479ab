"""Sample data: realistic, and the same for the same options."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gridwatch.cli import run
from replay.sample.households import MONDAY
from replay.sample.lines import HEADER, lines


def rows(**options: int | bool) -> list[list[str]]:
    wanted = {"meters": 8, "days": 7, "interval": 30, "seed": 1, "start": MONDAY, "by_time": True, **options}
    text = "".join(lines(**wanted))  # type: ignore[arg-type]
    assert text.startswith(HEADER)
    return [line.split(",") for line in text.splitlines()[1:]]


def test_every_meter_has_every_slot() -> None:
    found = rows()
    assert len(found) == 8 * 7 * 48
    assert found[0][:2] == ["METER_0001", "2024-01-01T00:00:00Z"]
    assert found[-1][:2] == ["METER_0008", "2024-01-07T23:30:00Z"]


def test_the_order_changes_nothing_but_the_order() -> None:
    by_meter = rows(by_time=False)
    assert sorted(by_meter) == sorted(rows())
    assert by_meter == sorted(by_meter)


def test_seeds_tell_data_apart_and_options_repeat_it() -> None:
    assert rows() == rows()
    assert rows(seed=2) != rows()


def test_fewer_days_are_the_beginning_of_more() -> None:
    assert rows(days=2) == rows()[: 8 * 2 * 48]


@pytest.mark.parametrize("interval", [1, 15, 60, 1440])
def test_any_interval_gives_its_slots(interval: int) -> None:
    assert len(rows(interval=interval, days=2, meters=2)) == 2 * 2 * 1440 // interval


def test_seconds_have_slots_too_and_the_energy_of_a_day_stays_about_the_same() -> None:
    short = list(lines(2, 1, 10 / 60, 1, MONDAY, True))
    assert short[1].splitlines()[0].split(",")[2].count("0") < 8
    cells = [line.split(",") for piece in short[1:] for line in piece.splitlines()]
    assert len(cells) == 2 * 8640
    assert [cell[1] for cell in cells[:4:2]] == ["2024-01-01T00:00:00Z", "2024-01-01T00:00:10Z"]
    minutes = sum(float(kwh) for *_, kwh in rows(meters=2, days=1, interval=1))
    assert sum(float(cell[2]) for cell in cells) == pytest.approx(minutes, rel=0.1)


def test_evenings_are_busier_than_nights_and_nothing_is_negative_or_absurd() -> None:
    found = rows(meters=60)
    by_hour: dict[str, list[float]] = {}
    for _, stamp, kwh in found:
        by_hour.setdefault(stamp[11:13], []).append(float(kwh))
    assert sum(by_hour["19"]) > 1.5 * sum(by_hour["04"])
    values = [float(kwh) for *_, kwh in found]
    assert min(values) >= 0.0
    assert max(values) < 15.0
    assert len(set(values)) > 300


def test_the_suffix_decides_on_compression_and_the_file_is_the_same_each_time(tmp_path: Path) -> None:
    plain, packed, again = (str(tmp_path / name) for name in ("a.csv", "a.csv.gz", "b.csv.gz"))
    for path in (plain, packed, again):
        assert run(["sample", "--meters", "3", "--days", "1", "-o", path]) == 0
    assert gzip.decompress(Path(packed).read_bytes()) == Path(plain).read_bytes()
    assert Path(packed).read_bytes() == Path(again).read_bytes()


def test_the_form_of_london_is_read_by_its_profile_and_holds_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "london.csv")
    options = ["--meters", "3", "--days", "2", "--profile", "london", "--order", "meter", "-o", path]
    assert run(["sample", *options]) == 0
    capsys.readouterr()
    assert run(["replay", path, "--profile", "auto", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["profile"], found["rows"], found["order_found"]) == ("london", 3 * 96, "by meter")
    plain = sum(round(float(kwh) * 1_000_000) for *_, kwh in rows(meters=3, days=2, seed=0))
    assert found["found"]["energy_micro_kwh"] == plain


def test_london_is_every_half_hour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "--profile", "london", "--interval", "15m", "-o", str(tmp_path / "x.csv")]) == 2
    assert "every 30m" in capsys.readouterr().err


def test_a_dash_is_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "--meters", "1", "--days", "1", "--interval", "12h", "-o", "-"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("METER_0001,2024-01-01T00:00:00Z,")


@pytest.mark.parametrize(
    "options",
    [["--interval", "1.5s"], ["--interval", "2d"], ["--meters", "0"], ["--start", "monday"], ["--days", "x"]],
)
def test_wrong_use_is_exit_2(options: list[str], tmp_path: Path) -> None:
    assert run(["sample", *options, "-o", str(tmp_path / "x.csv")]) == 2


def test_a_place_that_cannot_be_written_is_exit_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "-o", str(tmp_path / "no" / "x.csv")]) == 1
    assert "cannot be written" in capsys.readouterr().err
