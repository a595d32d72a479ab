"""The end of a day under its own date (2024-01-01 00:00 for 24:00) is refused, or read right by a key."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.job import Selection
from replay.files.profiles import PROFILES, Profile, load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import HOUR, at

COLUMNS = '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'
WRONG = "midnight behind the last hour of the same date"


def ends(days: int, step: int = 30, *, own: bool = True, offset: str = "") -> list[str]:
    """The ends of intervals of some days from 2024-01-01 on, midnight under its `own` date or the next."""
    found = []
    for end in range(step, days * 1440 + 1, step):
        moment = datetime(2024, 1, 1) + timedelta(minutes=end)
        if own and end % 1440 == 0:
            moment -= timedelta(days=1)
        found.append(f"{moment:%Y-%m-%dT%H:%M}{offset}")
    return found


def lines(stamps: list[str], meters: int = 1, *, by_time: bool = False) -> list[str]:
    names = [f"M{n}" for n in range(meters)]
    pairs = [(m, s) for s in stamps for m in names] if by_time else [(m, s) for m in names for s in stamps]
    return [f"{meter},{stamp},{n}" for n, (meter, stamp) in enumerate(pairs)]


def read(folder: Path, rows: list[str], profile: Profile, *, skip_bad: bool = False) -> list[Row]:
    path = folder / "a.csv"
    path.write_text("\n".join(["m,t,v", *rows]) + "\n")
    blocks = read_rows(path, profile, "UTC", Selection(), Tally(), skip_bad=skip_bad)
    return [row for block in blocks for row in block]


def custom(folder: Path, keys: str = "", columns: str = COLUMNS) -> Profile:
    toml = folder / "p.toml"
    toml.write_text(f"{keys}\n{columns}")
    return load_custom(toml)


KEYS = {
    "plain": "",
    "end": 'anchor = "end"\ninterval = "{step}m"',
    "start": 'anchor = "start"\ninterval = "{step}m"',
    "power": 'unit = "kW"\nanchor = "end"\ninterval = "{step}m"',
    "register": "difference = true",
    "stamps": 'unit = "kW"\nanchor = "end"\ninterval = "stamps"',
}


@pytest.mark.parametrize("keys", ["plain", "end", "start", "power"])
@pytest.mark.parametrize("step", [15, 30, 60])
@pytest.mark.parametrize("days", [1, 2, 4])
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
def test_the_end_of_a_day_under_its_own_date_is_refused(
    way: int, days: int, step: int, keys: str, tmp_path: Path
) -> None:
    profile = custom(tmp_path, KEYS[keys].format(step=step))
    with pytest.raises(GridwatchError, match=rf"a\.csv, line \d+, column t: {WRONG}") as raised:
        read(tmp_path, lines(ends(days, step)[::way]), profile)
    assert 'midnight = "end"' in raised.value.remedy


@pytest.mark.parametrize("keys", ["plain", "end"])
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
def test_it_is_refused_where_days_go_the_other_way_than_their_hours(
    way: int, keys: str, tmp_path: Path
) -> None:
    days = [ends(3)[at : at + 48][::way] for at in (0, 48, 96)][::-way]
    rows = lines([stamp for day in days for stamp in day])
    with pytest.raises(GridwatchError, match=WRONG):
        read(tmp_path, rows, custom(tmp_path, KEYS[keys].format(step=30)))
    right = [ends(3, own=False)[at : at + 48][::way] for at in (0, 48, 96)][::-way]
    rows = lines([stamp for day in right for stamp in day])
    assert len(read(tmp_path, rows, custom(tmp_path))) == 144


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("meters", [3, 3000])
@pytest.mark.parametrize("days", [1, 3])
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
def test_it_is_refused_among_many_meters(
    way: int, days: int, meters: int, by_time: bool, tmp_path: Path
) -> None:
    with pytest.raises(GridwatchError, match=WRONG):
        read(tmp_path, lines(ends(days, 60)[::way], meters, by_time=by_time), custom(tmp_path))


@pytest.mark.parametrize("offset", ["+01:00", "Z", "-05:00", ":00+00:00", ":00.000Z", ":00"])
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
def test_it_is_refused_with_offsets_too(way: int, offset: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=WRONG):
        read(tmp_path, lines(ends(3, offset=offset)[::way]), custom(tmp_path))


@pytest.mark.parametrize("keys", ["plain", "end"])
def test_it_cannot_be_skipped_as_one_bad_row(keys: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=WRONG) as raised:
        read(tmp_path, lines(ends(3)), custom(tmp_path, KEYS[keys].format(step=30)), skip_bad=True)
    assert "--skip-bad" not in raised.value.remedy


def test_it_is_refused_in_the_plain_form(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("meter_id,timestamp,kwh\n" + "".join(f"{line}\n" for line in lines(ends(3))))
    with pytest.raises(GridwatchError, match=WRONG):
        list(read_rows(path, PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False))


@pytest.mark.parametrize("split", ["", 'dst = "split"\n'])
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
@pytest.mark.parametrize("days", [1, 3])
def test_it_is_refused_in_a_file_with_a_column_a_meter(
    days: int, way: int, split: str, tmp_path: Path
) -> None:
    keys = f'shape = "meters"\ncells = "[AB]"\ninterval = "30m"\n{split}'
    profile = custom(tmp_path, keys, '[columns]\ntimestamp = "t"\n')
    path = tmp_path / "a.csv"
    path.write_text("t,A,B\n" + "".join(f"{stamp},1,2\n" for stamp in ends(days)[::way]))
    with pytest.raises(GridwatchError, match=WRONG):
        list(read_rows(path, profile, "UTC", Selection(), Tally(), skip_bad=False))


RIGHT = {
    "next date": ends(3, own=False),
    "from midnight on": [stamp.replace("T24", "T00") for stamp in ["2024-01-01T00:00", *ends(3, own=False)]],
    "a day without its first": [stamp for stamp in ends(3, own=False) if not stamp.endswith("02T00:00")],
    "only midnights": ["2024-01-01T00:00", "2024-01-02T00:00", "2024-01-03T00:00"],
    "hours 6 and 18 without midnight": ["2024-01-01T06:00", "2024-01-01T18:00", "2024-01-01T00:00"],
}


@pytest.mark.parametrize("stamps", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
def test_other_midnights_are_what_they_say(way: int, stamps: list[str], tmp_path: Path) -> None:
    for meters, by_time in ((1, False), (3, False), (3, True)):
        rows = lines(stamps[::way], meters, by_time=by_time)
        assert len(read(tmp_path, rows, custom(tmp_path))) == len(rows)


def test_a_meter_that_began_later_in_its_only_day_is_no_sign(tmp_path: Path) -> None:
    day = ends(1)[:-1]
    whole = ["2024-01-01T00:00", *ends(3, own=False)]
    rows = [f"A,{stamp},1" for stamp in day] + [f"B,{stamp},1" for stamp in whole]
    assert len(read(tmp_path, rows, custom(tmp_path))) == len(rows)
    rows = [f"A,{stamp},1" for stamp in day] + [f"B,{stamp},1" for stamp in whole[:48]]
    assert len(read(tmp_path, rows, custom(tmp_path))) == len(rows)


@pytest.mark.parametrize("keys", ["plain", "end", "power", "register", "stamps"])
@pytest.mark.parametrize("way", [1, -1], ids=["forwards", "backwards"])
def test_a_profile_reads_it_as_the_end_of_its_day(way: int, keys: str, tmp_path: Path) -> None:
    said = KEYS[keys].format(step=30)
    stamps = ends(3)
    late = [stamp.replace("T00:00", "T24:00") for stamp in stamps]
    found = read(tmp_path, lines(stamps)[::way], custom(tmp_path, f'midnight = "end"\n{said}'))
    assert found == read(tmp_path, lines(late)[::way], custom(tmp_path, said))
    both = [one if n % 2 else other for n, (one, other) in enumerate(zip(stamps, late, strict=True))]
    assert found == read(tmp_path, lines(both)[::way], custom(tmp_path, f'midnight = "end"\n{said}'))


def test_the_end_of_a_day_is_local_midnight(tmp_path: Path) -> None:
    keys = 'midnight = "end"\nanchor = "end"\ninterval = "1h"\nzone = "Europe/Berlin"'
    found = read(tmp_path, lines(ends(1, 60)), custom(tmp_path, keys))
    assert [row[0] for row in found] == [at("00:00") + (n - 1) * HOUR for n in range(24)]
    assert found == read(tmp_path, lines(ends(1, 60, offset=":00")), custom(tmp_path, keys))


@pytest.mark.parametrize(("offset", "hours"), [("+01:00", 1), ("Z", 0), (":00+00:00", 0), ("-05:00", -5)])
def test_the_end_of_a_day_is_that_of_its_offset(offset: str, hours: int, tmp_path: Path) -> None:
    keys = 'midnight = "end"\nanchor = "end"\ninterval = "1h"\nzone = "Europe/Berlin"'
    found = read(tmp_path, lines(ends(2, 60, offset=offset)), custom(tmp_path, keys))
    assert [row[0] for row in found] == [at("00:00") + (n - hours) * HOUR for n in range(48)]


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ('anchor = "start"', COLUMNS),
        ('interval = "30m"\nanchor = "end"', f'{COLUMNS}slot = "s"\n'),
        ("", f'{COLUMNS}until = "u"\n'),
        ('shape = "day"\ncells = "[0-9]+"', '[columns]\nmeter_id = "m"\ntimestamp = "t"\n'),
        ('interval = "1d"\nanchor = "end"', COLUMNS),
        ('stamps = ["%Y-%m-%d"]', COLUMNS),
    ],
)
def test_the_key_does_not_go_with_stamps_that_are_no_ends(keys: str, columns: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="midnight: does not go with"):
        custom(tmp_path, f'midnight = "end"\n{keys}', columns)
