"""Inputs made after public reports of wrong numbers: what is in them is sent, or an error says why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.job import Selection
from replay.files.profiles import PROFILES, Profile, load_custom
from replay.files.reading.reader import read_rows
from replay.files.tally import Tally
from tests.unit.replay.rig import CASES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(file: str, profile: str | Profile, tally: Tally | None = None) -> dict[tuple[str, str], float]:
    """kWh by meter and instant; no two readings of one."""
    folder = CASES / file.partition("/")[0]
    if isinstance(profile, str):
        profile = load_custom(folder / profile) if profile.endswith(".toml") else PROFILES[profile]
    found: dict[tuple[str, str], float] = {}
    for block in read_rows(CASES / file, profile, "UTC", Selection(), tally or Tally(), skip_bad=False):
        for time, meter, kwh, _, _ in block:
            key = (meter, f"{EPOCH + timedelta(microseconds=time):%d %H:%M}")
            assert key not in found
            found[key] = kwh
    return found


def total(found: dict[tuple[str, str], float], meter: str) -> float:
    return round(sum(kwh for (name, _), kwh in found.items() if name == meter), 9)


def test_import_and_export_that_alternate_keep_their_hours() -> None:
    found = read("esb-import-export-alternate-fallback/HDF_kW_10000000001.csv", "esb")
    expected = (CASES / "esb-import-export-alternate-fallback/expected.txt").read_text().splitlines()[1:]
    assert len(found) == 2 * len(expected)
    for line in expected:
        time, imported, exported = line.split()
        key = f"{time[8:10]} {time[11:16]}"
        assert found["10000000001", key] == float(imported)
        assert found["10000000001-export", key] == float(exported)
    alone = read("esb-import-export-alternate-fallback/import_only.csv", "esb")
    assert alone == {key: kwh for key, kwh in found.items() if key[0] == "10000000001"}


def test_a_direction_beside_a_meter_that_the_file_names() -> None:
    found = read("direction-column-no-meter-column/tauron.csv", "profile.toml")
    assert {meter for meter, _ in found} == {"tauron", "tauron-export"}
    assert (total(found, "tauron"), total(found, "tauron-export")) == (0.3, 7.0)
    assert min(time for _, time in found) == "30 22:00"


@pytest.mark.parametrize("file", ["enel", "enel_no_trailing"])
def test_a_day_a_line_of_a_meter_that_the_file_names(file: str) -> None:
    found = read(f"day-a-line-no-meter-column/{file}.csv", "profile.toml")
    assert len(found) == 192
    assert total(found, file) == 19.488


def test_an_offset_behind_a_blank() -> None:
    found = read("offset-behind-a-blank/wattics.csv", "profile.toml")
    assert found == {("M1", "28 23:30"): 0.1, ("M1", "29 00:30"): 0.2, ("M1", "29 01:30"): 0.3}


def test_rows_longer_or_shorter_than_the_header_by_empty_cells() -> None:
    folder = "rows-longer-or-shorter-than-header"
    assert total(read(f"{folder}/edc.csv", "edc.toml"), "859182400000000001") == 0.75
    assert total(read(f"{folder}/peco.csv", "peco.toml"), "peco") == 0.63


@pytest.mark.parametrize("profile", ["pge.toml", "pge"])
def test_date_and_time_in_two_columns(profile: str) -> None:
    assert read("pge-csv/pge.csv", profile) == {
        ("pge", "05 07:00"): 0.5, ("pge", "05 08:00"): 0.6, ("pge", "05 09:00"): 0.7,
        ("pge", "05 10:00"): 0.8,
    }  # fmt: skip


def test_a_form_without_hour_beside_a_column_of_times_is_an_error() -> None:
    with pytest.raises(UsageProblem, match="stamps: no hour, and an interval of 60 min"):
        read("pge-csv/pge.csv", "date_only.toml")


def test_hours_from_1_to_25_are_the_hours_of_the_day_in_order() -> None:
    found = read("datadis/datadis.csv", "datadis")
    times = [f"{datetime(2024, 10, 26, 22) + timedelta(hours=n):%d %H:%M}" for n in range(25)]
    assert list(found.values()) == [round(0.101 + n / 1000, 3) for n in range(25)]
    assert [time for _, time in found] == times


@pytest.mark.parametrize("profile", ["datadis.toml", "datadis"])
def test_24_00_is_the_last_hour_of_its_day(profile: str) -> None:
    found = read("datadis/datadis_hhmm.csv", profile)
    assert len(found) == 24
    assert found["ES0031000000000000AA0F", "26 21:00"] == 0.124


def test_a_form_that_the_file_has_not_is_an_error_that_names_the_line() -> None:
    with pytest.raises(GridwatchError, match=r"datadis.csv, line 2, column Fecha: not a time"):
        read("datadis/datadis.csv", "datadis.toml")


def test_stamps_in_parts_registers_by_tariff_and_quoted_ids() -> None:
    assert read("fluvius/fluvius.csv", "fluvius") == {
        ("541000000000000001", "21 22:15"): 0.173,
        ("541000000000000001-export", "21 22:15"): 0.5,
    }


def test_dates_alone_in_a_file_of_quarter_hours_are_an_error() -> None:
    with pytest.raises(
        GridwatchError, match=r"no stamp of the file has an hour.*timestamp = \[\"Date\", \"Time\"\]"
    ):
        read("fluvius/fluvius.csv", "fluvius.toml")


def test_power_counts_over_the_step_that_was() -> None:
    tally = Tally()
    found = read("enedis/Enedis_Conso_Heure.csv", "enedis", tally)
    assert found == {
        ("00000000000001", "28 22:00"): 0.12, ("00000000000001", "28 23:00"): 0.2,
        ("00000000000001", "29 00:00"): 0.3, ("00000000000001", "29 01:00"): 0.4,
        ("00000000000001", "29 02:00"): 0.2, ("00000000000001", "29 02:30"): 0.2,
    }  # fmt: skip
    assert any("steps that vary: 60 min × 4, 30 min × 2" in note for note in tally.notes)


def test_power_in_steps_that_are_not_the_interval_is_an_error() -> None:
    with pytest.raises(
        GridwatchError, match=r"line 7, column Valeur: the stamps are 60 min apart and the interval is 30"
    ):
        read("enedis/Enedis_Conso_Heure.csv", "enedis.toml")


def test_registers_are_differences_by_their_profile() -> None:
    found = read("register-reads/homewizard.csv", "homewizard")
    assert len(found) == 22
    assert (total(found, "homewizard"), total(found, "homewizard-export")) == (0.11, 0.22)


@pytest.mark.parametrize(
    ("file", "profile", "meter"),
    [("homewizard", "homewizard.toml", "Import kWh"), ("spec_cumulative", "spec", "M1")],
)
def test_values_that_never_fall_are_told(file: str, profile: str, meter: str) -> None:
    tally = Tally()
    read(f"register-reads/{file}.csv", profile, tally)
    assert any(f"the values of {meter} never fall over 12 readings" in note for note in tally.notes)
    assert any("difference = true" in note for note in tally.notes)


def test_an_encoding_that_is_not_utf_8_is_told_with_the_key_that_names_it() -> None:
    with pytest.raises(
        GridwatchError, match=r"netz.csv, line 1: .*not UTF-8, which 'Zählpunkt' shows"
    ) as raised:
        read("windows-1252/netz.csv", "netz.toml")
    assert 'encoding = "cp1252"' in str(raised.value)


def test_a_file_in_windows_1252_is_read_with_its_key(tmp_path: Path) -> None:
    toml = tmp_path / "netz.toml"
    toml.write_text('encoding = "cp1252"\n' + (CASES / "windows-1252/netz.toml").read_text(encoding="utf-8"))
    found = read("windows-1252/netz.csv", load_custom(toml))
    assert found == read("windows-1252/netz_utf8.csv", "netz.toml")
    assert round(sum(found.values()), 9) == 0.51


def test_a_line_that_names_the_delimiter_is_no_header() -> None:
    assert list(read("sep-line/sep.csv", "spec").values()) == [0.5, 0.6]


def test_a_day_of_50_columns() -> None:
    found = read("n3rgy-day-of-50/day50.csv", "day50.toml")
    assert len(found) == 98
    start = datetime(2023, 10, 28, 23)
    for n in range(50):
        assert found["M1", f"{start + timedelta(minutes=30 * n):%d %H:%M}"] == n / 100
    assert found["M1", "30 23:30"] == 0.47
