"""What customers download from their utility: each published layout, its directions and its clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError
from replay.files.detection.detect import detect
from replay.files.job import Flow, Selection
from replay.files.profiles import PROFILES
from replay.files.reading.opening import sniff
from replay.files.reading.reader import read_rows
from replay.files.sources import Source
from replay.files.tally import Tally
from tests.unit.replay.public_sets import UTC

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PGE = 'Name,X\nAddress,"1 A ST, CITY"\nAccount Number,1\nService,Service 1\n\nTYPE,DATE,START TIME,END TIME,'
SCE = 'Energy Usage Information\n"For location: 1 MAIN ST"\n\nDetailed Usage\n\n'
SCE_TITLE = '"Data for period starting: 2013-05-0{day} 00:00:00  for 24 hours"\n'
SCE_HEADER = "Energy {flow} time period,Usage(Real energy in kilowatt-hours),Reading quality\n"
ENEDIS = (
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;"
    "Etape metier;Unite;"
    "Pas en minutes\n00000000000001;Courbe de charge;29/10/2023;30/10/2023;Energie active;{flow};"
    "Brut;{unit};\n"
)
CURVE = "Horodate;Valeur\n2024-01-01T00:30:00+01:00;1000\n2024-01-01T01:00:00+01:00;2000\n"
DSMR = "electricity_delivered_1,electricity_returned_1,electricity_delivered_2,electricity_returned_2"

#: profile, text, kWh by (meter, day and time in UTC).
FILES: dict[str, tuple[str, str, dict[tuple[str, str], float]]] = {
    "pge usage and units": (
        "pge",
        PGE + "USAGE,UNITS,COST,NOTES\nElectric usage,2023-11-05,00:00,00:59,0.50,kWh,$0.15,\n"
        "Electric usage,2023-11-05,01:00,01:59,0.60,kWh,$0.15\n"
        "Electric usage,2023-11-05,01:00,01:59,0.70,kWh,$0.15\n"
        "Natural gas usage,2023-11-05,01:00,01:59,9,therms,$0.15\n",
        {("F", "05 07:00"): 0.5, ("F", "05 08:00"): 0.6, ("F", "05 09:00"): 0.7},
    ),
    "pge import and export": (
        "pge",
        PGE + "IMPORT (kWh),EXPORT (kWh),COST,NOTES\nElectric usage,2025-06-01,05:00,05:59,0.60,0.00,$0.18\n"
        "Electric usage,2025-06-01,06:00,06:59,0.30,-0.10,$0.09\n",
        {("F", "01 12:00"): 0.6, ("F-export", "01 12:00"): 0.0, ("F", "01 13:00"): 0.3,
        ("F-export", "01 13:00"): 0.1},
    ),
    "pge below zero": (
        "pge",
        PGE + "USAGE (kWh),COST,NOTES\nElectric usage,2025-06-01,05:00,05:14,0.60,$0.18,\n"
        "Electric usage,2025-06-01,05:15,05:29,-0.30,$0.09,\n"
        "Electric usage,2025-06-01,05:30,05:44,0.1,$0.09,\n",
        {
            ("F", "01 12:00"): 0.6, ("F", "01 12:15"): 0.0, ("F-export", "01 12:15"): 0.3,
            ("F", "01 12:30"): 0.1,
            ("F-export", "01 12:30"): 0.0,
        },
    ),
    "sce by sections": (
        "sce",
        SCE + SCE_TITLE.format(day=1) + SCE_HEADER.format(flow="consumption")
        + '"2013-05-01 00:00:00\xa0to 2013-05-01 01:00:00","0.210",""\n\n' + SCE_TITLE.format(day=2)
        + SCE_HEADER.format(flow="consumption") + '"2013-05-02 00:00:00\xa0to 2013-05-02 00:15:00",'
        '"0.310",""\n',
        {("F", "01 07:00"): 0.21, ("F", "02 07:00"): 0.31},
    ),
    "sce delivered and received": (
        "sce",
        SCE + SCE_HEADER.format(flow="delivered") + '"2024-11-03 00:45:00 to 2024-11-03 01:00:00",1,\n'
        '"2024-11-03 01:45:00 to 2024-11-03 01:00:00",2,\n"2024-11-03 01:45:00 to 2024-11-03 02:00:00",3,\n'
        + SCE_HEADER.format(flow="received") + '"2024-11-03 00:45:00 to 2024-11-03 01:00:00",4,\n',
        {("F", "03 07:45"): 1.0, ("F", "03 08:45"): 2.0, ("F", "03 09:45"): 3.0,
        ("F-export", "03 07:45"): 4.0},
    ),
    "sce by columns": (
        "sce",
        SCE + "Date,Energy Consumption time Period Start,Energy Consumption time Period End,"
        "Delivered,Received\n"
        '"07/28/2025 ","07/28/2025 12:00AM ","07/28/2025 12:15AM ","0.480","0.000"\n'
        '"07/28/2025 ","07/28/2025 12:15PM ","07/28/2025 12:30PM ","0.470","0.340"\n',
        {
            ("F", "28 07:00"): 0.48, ("F-export", "28 07:00"): 0.0, ("F", "28 19:15"): 0.47,
            ("F-export", "28 19:15"): 0.34,
        },
    ),
    "datadis": (
        "datadis",
        "cups;fecha;hora;consumo_kWh;metodoObtencion;energiaVertida_kWh\nES1;2024/10/27;02:00;0,102;Real;0,5\n"
        "ES1;2024/10/27;03:00;0,103;Real;NULL\nES1;2024/10/27;03:00;0,104;Real;\nES1;2024/10/27;24:00;0,106;Estimada;\n",
        {
            ("ES1", "26 23:00"): 0.102, ("ES1-export", "26 23:00"): 0.5, ("ES1", "27 00:00"): 0.103,
            ("ES1", "27 01:00"): 0.104, ("ES1", "27 22:00"): 0.106,
        },
    ),
    "e-distribución": (
        "datadis",
        "CUPS;Fecha;Hora;AE_kWh;AS_kWh;AE_AUTOCONS_kWh;REAL/ESTIMADO\nES1;31/03/2024;2;0,1;0;;R\n"
        "ES1;31/03/2024;3;0,2;0;;R\nES1;31/03/2024;23;0,3;0;;E\n",
        {
            ("ES1", "31 00:00"): 0.1, ("ES1-export", "31 00:00"): 0.0, ("ES1", "31 01:00"): 0.2,
            ("ES1-export", "31 01:00"): 0.0, ("ES1", "31 21:00"): 0.3, ("ES1-export", "31 21:00"): 0.0,
        },
    ),
    "fluvius in Dutch": (
        "fluvius",
        "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;"
        "Volume;Eenheid;"
        'Validatiestatus;Omschrijving\n27-10-2024;02:45:00;27-10-2024;02:00:00;="541";1S;'
        'Digitale meter;Afname Dag;0,1;'
        'kWh;Gevalideerd;\n27-10-2024;02:45:00;27-10-2024;03:00:00;="541";1S;Digitale meter;'
        'Afname Nacht;0,2;kWh;'
        'Gevalideerd;\n27-10-2024;02:45:00;27-10-2024;03:00:00;="541";1S;Digitale meter;'
        'Injectie Nacht;0,4;kWh;'
        "Gevalideerd;\n",
        {("541", "27 00:45"): 0.1, ("541", "27 01:45"): 0.2, ("541-export", "27 01:45"): 0.4},
    ),
    "homewizard by tariff": (
        "homewizard",
        "time,Import T1 kWh,Import T2 kWh,Export T1 kWh,Export T2 kWh,L1 max W\n"
        "2024-01-01 00:00,100,200,50,30,0\n"
        "2024-01-01 00:15,100.5,200.1,50.2,30.05,1200\n",
        {("F", "31 23:00"): 0.6, ("F-export", "31 23:00"): 0.25},
    ),
    "dsmr": (
        "dsmr",
        f"read_at,{DSMR}\n2024-01-01 00:00:00+01:00,100,50,200,30\n"
        f"2024-01-01 00:00:10+01:00,100.001,50,200.002,30\n",
        {("F", "31 23:00"): 0.003, ("F-export", "31 23:00"): 0.0},
    ),
    "enedis": (
        "enedis",
        ENEDIS.format(flow="Consommation", unit="W") + "\n" + CURVE,
        {("00000000000001", "31 23:00"): 0.5, ("00000000000001", "31 23:30"): 1.0},
    ),
    "enedis production in Wh": (
        "enedis",
        ENEDIS.format(flow="Production", unit="Wh") + CURVE,
        {("00000000000001-export", "31 23:00"): 1.0, ("00000000000001-export", "31 23:30"): 2.0},
    ),
    "enedis by its other header": (
        "enedis",
        "Identifiant PRM;12345678901234;\n"
        + CURVE.replace("Horodate;Valeur", "horodate ISO fin de pas;puissance moyenne (W)"),
        {("12345678901234", "31 23:00"): 0.5, ("12345678901234", "31 23:30"): 1.0},
    ),
    "e-redes": (
        "e-redes",
        "Nome;X\nCPE;PT0002\n\nData;Hora;Consumo registado (kW);Injeção na rede (kW);Consumo reativa (kVAr)\n"
        "2024-10-26;23:45;1,2;0,4;1\n2024-10-26;24:00;1,6;0;1\n2024-10-27;00:15;0,4;0;1\n",
        {
            ("F", "26 22:30"): 0.3, ("F-export", "26 22:30"): 0.1, ("F", "26 22:45"): 0.4,
            ("F-export", "26 22:45"): 0.0, ("F", "26 23:00"): 0.1, ("F-export", "26 23:00"): 0.0,
        },
    ),
    "n3rgy": (
        "n3rgy",
        "timestamp (UTC),energyConsumption (kWh)\n2023-06-01 00:00,0.1\n2023-06-01 00:30,0.2\n",
        {("F", "01 00:00"): 0.1, ("F", "01 00:30"): 0.2},
    ),
    "octopus": (
        "octopus",
        "Consumption (kwh), Estimated Cost Inc. Tax (p), Standing Charge Inc. Tax (p), Start, End\n"
        "0.028, 0.71, 1.1, 2024-10-27T01:30:00+01:00, 2024-10-27T01:00:00+00:00\n"
        "0.03, 0.71, 1.1, 2024-10-27T01:00:00+00:00, 2024-10-27T01:30:00+00:00\n",
        {("F", "27 00:30"): 0.028, ("F", "27 01:00"): 0.03},
    ),
}  # fmt: skip


def written(which: str, folder: Path) -> tuple[Path, str, dict[tuple[str, str], float]]:
    profile, text, truth = FILES[which]
    path = folder / "F.csv"
    path.write_text(text, encoding="utf-8")
    return path, profile, truth


def read(
    path: Path, profile: str, flow: Flow = "both", tally: Tally | None = None
) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    blocks = read_rows(path, PROFILES[profile], "UTC", Selection(flow=flow), tally or Tally(), skip_bad=False)
    for block in blocks:
        for time, meter, kwh, _, _ in block:
            key = (meter, f"{EPOCH + timedelta(microseconds=time):%d %H:%M}")
            assert key not in found
            found[key] = kwh
    return found


@pytest.mark.parametrize("which", FILES)
def test_what_is_in_the_file_is_sent(which: str, tmp_path: Path) -> None:
    path, profile, truth = written(which, tmp_path)
    assert read(path, profile) == truth


@pytest.mark.parametrize("which", [name for name in FILES if name != "n3rgy"])
def test_one_direction_is_the_part_of_both(which: str, tmp_path: Path) -> None:
    path, profile, truth = written(which, tmp_path)
    consumption = {key: kwh for key, kwh in truth.items() if not key[0].endswith("-export")}
    if consumption:
        assert read(path, profile, "consumption") == consumption
    assert read(path, profile, "generation") == {key: truth[key] for key in truth.keys() - consumption.keys()}


@pytest.mark.parametrize("which", [name for name in FILES if name not in ("e-distribución", "datadis")])
def test_auto_finds_the_profile(which: str, tmp_path: Path) -> None:
    path, profile, _ = written(which, tmp_path)
    found, why = detect([Source(path)])
    assert (found.name, bool(why)) == (profile, True)


@pytest.mark.parametrize("which", FILES)
def test_no_other_profile_takes_the_file_for_its_own(which: str, tmp_path: Path) -> None:
    path, profile, _ = written(which, tmp_path)
    start = sniff(Source(path))
    assert [name for name, one in PROFILES.items() if one.recognise and one.recognise(start)] == [profile]


def test_quality_codes_are_kept(tmp_path: Path) -> None:
    path, profile, _ = written("datadis", tmp_path)
    blocks = read_rows(path, PROFILES[profile], "UTC", Selection(), Tally(), skip_bad=False)
    members = [row[4] for block in blocks for row in block]
    assert sum('"DATADIS_ESTIMADA"' in one for one in members) == 1
    assert all('"interval_minutes":60' in one for one in members)


def test_the_interval_between_two_stamps_is_given(tmp_path: Path) -> None:
    path, profile, _ = written("octopus", tmp_path)
    blocks = read_rows(path, PROFILES[profile], "UTC", Selection(), Tally(), skip_bad=False)
    assert {row[3] for block in blocks for row in block} == {30}


def test_tariffs_of_one_time_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "F.csv"
    lines = [
        f'22/10/2023;00:{n}:00;22/10/2023;00:{n + 15}:00;="541";1S;Digital meter;{register};'
        f"{n / 100};kWh;Read;"
        for n in (15, 30)
        for register in ("Offtake Day", "Offtake Night", "Injection Day")
    ]
    header = FILES["fluvius in Dutch"][1].splitlines()[0]
    for dutch, english in (
        ("Van (datum)", "From (date)"),
        ("Van (tijdstip)", "From (time)"),
        ("Tot (datum)", "Until (date)"),
        ("Tot (tijdstip)", "Until (time)"),
        ("EAN-code", "EAN code"),
        ("Eenheid", "Unit"),
    ):
        header = header.replace(dutch, english)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    assert read(path, "fluvius") == {
        ("541", "21 22:15"): 0.3, ("541-export", "21 22:15"): 0.15,
        ("541", "21 22:30"): 0.6, ("541-export", "21 22:30"): 0.3,
    }  # fmt: skip


def test_a_curve_in_a_unit_that_is_no_energy_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "F.csv"
    path.write_text(ENEDIS.format(flow="Consommation", unit="VA") + CURVE)
    with pytest.raises(GridwatchError, match="column Unite: 'VA' is no unit of energy or power"):
        read(path, "enedis")
