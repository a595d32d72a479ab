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


@pytest.mark.parametrize("header", ["time;site1_power;temp", "time;A;B"])
def test_columns_of_a_logger_are_not_those_of_simbench(header: str, tmp_path: Path) -> None:
    path = tmp_path / "M7.csv"
    path.write_text(f"{header}\n31.03.2024 01:45;0,5;0,1\n31.03.2024 03:00;0,5;0,1\n")
    with pytest.raises(UsageProblem, match="no profile fits"):
        detect([Source(path)])
