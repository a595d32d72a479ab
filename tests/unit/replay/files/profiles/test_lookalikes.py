"""Files that resemble those of a portal and hold something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.detection.detect import detect
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading.reader import read_rows
from replay.files.sources import Source
from replay.files.tally import Tally

ENEDIS = (
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;"
    "Etape metier;Unite\n"
    "12345678901234;{data};01/06/2024;03/06/2024;Energie active;Consommation;Comptage Brut;Wh\n"
    "Horodate;Valeur\n2024-06-01T00:00:00+02:00;10000\n2024-06-02T00:00:00+02:00;22000\n"
)


@pytest.mark.parametrize("data", ["Index", "Consommation quotidienne"])
def test_registers_and_daily_sums_of_enedis_are_refused(data: str, tmp_path: Path) -> None:
    path = tmp_path / "M7.csv"
    path.write_text(ENEDIS.format(data=data))
    with pytest.raises(GridwatchError, match=f"line 2, column Type de donnees: '{data}' is not a load curve"):
        list(read_rows(path, PROFILES["enedis"], "UTC", Selection(), Tally(), skip_bad=False))


def read(path: Path, text: str) -> list[tuple[float, int]]:
    """kWh and interval of each reading of an Enedis file."""
    path.write_text(text)
    blocks = read_rows(path, PROFILES["enedis"], "UTC", Selection(), Tally(), skip_bad=False)
    return [(row[2], row[3]) for block in blocks for row in block]


HOURS = ENEDIS.replace("2024-06-02T00:00:00", "2024-06-01T01:00:00")


@pytest.mark.parametrize("data", ["Energie", "Énergie active"])
def test_energy_of_enedis_is_read_in_watt_hours(data: str, tmp_path: Path) -> None:
    assert read(tmp_path / "M7.csv", HOURS.format(data=data)) == [(10.0, 60), (22.0, 60)]


def test_energy_of_enedis_in_watts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        GridwatchError, match="line 2, column Unite: 'W' is a power, and the type of the data is"
    ):
        read(tmp_path / "M7.csv", HOURS.format(data="Energie").replace(";Wh\n", ";W\n"))


def test_daily_energy_of_enedis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="line 5, column Horodate: values 24 hours apart: sums of days"):
        read(tmp_path / "M7.csv", ENEDIS.format(data="Energie"))


FLUVIUS = (
    "From (date);From (time);Until (date);Until (time);EAN code;Meter;Meter type;Register;Volume;Unit;"
    "Validation status;Description\n"
)


def fluvius(path: Path, *rows: str, tally: Tally | None = None) -> list[float]:
    """kWh of each reading of a Fluvius file with rows such as `00:15 Offtake Day 1`."""
    lines = []
    for row in rows:
        clock, way, tariff, value = row.split()
        until = f"{clock[:3]}{int(clock[3:]) + 15:02d}"
        lines.append(
            f'22/10/2023;{clock}:00;22/10/2023;{until}:00;="541000000000000001";1SAG1;Digital meter;'
            f"{way} {tariff};{value};kWh;Read;\n"
        )
    path.write_text(FLUVIUS + "".join(lines))
    blocks = read_rows(path, PROFILES["fluvius"], "UTC", Selection(), tally or Tally(), skip_bad=False)
    return [row[2] for block in blocks for row in block]


def test_two_tariffs_of_fluvius_at_one_time_are_added_up(tmp_path: Path) -> None:
    rows = ["00:00 Offtake Day 1", "00:00 Offtake Night 2", "00:00 Injection Day 4", "00:15 Offtake Night 8"]
    assert sorted(fluvius(tmp_path / "a.csv", *rows)) == [3.0, 4.0, 8.0]


def test_a_part_does_not_replace_the_sum_of_tariffs_of_fluvius(tmp_path: Path) -> None:
    rows = ["00:00 Offtake Day 1", "00:00 Offtake Night 2", "00:15 Offtake Night 8", "00:00 Offtake Day 1"]
    with pytest.raises(GridwatchError, match=r"line 5, column Register: a second value of this tariff"):
        fluvius(tmp_path / "a.csv", *rows)
    tally = Tally()
    assert sorted(fluvius(tmp_path / "a.csv", *rows[:3], tally=tally)) == [3.0, 8.0]
    with pytest.raises(GridwatchError, match=r"b\.csv, line 2, .*another file has this time of the meter"):
        fluvius(tmp_path / "b.csv", rows[0], tally=tally)
    assert fluvius(tmp_path / "c.csv", rows[2], tally=tally) == [8.0]


@pytest.mark.parametrize("header", ["time;site1_power;temp", "time;A;B"])
def test_columns_of_a_logger_are_not_those_of_simbench(header: str, tmp_path: Path) -> None:
    path = tmp_path / "M7.csv"
    path.write_text(f"{header}\n31.03.2024 01:45;0,5;0,1\n31.03.2024 03:00;0,5;0,1\n")
    with pytest.raises(UsageProblem, match="no profile fits"):
        detect([Source(path)])
