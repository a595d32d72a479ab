"""Every kind of file: what is in it is what is sent, to the micro-kWh, also on days when clocks change."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.faults import FaultPlan, Faults
from replay.files.detection.detect import detect
from replay.files.job import Flow, Selection
from replay.files.profiles import PROFILES, Profile
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.sources import Source
from replay.files.tally import Tally
from replay.order.emission import EmissionPlan, emit
from replay.order.time_order import TimeOrder
from tests.unit.replay import public_sets, real_sets
from tests.unit.replay.public_sets import Truth

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def with_days_first(text: str, truth: Truth) -> tuple[str, Truth]:
    """The edition of London with Acorn groups."""
    lines = re.sub(r"(\d{4})-(\d\d)-(\d\d) ([\d:]{8})\.0{7}", r"\3/\2/\1 \4", text).splitlines()
    rows = [lines[0] + ",Acorn,Acorn_grouped", *(line + ",ACORN-A,Affluent" for line in lines[1:])]
    return "\n".join(rows), truth


SETS: dict[str, tuple[str, str, Callable[[], tuple[str | bytes, Truth]]]] = {
    "london": ("london", "london.csv", public_sets.london),
    "london with days first": (
        "london",
        "london.csv",
        lambda: with_days_first(*public_sets.london()),
    ),
    "london-kaggle": ("london-kaggle", "block_0.csv", public_sets.kaggle),
    "london-kaggle wide": ("london-kaggle", "block_1.csv", public_sets.kaggle_wide),
    "uci": ("uci", "LD2011_2014.txt", public_sets.uci),
    "cer": ("cer", "File1.txt", public_sets.cer),
    "cer counted on": ("cer", "File1.txt", lambda: public_sets.cer(False)),
    "ausgrid 2010": ("ausgrid", "2010.csv", public_sets.ausgrid),
    "ausgrid 2012": ("ausgrid", "2012.csv", lambda: public_sets.ausgrid("%d/%m/%Y")),
    "nem12": ("nem12", "nem12.csv", public_sets.nem12),
    "nem12 without last columns": ("nem12", "nem12.csv", lambda: public_sets.nem12(updated=False)),
    "green-button": ("green-button", "gb.xml", public_sets.green_button),
    "green-button types first": ("green-button", "gb.xml", lambda: public_sets.green_button(False)),
    "esb kW": ("esb", "HDF.csv", public_sets.esb),
    "esb kWh": ("esb", "HDF.csv", lambda: public_sets.esb("kWh", newest_first=False)),
    "goiener": ("goiener", "0a1b2c.csv", public_sets.goiener),
    "goiener raw": ("goiener", "0a1b2c.csv", lambda: public_sets.goiener(False)),
    "simbench": ("simbench", "LoadProfile.csv", public_sets.simbench),
    "simbench real": ("simbench", "LoadProfile.csv", real_sets.simbench),
    "nem12 real meters": ("nem12", "nem12.csv", lambda: real_sets.nem12("multiple_meters")),
    "nem12 real qualities": ("nem12", "nem12.csv", lambda: real_sets.nem12("multiple_quality")),
    "nem12 real intervals": ("nem12", "nem12.csv", lambda: real_sets.nem12("different_interval_length")),
}  # fmt: skip


def written(folder: Path, which: str) -> tuple[Path, Profile, Truth]:
    name, file, make = SETS[which]
    text, truth = make()
    path = folder / file
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path, PROFILES[name], truth


def read(
    path: Path, profile: Profile, tally: Tally | None = None, *, skip_bad: bool = False, flow: Flow = "both"
) -> list[Row]:
    blocks = read_rows(path, profile, "UTC", Selection(flow=flow), tally or Tally(), skip_bad=skip_bad)
    return [row for block in blocks for row in block]


def sent(rows: list[Row]) -> list[Row]:
    """The readings of the sequence that a replay of these rows sends."""
    with TimeOrder(lambda: iter([rows])) as order:
        items = emit(order.blocks(), Faults(FaultPlan()), EmissionPlan(10_000_000, 900_000_000))
        return [item.row for item in items if item.row is not None]


def energy_by_day(values: Iterable[tuple[str, datetime, Decimal]]) -> dict[tuple[str, str], Decimal]:
    """Micro-kWh by meter and UTC day."""
    days: dict[tuple[str, str], Decimal] = {}
    for meter, time, kwh in values:
        day = (meter, f"{time:%Y-%m-%d}")
        days[day] = days.get(day, Decimal(0)) + kwh * 1_000_000
    return days


def instant(row: Row) -> datetime:
    return EPOCH + timedelta(microseconds=row[0])


@pytest.mark.parametrize("which", SETS)
def test_energy_in_is_energy_sent_by_meter_and_day(which: str, tmp_path: Path) -> None:
    path, profile, truth = written(tmp_path, which)
    rows = list(dict.fromkeys(sent(read(path, profile))))
    assert energy_by_day((row[1], instant(row), Decimal(repr(row[2]))) for row in rows) == energy_by_day(
        (meter, time, kwh) for (meter, time), kwh in truth.items()
    )


@pytest.mark.parametrize("which", SETS)
def test_every_reading_is_sent_at_the_start_of_its_interval(which: str, tmp_path: Path) -> None:
    path, profile, truth = written(tmp_path, which)
    rows = sent(read(path, profile))
    assert {(row[1], instant(row)) for row in rows} == set(truth)
    for row in rows:
        assert Decimal(repr(row[2])) == truth[row[1], instant(row)]


@pytest.mark.parametrize("which", SETS)
def test_the_record_that_is_sent_is_json_with_the_interval(which: str, tmp_path: Path) -> None:
    path, profile, _ = written(tmp_path, which)
    for _, _, kwh, interval, extras in read(path, profile):
        record = json.loads(f'{{"consumption_kwh":{kwh!r}{extras}}}')
        assert record["interval_minutes"] == interval


@pytest.mark.parametrize("which", SETS)
def test_auto_finds_the_profile_and_says_why(which: str, tmp_path: Path) -> None:
    path, profile, _ = written(tmp_path, which)
    found, why = detect([Source(path)])
    assert found.name == profile.name
    assert why


def test_auto_knows_the_plain_form(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id;timestamp;kwh\nM;2024-01-01T10:00Z;1\n")
    assert detect([Source(tmp_path / "m.csv")])[0].name == "spec"


def test_auto_asks_where_two_fit_and_where_none_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.csv"
    path.write_text("LCLid,tstp,KWH/hh,energy(kWh/hh)\nM,2012-01-01 00:00:00,1,1\n")
    with pytest.raises(UsageProblem, match=r"no profile fits: it looks like london .*; .* london-kaggle"):
        detect([Source(path)])
    with (
        monkeypatch.context() as patch,
        pytest.raises(UsageProblem, match=r"several profiles fit: london .*; lon"),
    ):
        patch.setattr("replay.files.detection.detect.objections", lambda *_: [])
        detect([Source(path)])
    path.write_text("colour,weight\nred,1\n")
    with pytest.raises(UsageProblem, match="no profile fits; it begins: 'colour,weight'"):
        detect([Source(path)])


def test_auto_does_not_mix_kinds(tmp_path: Path) -> None:
    first, second = written(tmp_path, "cer")[0], written(tmp_path, "uci")[0]
    with pytest.raises(UsageProblem, match=r"File1.txt looks like cer, .*LD2011_2014.txt like uci"):
        detect([Source(first), Source(second)])


def test_null_values_are_no_readings_and_are_counted(tmp_path: Path) -> None:
    tally = Tally()
    path, profile, _ = written(tmp_path, "london")
    assert len(read(path, profile, tally)) == 122  # with one duplicate of each meter, for the worker to see
    assert tally.null_values == 2


def test_an_hour_that_holds_two_is_halved_and_flagged(tmp_path: Path) -> None:
    tally = Tally()
    path, profile, _ = written(tmp_path, "uci")
    rows = read(path, profile, tally)
    assert (tally.split_hours, tally.skipped_hours) == (8, 8)
    assert sum('"flags":["DST_SPLIT"]' in row[4] for row in rows) == 16


def test_energy_in_an_hour_that_the_clocks_skipped_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ld.txt"
    path.write_text('"";"MT_001"\n"2011-03-27 01:30:00";4,5\n')
    with pytest.raises(GridwatchError, match=r"line 2, column .*does not exist in Europe/Lisbon"):
        read(path, PROFILES["uci"])


def test_quality_codes_are_kept_as_flags(tmp_path: Path) -> None:
    flags: dict[str, Counter[str]] = {}
    for which in ("nem12", "nem12 real qualities", "green-button", "goiener", "ausgrid 2010"):
        path, profile, _ = written(tmp_path, which)
        found = (json.loads("{" + row[4][1:] + "}").get("flags", []) for row in read(path, profile))
        flags[which] = Counter(flag for one in found for flag in one)
    # Two channels of energy: a day of A, one of S14, and of the variable day 20 A and 20 E52.
    assert flags["nem12"] == {"NEM12_A": 2 * 68, "NEM12_S14": 2 * 48, "NEM12_E52": 2 * 20}
    assert flags["green-button"] == {"ESPI_8": 48, "ESPI_17": 48}
    assert flags["nem12 real qualities"] == {"NEM12_F14": 20, "NEM12_A": 4, "NEM12_S14": 24}
    assert flags["goiener"] == {"GOIENER_IMPUTED": 7}
    assert flags["ausgrid 2010"] == {"AUSGRID_NA": 3 * 48}


def test_quality_codes_are_few_and_short(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        f"id,timestamp,kwh,flags\nM,2024-01-01T10:00Z,1,{'x' * 99} {' '.join('abcdefghijklmnopqrs')}\n"
    )
    codes = json.loads("{" + read(path, PROFILES["spec"])[0][4][1:] + "}")["flags"]
    assert codes == ["X" * 64, *"ABCDEFGHIJKLMNO"]


@pytest.mark.parametrize(
    ("which", "consumption", "generation"),
    [
        ("ausgrid 2010", {"1-GC", "1-CL"}, {"1-GG"}),
        ("nem12", {"6001000163-E1"}, {"6001000163-B1"}),
        ("green-button", {"9b6c-01"}, {"9b6c-01-export"}),
        ("esb kW", {"10000000001"}, {"10000000001-export"}),
    ],
)
def test_consumption_and_generation_are_meters_of_their_own(
    which: str, consumption: set[str], generation: set[str], tmp_path: Path
) -> None:
    path, profile, _ = written(tmp_path, which)
    assert {row[1] for row in read(path, profile, flow="consumption")} == consumption
    assert {row[1] for row in read(path, profile, flow="generation")} == generation
    assert {row[1] for row in read(path, profile)} == consumption | generation


def test_what_is_no_energy_is_counted(tmp_path: Path) -> None:
    for which, count in (("nem12", 4 * 48), ("green-button", 48), ("esb kW", 1)):
        tally = Tally()
        path, profile, _ = written(tmp_path, which)
        read(path, profile, tally)
        assert tally.other_series == count


def test_an_interval_that_the_days_of_nem12_do_not_have_is_mended_and_noted(tmp_path: Path) -> None:
    text, truth = public_sets.nem12(claimed=15)
    (tmp_path / "nem.csv").write_text(text)
    tally = Tally()
    rows = read(tmp_path / "nem.csv", PROFILES["nem12"], tally)
    assert {(row[1], instant(row)) for row in rows} == set(truth)
    assert any("15 in the 200 record, its days have 48 values: taken as 30" in note for note in tally.notes)


def test_channels_that_are_no_energy_are_named(tmp_path: Path) -> None:
    path, profile, _ = written(tmp_path, "nem12")
    tally = Tally()
    read(path, profile, tally)
    assert tally.notes["channels in kVArh are no energy: left out"] == 4


def days_of_new_york(unit: int) -> str:
    """Green Button: three days around each change of the clocks, 1000 W or Wh each."""
    text = public_sets.green_button()[0].replace("<powerOfTenMultiplier>-3<", "<powerOfTenMultiplier>0<")
    clocks = ZoneInfo("America/New_York")
    readings = ""
    for day in (11, 12, 13, 238 + 11, 239 + 11, 240 + 11):
        midnights = [datetime(2023, 3, 1) + timedelta(days=day + n - 1) for n in (0, 1)]
        start, end = (int(at.replace(tzinfo=clocks).timestamp()) for at in midnights)
        readings += (
            f"<IntervalReading><timePeriod><duration>{end - start}</duration><start>{start}</start>"
            "</timePeriod><value>1000</value></IntervalReading>"
        )
    head, _, rest = text.replace("<uom>72<", f"<uom>{unit}<").partition("<IntervalReading>")
    return head + readings + rest[rest.index("</IntervalBlock>") :]


@pytest.mark.parametrize(("unit", "kwh"), [(72, [1, 1, 1, 1, 1, 1]), (38, [24, 23, 24, 24, 25, 24])])
def test_days_of_23_and_25_hours_are_days(unit: int, kwh: list[int], tmp_path: Path) -> None:
    (tmp_path / "gb.xml").write_text(days_of_new_york(unit))
    rows = read(tmp_path / "gb.xml", PROFILES["green-button"], flow="consumption")
    assert [(row[2], row[3]) for row in rows] == [(one, 1440) for one in kwh]


def test_readings_without_a_time_follow_on_each_other(tmp_path: Path) -> None:
    text, truth = public_sets.green_button()
    period = re.compile(r"<timePeriod>.*?</timePeriod>")
    first = "<interval><duration>172800</duration><start>1331355600</start></interval>"
    text = period.sub("", text).replace("<IntervalBlock>", f"<IntervalBlock>{first}")
    # An entry may hold several blocks: the second one begins with the hourly meter's reading number 20.
    parts = text.split("<IntervalReading>")
    second = first.replace("1331355600", str(1331355600 + 20 * 3600))
    parts[20] += f"</IntervalBlock><IntervalBlock>{second}"
    text = "<IntervalReading>".join(parts)
    (tmp_path / "gb.xml").write_text(text)
    rows = read(tmp_path / "gb.xml", PROFILES["green-button"])
    assert {(row[1], instant(row)) for row in rows} == set(truth)


def test_sums_of_months_are_no_readings(tmp_path: Path) -> None:
    text, _ = public_sets.green_button()
    (tmp_path / "gb.xml").write_text(text.replace(">3600</intervalLength>", ">2678400</intervalLength>"))
    tally = Tally()
    rows = read(tmp_path / "gb.xml", PROFILES["green-button"], tally)
    assert {row[1] for row in rows} == {"9b6c-01-export"}
    assert tally.other_series == 96


def test_files_of_one_name_are_one_meter_and_that_is_noted(tmp_path: Path) -> None:
    tally = Tally()
    for year in ("2018", "2019"):
        (tmp_path / year).mkdir()
        path = tmp_path / year / "0a1b2c.csv"
        path.write_text(f"timestamp,kWh\n{year}-06-01 00:00:00,1\n")
        assert [row[1] for row in read(path, PROFILES["goiener"], tally)] == ["0a1b2c"]
    assert [note.endswith("have the same name: taken as one meter") for note in tally.notes] == [True]


def test_nem12_that_ends_early_is_noted(tmp_path: Path) -> None:
    (tmp_path / "nem.csv").write_text(public_sets.nem12()[0].replace("900\r\n", ""))
    tally = Tally()
    read(tmp_path / "nem.csv", PROFILES["nem12"], tally)
    assert any("no 900 record" in note for note in tally.notes)


@pytest.mark.parametrize("row", ["300,20040205,", "300,20040205,V,,,20040202120025,"])
def test_a_day_of_nem12_without_any_value_is_no_reading(row: str, tmp_path: Path) -> None:
    text, truth = public_sets.nem12()
    (tmp_path / "nem.csv").write_text(
        text.replace("200,6001000163,E1B1Q1,1,B1", f"{row}\r\n200,6001000163,E1B1Q1,1,B1")
    )
    tally, plain = Tally(), Tally()
    (tmp_path / "plain.csv").write_text(text)
    read(tmp_path / "plain.csv", PROFILES["nem12"], plain)
    assert len(read(tmp_path / "nem.csv", PROFILES["nem12"], tally)) == len(truth)
    assert tally.null_values == plain.null_values + 48
