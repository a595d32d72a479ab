"""What stands when a value comes twice: the source's own version, then the later row, then the later file."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gridwatch.cli import run
from gridwatch.errors import GridwatchError
from replay.files.job import BLOCK_ROWS, Selection
from replay.files.profiles import PROFILES, load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.sources import expand
from replay.files.tally import Tally
from replay.files.versions import Marked, preceded
from replay.order import sorted_runs
from replay.order.time_order import TimeOrder
from replay.run.inputs import Inputs
from replay.run.request import Request
from replay.run.summary import Summary
from tests.unit.replay.rig import CASES, HOUR, MINUTE, at, row

CORRECTED = CASES / "corrected-reading-is-smaller"
HEADER = "meter_id,timestamp,consumption_kwh\n"
#: Rows sorted at once: all in memory, in order and packed, on disk in few and in many runs.
RUN_ROWS = [10_000, 40, 9, 2]


def ordered(paths: list[Path], profile: str = "spec", run_rows: int = 10_000) -> list[Row]:
    def read() -> Any:
        for source in expand(paths):
            yield from read_rows(source, PROFILES[profile], "UTC", Selection(), Tally(), skip_bad=False)

    with TimeOrder(read, run_rows=run_rows) as order:
        return [one for block in order.blocks() for one in block]


def stands(rows: list[Row]) -> dict[tuple[str, int], float]:
    """Of rows as they are sent, the last ones."""
    return {(one[1], one[0]): one[2] for one in rows}


def values(rows: list[Row], time: int) -> list[float]:
    return [one[2] for one in rows if one[0] == time]


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["replay", "--dry-run", "--json", *arguments]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def csv(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{one}\n" for one in rows))
    return path


@pytest.mark.parametrize("files", [["both-in-one.csv"], ["day1.csv", "day2.csv"]])
def test_a_correction_that_is_smaller_stands(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    paths = [CORRECTED / name for name in files]
    rows = ordered(paths)
    corrected = [one for one in rows if one[2] in (9.9, 0.4)]
    assert [one[2] for one in corrected] == [9.9, 0.4]
    assert round(sum(stands(rows).values()), 9) == 1.9
    found = dry_run(capsys, *map(str, paths))["found"]
    assert (found["energy_micro_kwh"], found["contradicting_duplicates"]) == (1_900_000, 1)


def test_the_later_file_of_the_command_stands_whatever_its_name(tmp_path: Path) -> None:
    first = csv(tmp_path, "b.csv", "M,2024-01-01T10:00:00Z,9")
    second = csv(tmp_path, "a.csv", "M,2024-01-01T10:00:00Z,1")
    assert values(ordered([first, second]), at("10:00")) == [9.0, 1.0]
    assert values(ordered([second, first]), at("10:00")) == [1.0, 9.0]


def test_files_of_a_folder_and_of_an_archive_go_by_name_and_numbers_count(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    names = ["export_10.csv", "export_9.csv", "export_2.csv"]
    for name in names:
        csv(folder, name, f"M,2024-01-01T10:00:00Z,{name[7:-4]}")
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        for name in names:
            archive.write(folder / name, name)
    for path in (folder, folder / "*.csv", tmp_path / "files.zip"):
        assert values(ordered([path]), at("10:00")) == [2.0, 9.0, 10.0]


@pytest.mark.parametrize("run_rows", RUN_ROWS)
@pytest.mark.parametrize("by_meter", [True, False])
def test_rows_of_one_time_and_meter_stay_in_their_order(
    by_meter: bool, run_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorted_runs, "FAN_IN", 4)
    rows = [row(m, at("00:00") + n * HOUR, float(9 - n % 7)) for m in "BAC" for n in range(9)]
    rows += [row("A", at("03:00"), kwh) for kwh in (5.0, 1.0, 5.0, 3.0)]
    rows = rows if by_meter else sorted(rows, key=lambda one: one[0])
    with TimeOrder(
        lambda: iter([rows[n : n + 2] for n in range(0, len(rows), 2)]), run_rows=run_rows
    ) as order:
        found = [one for block in order.blocks() for one in block]
    assert found == sorted(rows, key=lambda one: one[:2])


def test_more_rows_of_one_time_than_a_block_holds_stay_in_their_order() -> None:
    many = [row("M", at("10:00"), float(n * 7919 % 1009)) for n in range(2 * BLOCK_ROWS)]
    rows = [*many, row("M", at("09:00"))]
    with TimeOrder(lambda: iter([rows]), run_rows=3_000) as order:
        first = [one for block in order.blocks() for one in block]
    assert first == [rows[-1], *many]
    with TimeOrder(lambda: iter([many[:9_000], rows[-1:], many[9_000:]]), run_rows=5_000) as order:
        assert [one for block in order.blocks() for one in block] == first


@pytest.mark.parametrize("run_rows", RUN_ROWS)
def test_the_later_line_of_a_wide_file_stands(run_rows: int, tmp_path: Path) -> None:
    lines = ['"";"MT_001";"MT_002"', '"2011-01-01 00:15:00";8,0;4,0', '"2011-01-01 00:30:00";8,0;4,0']
    (tmp_path / "LD.txt").write_text("\n".join([*lines, '"2011-01-01 00:15:00";2,0;6,0']) + "\n")
    rows = ordered([tmp_path / "LD.txt"], "uci", run_rows)
    assert [(one[1], one[2]) for one in rows] == [
        ("MT_001", 2.0), ("MT_001", 0.5), ("MT_002", 1.0), ("MT_002", 1.5), ("MT_001", 2.0), ("MT_002", 1.0),
    ]  # fmt: skip
    hours = ",".join(f"hh_{n}" for n in range(48))
    days = [f"M,2012-10-13,{','.join([kwh] * 48)}" for kwh in ("9", "1")]
    (tmp_path / "block.csv").write_text("\n".join([f"LCLid,day,{hours}", *days]) + "\n")
    assert set(stands(ordered([tmp_path / "block.csv"], "london-kaggle", run_rows)).values()) == {1.0}


def nem12(*days: tuple[str, str, str], serial: str = "S1", nmi: str = "NMI1") -> str:
    """Days of half-hours, each kWh, quality, when updated; a serial number of the device."""
    lines = ["100,NEM12,200405011135,MDA1,Ret1", f"200,{nmi},E1,1,E1,N1,{serial},kWh,30,"]
    for kwh, quality, updated in days:
        cells = kwh if "," in kwh else ",".join([kwh] * 48)
        lines.append(f"300,20040201,{cells},{quality},,,{updated},")
    return "\r\n".join([*lines, "900", ""])


def energy(path: Path | list[Path], run_rows: int = 10_000) -> float:
    paths = path if isinstance(path, list) else [path]
    return round(sum(stands(ordered(paths, "nem12", run_rows)).values()), 9)


@pytest.mark.parametrize("run_rows", RUN_ROWS)
def test_of_nem12_the_day_that_was_updated_last_stands_wherever_it_lies(
    run_rows: int, tmp_path: Path
) -> None:
    old, new = ("9", "A", "20040202000000"), ("1", "S14", "20040305000000")
    for name, days in (("rising.csv", (old, new)), ("falling.csv", (new, old))):
        (tmp_path / name).write_text(nem12(*days))
        rows = ordered([tmp_path / name], "nem12", run_rows)
        assert [one[2] for one in rows][:2] == [9.0, 1.0]
        assert energy(tmp_path / name, run_rows) == 48
    (tmp_path / "1.csv").write_text(nem12(new))
    (tmp_path / "2.csv").write_text(nem12(old))
    assert energy([tmp_path / "1.csv", tmp_path / "2.csv"], run_rows) == 48
    assert energy([tmp_path / "2.csv", tmp_path / "1.csv"], run_rows) == 48


@pytest.mark.parametrize(
    ("first", "second", "kwh"),
    [
        (("1", "A", ""), ("2", "S14", ""), 1),
        (("1", "S14", ""), ("2", "A", ""), 2),
        (("1", "S14", ""), ("2", "F14", ""), 2),
        (("1", "E52", ""), ("2", "S14", ""), 2),
        (("1", "A", "20040202000000"), ("2", "E52", "20040202000000"), 1),
        (("1", "A", ""), ("2", "S14", "20040202000000"), 2),
        (("1", "A", ""), ("2", "A", ""), 2),
    ],
)
def test_of_nem12_updated_at_one_time_the_better_quality_stands_and_then_the_later_row(
    first: tuple[str, str, str], second: tuple[str, str, str], kwh: float, tmp_path: Path
) -> None:
    (tmp_path / "nem.csv").write_text(nem12(first, second))
    assert energy(tmp_path / "nem.csv") == kwh * 48


def replaced(tmp_path: Path, old: str, new: str) -> list[Path]:
    (tmp_path / "old.csv").write_text(nem12((old, "A", "20040202000000"), serial="OLD"))
    (tmp_path / "new.csv").write_text(nem12((new, "S14", "20040301000000"), serial="NEW"))
    return [tmp_path / "old.csv", tmp_path / "new.csv"]


BEFORE = ",".join(["1"] * 20 + ["0.25"] + ["0"] * 27)
AFTER = ",".join(["0"] * 20 + ["0.5"] + ["2"] * 27)


@pytest.mark.parametrize("run_rows", RUN_ROWS)
@pytest.mark.parametrize("old_first", [True, False])
def test_parts_of_a_day_of_two_devices_add_up(old_first: bool, run_rows: int, tmp_path: Path) -> None:
    paths = replaced(tmp_path, BEFORE, AFTER)
    rows = ordered(paths if old_first else paths[::-1], "nem12", run_rows)
    assert [one[2] for one in rows] == [1.0] * 20 + [0.75] + [2.0] * 27
    assert rows[20][3] == 30
    flags = [json.loads("{" + one[4][1:] + "}")["flags"] for one in rows]
    assert (flags[0], flags[20], flags[-1]) == (["NEM12_A"], ["NEM12_A", "NEM12_S14"], ["NEM12_S14"])


def test_a_replaced_meter_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(path) for path in replaced(tmp_path, BEFORE, AFTER)]
    said = dry_run(capsys, *paths, "--profile", "nem12")
    assert said["found"]["energy_micro_kwh"] == 74_750_000
    assert set(said["replaced_meters"]) == {"NMI1-E1"}
    assert run(["replay", "--dry-run", *paths, "--profile", "nem12"]) == 0
    assert "replaced  NMI1-E1: NEW 2004" in capsys.readouterr().out.replace("OLD", "NEW")


@pytest.mark.parametrize("run_rows", RUN_ROWS)
def test_a_correction_of_one_device_is_no_part_of_another_ones_day(run_rows: int, tmp_path: Path) -> None:
    paths = replaced(tmp_path, BEFORE, AFTER)
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(nem12((AFTER.replace("2", "3"), "A", "20040401000000"), serial="NEW"))
    assert energy([*paths, corrected], run_rows) == 20 + 0.75 + 27 * 3


@pytest.mark.parametrize("run_rows", RUN_ROWS)
def test_two_devices_with_energy_all_day_are_an_error_before_anything_is_sent(
    run_rows: int, tmp_path: Path
) -> None:
    paths = replaced(tmp_path, "1", "2")

    def read() -> Any:
        for source in expand(paths):
            yield from read_rows(source, PROFILES["nem12"], "UTC", Selection(), Tally(), skip_bad=False)

    with pytest.raises(GridwatchError, match="NMI1-E1: the devices NEW and OLD both have energy"):
        TimeOrder(read, run_rows=run_rows).__enter__()


def test_a_device_that_is_not_named_is_not_another_one(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(nem12(("9", "A", ""), serial=""))
    (tmp_path / "2.csv").write_text(nem12(("1", "A", ""), serial="S1"))
    assert energy([tmp_path / "1.csv", tmp_path / "2.csv"]) == 48


def test_in_the_order_of_the_file_parts_of_a_day_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(path) for path in replaced(tmp_path, BEFORE, AFTER)]
    assert run(["replay", "--dry-run", "--order", "file", *paths, "--profile", "nem12"]) == 1
    assert "several devices have readings of one time" in capsys.readouterr().err


@pytest.mark.parametrize("lines", [["2,0", "9,1"], ["9,1", "2,0"]])
def test_an_imputed_value_does_not_stand_where_a_measured_one_comes(lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "0a1b2c.csv"
    path.write_text("timestamp,kWh,imputed\n" + "".join(f"2018-06-01 00:00:00,{one}\n" for one in lines))
    assert list(stands(ordered([path], "goiener")).values()) == [2.0]


def green_button(kwh: int, updated: str, quality: str = "") -> str:
    quality = f"<ReadingQuality><quality>{quality}</quality></ReadingQuality>" if quality else ""
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">'
        '<entry><link rel="self" href="ReadingType/1"/><content><ReadingType><uom>72</uom></ReadingType>'
        '</content></entry><entry><link rel="self" href="User/7/UsagePoint/8/MeterReading/1"/>'
        '<link rel="related" href="ReadingType/1"/><content><MeterReading/></content></entry>'
        '<entry><link rel="self" href="User/7/UsagePoint/8/MeterReading/1/IntervalBlock/1"/><content>'
        f"<IntervalBlock><IntervalReading>{quality}<timePeriod><duration>3600</duration>"
        f"<start>1704067200</start></timePeriod><value>{kwh}000</value></IntervalReading></IntervalBlock></content>{updated}</entry></feed>"
    )


@pytest.mark.parametrize(
    ("first", "second", "kwh"),
    [
        ((1, "<updated>2024-03-01T00:00:00Z</updated>"), (2, "<updated>2024-02-01T00:00:00Z</updated>"), 1),
        ((1, "<updated>2024-02-01T00:00:00Z</updated>"), (2, "<updated>2024-03-01T00:00:00Z</updated>"), 2),
        ((1, "", "17"), (2, "", "8"), 1),
        ((1, "", "8"), (2, "", "14"), 2),
        ((2, ""), (1, ""), 1),
    ],
)
def test_of_green_button_the_entry_that_was_updated_last_stands_then_the_better_quality(
    first: tuple[Any, ...], second: tuple[Any, ...], kwh: float, tmp_path: Path
) -> None:
    for name, one in (("1.xml", first), ("2.xml", second)):
        (tmp_path / name).write_text(green_button(*one))
    rows = ordered([tmp_path / "1.xml", tmp_path / "2.xml"], "green-button")
    assert stands(rows) == {("7-8", at("00:00")): kwh}


def test_members_with_some_before_them_are_marked_as_they_were() -> None:
    members = preceded(Marked(',"flags":["A"]', 7, "S1"), ',"interval_minutes":30')
    assert isinstance(members, Marked)
    assert (members, members.version, members.device) == (',"interval_minutes":30,"flags":["A"]', 7, "S1")
    assert preceded("b", "a") == "ab"


def test_an_interval_that_is_given_leaves_versions_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nem.csv"
    path.write_text(nem12(("1", "A", "20040305000000"), ("9", "A", "20040202000000")))
    found = dry_run(capsys, str(path), "--profile", "nem12", "--interval", "30m")["found"]
    assert found["energy_micro_kwh"] == 48_000_000


def test_a_replay_that_goes_on_has_its_files_in_the_same_order(tmp_path: Path) -> None:
    paths = (
        csv(tmp_path, "a.csv", "M,2024-01-01T10:00:00Z,9"),
        csv(tmp_path, "b.csv", "M,2024-01-01T10:00:00Z,1"),
    )

    def identity(*files: Path) -> str:
        return Inputs(Request(files), "UTC", Summary()).identity({})

    assert identity(*paths) == identity(*paths)
    assert identity(*paths) != identity(*paths[::-1])
    (tmp_path / "moved").mkdir()
    moved = [Path(shutil.copy(path, tmp_path / "moved")) for path in paths]
    assert identity(*paths) == identity(*moved) == identity(tmp_path / "moved")


def test_runs_that_were_left_on_disk_keep_the_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rows: list[Row] = [
        (at("10:00") - n % 5 * MINUTE, "M", float(n * 7919 % 101), 0, Marked("", n % 3)) for n in range(200)
    ]
    with TimeOrder(lambda: iter([rows])) as order:
        wanted = [one for block in order.blocks() for one in block]
    with (
        pytest.raises(KeyboardInterrupt),
        TimeOrder(lambda: iter([rows]), run_rows=30, replay="a") as order,
    ):
        raise KeyboardInterrupt
    with TimeOrder(lambda: pytest.fail("read again"), replay="a", resume=True) as order:
        assert [one for block in order.blocks() for one in block] == wanted


ESB = "MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time\n"


def esb(serial: str, values: list[float]) -> list[str]:
    """A day of an MPRN that is counted by a device, in half-hours that stamps name by their ends."""
    ends = [divmod(30 * (slot + 1), 60) for slot in range(47)]
    return [
        f"10000000001,{serial},{value},Active Import Interval (kW),15-01-2024 {hour:02d}:{minute:02d}"
        for (hour, minute), value in zip(ends, values, strict=True)
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_parts_of_a_day_in_which_a_meter_was_replaced_are_added_up_in_files_of_esb(
    turned: bool, tmp_path: Path
) -> None:
    parts = [esb("OLD", [2.0] * 24 + [0.0] * 23), esb("NEW", [0.0] * 24 + [4.0] * 23)]
    for number, part in enumerate(parts[::-1] if turned else parts):
        (tmp_path / f"{number}.csv").write_text(ESB + "\n".join(part) + "\n")
    found = stands(ordered(sorted(tmp_path.glob("*.csv")), "esb"))
    assert sum(found.values()) == 24 * 1.0 + 23 * 2.0


def test_the_same_device_once_more_corrects_in_files_of_esb(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text(ESB + "\n".join([*esb("A", [2.0] * 47), *esb("A", [1.0] * 47)]) + "\n")
    assert sum(stands(ordered([tmp_path / "0.csv"], "esb")).values()) == 47 * 0.5


def test_a_column_of_a_profile_of_ones_own_may_name_the_device(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\ndevice = "d"\n'
    )
    rows = ["A,2024-01-01T10:00Z,1,OLD", "A,2024-01-01T10:00Z,0,NEW", "A,2024-01-01T11:00Z,2,NEW"]
    (tmp_path / "a.csv").write_text("\n".join(["m,t,v,d", *rows]) + "\n")
    profile, source = load_custom(tmp_path / "p.toml"), tmp_path / "a.csv"
    with TimeOrder(lambda: read_rows(source, profile, "UTC", Selection(), Tally(), skip_bad=False)) as order:
        assert [one[2] for block in order.blocks() for one in block] == [1.0, 2.0]


@pytest.mark.parametrize("turned", [False, True])
def test_parts_of_a_day_in_which_a_meter_was_replaced_are_added_up_in_files_of_fluvius(
    turned: bool, tmp_path: Path
) -> None:
    def rows(device: str, values: list[str]) -> list[str]:
        return [
            f"01-01-2024;{hour:02d}:00:00;01-01-2024;{hour:02d}:15:00;5414;{device};Afname Dag;{value};kWh"
            for hour, value in enumerate(values, start=8)
        ]

    header = "From (date);From (time);Until (date);Until (time);EAN code;Meter;Register;Volume;Unit"
    parts = [rows("OLD", ["0,5", "0,25", "0"]), rows("NEW", ["0", "0", "2"])]
    one, other = parts[::-1] if turned else parts
    in_time = [row for pair in zip(one, other, strict=True) for row in pair]
    for number, lines in enumerate(([*one, *other], in_time)):
        path = tmp_path / f"{number}.csv"
        path.write_text("\n".join([header, *lines]) + "\n")
        assert sum(stands(ordered([path], "fluvius")).values()) == 2.75
