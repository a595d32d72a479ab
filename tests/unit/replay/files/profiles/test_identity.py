"""Two series are never one meter: each has an id of its own, or the run says why it cannot tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.detection.detect import detect
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading.reader import read_rows
from replay.files.sources import Source
from replay.files.tally import Tally
from tests.unit.replay.rig import CASES

HOUR_0 = 1_704_067_200


def energy(path: Path, tally: Tally | None = None) -> dict[str, float]:
    """kWh by meter of a Green Button file."""
    found: dict[str, float] = {}
    blocks = read_rows(path, PROFILES["green-button"], "UTC", Selection(), tally or Tally(), skip_bad=False)
    for _, meter, kwh, _, _ in (row for block in blocks for row in block):
        found[meter] = round(found.get(meter, 0) + kwh, 9)
    return found


def entry(own: str, content: str, *related: str, up: str = "") -> str:
    links = f'<link rel="self" href="{own}"/>' + (f'<link rel="up" href="{up}"/>' if up else "")
    links += "".join(f'<link rel="related" href="{one}"/>' for one in related)
    return f"<entry>{links}<content>{content}</content></entry>"


def kind(name: str, uom: int = 72, direction: int = 1, **further: int) -> str:
    parts = {"uom": uom, "flowDirection": direction, "accumulationBehaviour": 4, **further}
    inside = "".join(f"<{part}>{value}</{part}>" for part, value in parts.items())
    return entry(f"ReadingType/{name}", f"<ReadingType>{inside}</ReadingType>")


def block(own: str, *wh: int, up: str = "", duration: int = 3600, start: int = HOUR_0) -> str:
    readings = "".join(
        f"<IntervalReading><timePeriod><duration>{duration}</duration><start>{start + duration * n}</start>"
        f"</timePeriod><value>{value}</value></IntervalReading>"
        for n, value in enumerate(wh)
    )
    return entry(own, f"<IntervalBlock>{readings}</IntervalBlock>", up=up)


def series(address: str, kind: str, *wh: int, duration: int = 3600, start: int = HOUR_0) -> str:
    """A meter reading of a type with a block below its address."""
    meter = entry(address, "<MeterReading/>", f"ReadingType/{kind}")
    return meter + block(f"{address}/IntervalBlock/1", *wh, duration=duration, start=start)


def feed(folder: Path, *entries: str, name: str = "gb.xml") -> Path:
    path = folder / name
    path.write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">'
        f"{''.join(entries)}</feed>"
    )
    return path


def test_two_usage_points_of_a_file_are_two_meters() -> None:
    found = energy(CASES / "utilityapi-two-usage-points" / "intervals.xml")
    assert found == {"1000-1400001": 2.6, "1000-1400002": 26.0}


def test_demand_beside_energy_is_not_more_energy() -> None:
    tally = Tally()
    assert energy(CASES / "energy-and-demand" / "both.xml", tally) == {"ABC-NB1": 1.0}
    assert tally.other_series == 8
    assert any("power (W) beside the energy of a usage point: left out" in note for note in tally.notes)


def test_power_alone_is_energy(tmp_path: Path) -> None:
    path = feed(tmp_path, kind("kw", 38), series("User/1/UsagePoint/2/MeterReading/1", "kw", 1000, 500))
    assert energy(path) == {"1-2": 1.5}


def test_power_of_another_usage_point_or_direction_is_kept(tmp_path: Path) -> None:
    kinds = kind("kwh"), kind("kw", 38), kind("back", 38, 19)
    path = feed(
        tmp_path,
        *kinds,
        series("User/1/UsagePoint/2/MeterReading/1", "kwh", 1000),
        series("User/1/UsagePoint/2/MeterReading/2", "back", 2000),
        series("User/1/UsagePoint/3/MeterReading/1", "kw", 4000),
    )
    assert energy(path) == {"1-2": 1.0, "1-2-export": 2.0, "1-3": 4.0}


@pytest.mark.parametrize("extreme", [8, 9])
def test_the_highest_power_of_an_interval_is_no_energy(extreme: int, tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        kind("kw", 38, dataQualifier=extreme),
        series("User/1/UsagePoint/2/MeterReading/1", "kw", 1000),
    )
    assert energy(path) == {}


def test_reading_types_of_one_usage_point_are_meters_of_their_own(tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        kind("hours"),
        kind("days"),
        series("User/1/UsagePoint/2/MeterReading/h", "hours", 1000),
        series("User/1/UsagePoint/2/MeterReading/d", "days", 3000),
    )
    assert energy(path) == {"1-2-h": 1.0, "1-2-d": 3.0}


DAY = 86_400
METER = "User/1/UsagePoint/2/MeterReading"


def test_days_beside_hours_are_not_more_energy(tmp_path: Path) -> None:
    tally = Tally()
    hours, days = series(f"{METER}/h", "h", *[10] * 24), series(f"{METER}/d", "d", 240, duration=DAY)
    for at, both in enumerate(((hours, days), (days, hours))):
        path = feed(tmp_path, kind("h"), kind("d"), *both, name=f"{at}.xml")
        assert energy(path, tally) == {"1-2": 0.24}
        note = f"{path}: intervals of 1440 minutes beside 60 minutes of the same usage point: left out"
        assert tally.notes[note] == 1
    assert tally.other_series == 2


def test_of_three_intervals_the_finest_is_taken(tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        *(kind(one, 38) for one in ("quarters", "hours", "days")),
        series(f"{METER}/1", "days", 1000, duration=DAY),
        series(f"{METER}/2", "hours", *[1000] * 24),
        series(f"{METER}/3", "quarters", *[1000] * 96, duration=900),
    )
    assert energy(path) == {"1-2": 24.0}


def test_a_coarser_series_that_reaches_further_is_left_out_whole_and_told(tmp_path: Path) -> None:
    tally = Tally()
    path = feed(
        tmp_path,
        kind("h"),
        kind("d"),
        series(f"{METER}/h", "h", *[10] * 24),
        series(f"{METER}/d", "d", 240, 240, duration=DAY),
    )
    assert energy(path, tally) == {"1-2": 0.24}
    assert any(note.endswith("left out, also where there are no finer ones") for note in tally.notes)


def test_hours_and_days_of_different_times_are_both_taken(tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        kind("h"),
        kind("d"),
        series(f"{METER}/h", "h", *[10] * 24),
        series(f"{METER}/d", "d", 240, duration=DAY, start=HOUR_0 + DAY),
    )
    assert energy(path) == {"1-2-h": 0.24, "1-2-d": 0.24}


@pytest.mark.parametrize("differing", [{"direction": 19}, {"tou": 2}, {"phase": 128}, {"commodity": 2}])
def test_days_of_another_flow_phase_or_tariff_are_kept(differing: dict[str, int], tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        kind("h"),
        kind("d", **differing),
        series(f"{METER}/h", "h", *[10] * 24),
        series(f"{METER}/d", "d", 240, duration=DAY),
    )
    assert sorted(energy(path).values()) == [0.24, 0.24]


def test_a_day_on_which_the_clocks_change_is_no_finer_than_others(tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        kind("d"),
        series(f"{METER}/1", "d", 240, duration=DAY - 3600),
        series(f"{METER}/2", "d", 240, duration=DAY),
    )
    assert energy(path) == {"1-2-1": 0.24, "1-2-2": 0.24}


def test_intervals_that_only_the_reading_type_tells_are_compared_too(tmp_path: Path) -> None:
    def untimed(name: str, *wh: int) -> str:
        values = "".join(f"<IntervalReading><value>{one}</value></IntervalReading>" for one in wh)
        inside = f"<IntervalBlock><interval><start>{HOUR_0}</start></interval>{values}</IntervalBlock>"
        meter = entry(f"{METER}/{name}", "<MeterReading/>", f"ReadingType/{name}")
        return meter + entry(f"{METER}/{name}/IntervalBlock/1", inside)

    kinds = kind("h", intervalLength=3600), kind("d", intervalLength=DAY)
    path = feed(tmp_path, *kinds, untimed("d", 240), untimed("h", *[10] * 24))
    assert energy(path) == {"1-2": 0.24}


def test_every_direction_has_its_suffix(tmp_path: Path) -> None:
    directions = {1: "", 19: "-export", 4: "-net", 20: "-total", 8: "-flow-8"}
    kinds = [kind(str(one), direction=one) for one in directions]
    meters = [series(f"User/1/UsagePoint/2/MeterReading/{one}", str(one), 1000 * one) for one in directions]
    found = energy(feed(tmp_path, *kinds, *meters))
    assert found == {f"1-2{suffix}": float(one) for one, suffix in directions.items()}


def test_a_suffix_goes_on_the_name_of_a_file_too(tmp_path: Path) -> None:
    path = feed(tmp_path, kind("1", direction=19), block("IntervalBlock/1", 1000), name="home.xml")
    assert energy(path) == {"home-export": 1.0}


def test_usage_points_without_a_customer_are_told_apart(tmp_path: Path) -> None:
    meters = [series(f"espi/1_1/resource/UsagePoint/{n}/MeterReading/1", "1", n * 1000) for n in (1, 2)]
    assert energy(feed(tmp_path, kind("1"), *meters)) == {"gb-1": 1.0, "gb-2": 2.0}
    assert energy(feed(tmp_path, kind("1"), meters[0])) == {"gb": 1.0}


def test_a_usage_point_may_refer_to_its_meter_reading(tmp_path: Path) -> None:
    points = [entry(f"RetailCustomer/c/UsagePoint/{n}", "<UsagePoint/>", f"MeterReading/{n}") for n in (1, 2)]
    meters = [series(f"MeterReading/{n}", "1", n * 1000) for n in (1, 2)]
    assert energy(feed(tmp_path, *points, kind("1"), *meters)) == {"c-1": 1.0, "c-2": 2.0}


def test_names_that_would_be_one_are_told_apart(tmp_path: Path) -> None:
    meters = [series(f"{n}/MeterReading/01", "1", n * 1000) for n in (1, 2)]
    assert sorted(energy(feed(tmp_path, kind("1"), *meters)).values()) == [1.0, 2.0]
    meters = [
        series("User/a-b/UsagePoint/c/MeterReading/1", "1", 1000),
        series("User/a/UsagePoint/b-c/MeterReading/1", "1", 2000),
    ]
    assert sorted(energy(feed(tmp_path, kind("1"), *meters)).values()) == [1.0, 2.0]


def test_blocks_without_a_meter_reading_are_told_apart_by_their_address(tmp_path: Path) -> None:
    blocks = [
        block(f"User/1/UsagePoint/{n}/MeterReading/1/IntervalBlock/1", n * 1000,
              up=f"User/1/UsagePoint/{n}/MeterReading/1/IntervalBlock")
        for n in (1, 2)
    ]  # fmt: skip
    assert energy(feed(tmp_path, kind("1"), *blocks)) == {"1-1": 1.0, "1-2": 2.0}


def test_a_block_that_belongs_to_none_of_several_meter_readings_is_an_error(tmp_path: Path) -> None:
    meters = [series(f"User/1/UsagePoint/{n}/MeterReading/1", "1", 1000) for n in (1, 2)]
    path = feed(tmp_path, kind("1"), *meters, block("elsewhere", 1000))
    with pytest.raises(GridwatchError, match="no MeterReading belongs to this IntervalBlock"):
        energy(path)


def test_files_of_one_usage_point_are_one_meter(tmp_path: Path) -> None:
    one, other = (
        energy(feed(tmp_path, kind("1"), series("User/1/UsagePoint/2/MeterReading/1", "1", 1000), name=name))
        for name in ("january.xml", "february.xml")
    )
    assert one == other == {"1-2": 1.0}


def together(*paths: Path, selection: Selection | None = None) -> dict[str, float]:
    """kWh by meter of Green Button files of one command."""
    found: dict[str, float] = {}
    tally = Tally()
    for path in paths:
        blocks = read_rows(
            path, PROFILES["green-button"], "UTC", selection or Selection(), tally, skip_bad=True
        )
        for _, meter, kwh, _, _ in (row for block in blocks for row in block):
            found[meter] = round(found.get(meter, 0) + kwh, 9)
    return found


@pytest.mark.parametrize("turned", [False, True], ids=["hours first", "days first"])
def test_hours_and_days_of_two_files_are_refused_with_both_names(turned: bool, tmp_path: Path) -> None:
    hours = feed(tmp_path, kind("h"), series(f"{METER}/h", "h", *[10] * 48), name="hours.xml")
    days = feed(
        tmp_path, kind("d"), series(f"{METER}/d", "d", 240, duration=DAY, start=HOUR_0 + DAY), name="days.xml"
    )
    with pytest.raises(GridwatchError) as raised:
        together(*((days, hours) if turned else (hours, days)))
    assert str(raised.value).startswith(
        f"{days} has intervals of 1440 minutes and {hours} intervals of 60 minutes of the same usage "
        "point and direction (1-2), both from 2024-01-02T00:00:00Z to 2024-01-03T00:00:00Z: their energy "
        "would count twice"
    )
    assert raised.value.remedy.startswith("replay one of them only, the finer one if you have it")


def test_hours_and_days_of_two_files_are_refused_where_a_file_has_a_second_series(tmp_path: Path) -> None:
    hours = feed(tmp_path, kind("h"), series(f"{METER}/h", "h", *[10] * 24), name="hours.xml")
    later = series(f"{METER}/h", "h", *[10] * 24, start=HOUR_0 + 2 * DAY)
    days = series(f"{METER}/d", "d", 240, duration=DAY)
    both = feed(tmp_path, kind("h"), kind("d"), later, days, name="both.xml")
    assert together(both) == {"1-2-d": 0.24, "1-2-h": 0.24}
    with pytest.raises(GridwatchError, match=r"both\.xml has intervals of 1440 minutes and .*hours\.xml"):
        together(hours, both)


def test_hours_and_days_of_two_files_are_taken_where_their_times_are_others(tmp_path: Path) -> None:
    def hours(start: int) -> str:
        return block(f"{METER}/h/IntervalBlock/{start}", *[10] * 24, start=start)

    meter = entry(f"{METER}/h", "<MeterReading/>", "ReadingType/h")
    fine = feed(tmp_path, kind("h"), meter, hours(HOUR_0), hours(HOUR_0 + 2 * DAY), name="hours.xml")
    between = series(f"{METER}/d", "d", 240, duration=DAY, start=HOUR_0 + DAY)
    assert together(fine, feed(tmp_path, kind("d"), between, name="days.xml")) == {"1-2": 0.72}
    long = feed(tmp_path, kind("d"), series(f"{METER}/d", "d", *[240] * 3, duration=DAY), name="days.xml")
    with pytest.raises(GridwatchError, match="their energy would count twice"):
        together(fine, long)
    selection = Selection(start=(HOUR_0 + DAY) * 1_000_000, end=(HOUR_0 + 2 * DAY) * 1_000_000)
    assert together(fine, long, selection=selection) == {"1-2": 0.24}


def test_hours_and_days_of_other_meters_and_directions_are_all_taken(tmp_path: Path) -> None:
    fine = feed(tmp_path, kind("h"), series(f"{METER}/h", "h", *[10] * 24), name="hours.xml")
    back = feed(tmp_path, kind("d", 72, 19), series(f"{METER}/d", "d", 240, duration=DAY), name="back.xml")
    other = "User/1/UsagePoint/3/MeterReading/1"
    third = feed(tmp_path, kind("d"), series(other, "d", 240, duration=DAY), name="other.xml")
    assert together(fine, back, third) == {"1-2": 0.24, "1-2-export": 0.24, "1-3": 0.24}


def test_hours_and_days_in_one_series_are_refused(tmp_path: Path) -> None:
    meter = entry(f"{METER}/1", "<MeterReading/>", "ReadingType/h")
    hours = block(f"{METER}/1/IntervalBlock/1", *[10] * 24)
    days = block(f"{METER}/1/IntervalBlock/2", 240, duration=DAY)
    path = feed(tmp_path, kind("h"), meter, hours, days)
    with pytest.raises(
        GridwatchError, match=r"gb\.xml has intervals of 1440 minutes and .*gb\.xml intervals of 60"
    ):
        together(path)


def asked(path: Path, text: str | None = None) -> str:
    """Why `auto` asks for a profile."""
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageProblem) as raised:
        detect([Source(path)])
    assert "name one with --profile" in str(raised.value)
    return str(raised.value)


def test_auto_asks_where_devices_would_be_one_customer() -> None:
    said = asked(CASES / "auto-takes-others-for-goiener" / "devices.csv")
    assert "looks like goiener" in said
    assert "what the column deviceId would say is not known" in said
    assert "have several values" in said


def test_auto_asks_where_steps_are_not_those_of_the_set() -> None:
    said = asked(CASES / "auto-takes-others-for-goiener" / "halfhour_uk.csv")
    assert "temperature" in said
    assert "its steps are 30 minutes, not 60" in said


CUSTOMER = "0a1b2c3d.csv"


def hourly(first: str, values: list[str]) -> str:
    return "timestamp,kWh\n" + "".join(f"{first} {n:02d}:00:00,{one}\n" for n, one in enumerate(values))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (hourly("2024-01-15", ["350", "420", "510"]), "too much for households"),
        (hourly("2024-03-31", ["0.1"] * 6), "the clocks of Europe/Madrid skipped"),
        (hourly("2024-10-27", ["0.1"] * 6), "the hour that the clocks of Europe/Madrid repeat only once"),
        (hourly("2024-01-15", ["much", "0.1"]), "rows cannot be read"),
    ],
)
def test_auto_asks_where_values_do_not_fit(text: str, said: str, tmp_path: Path) -> None:
    assert said in asked(tmp_path / CUSTOMER, text)


def begun(values: list[float], minutes: int = 60, offset: str = "+00:00") -> str:
    """A file of start and value."""
    start = datetime(2024, 1, 1)
    stamps = (start + timedelta(minutes=minutes * n) for n in range(len(values)))
    rows = [f"{stamp:%Y-%m-%dT%H:%M:%S}{offset},{value}" for stamp, value in zip(stamps, values, strict=True)]
    return "\n".join(["start,value", *rows, ""])


HOME = [0.3, 0.5, 1.2, 0.4, 0.0, 2.2] * 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (begun(HOME, offset=""), "its stamps have no offset, such as '2024-01-01T00:00:00'"),
        (begun(HOME, 15), "its steps are 15 minutes, neither hours nor days"),
        (begun(HOME, 43_200), "its steps are 43200 minutes, neither hours nor days"),
        (begun([value * 1000 for value in HOME]), "half of its days would be above 10800 kWh"),
        (begun([value / 1000 for value in HOME]), "half of its days would be below 0.0108 kWh"),
        (begun([value - 1 for value in HOME]), "it has values below zero"),
        (begun([9000 + n for n in range(48)], 1440), "its values never fall, as those"),
        (begun([9.0 + n / 4 for n in range(48)]), "its values never fall, as those"),
        (begun(HOME).replace("start,value", "Start,Value"), "its header is 'Start,Value', not"),
        (begun([0.3]), "it has fewer than two stamps"),
    ],
    ids=["local", "quarters", "months", "W", "MWh", "export", "days", "register", "case", "one"],
)  # fmt: skip
def test_auto_asks_where_start_and_value_are_not_as_in_the_samples(
    text: str, said: str, tmp_path: Path
) -> None:
    problem = asked(tmp_path / "a.csv", text)
    assert "it looks like eemeter (the header is start, value), but" in problem
    assert said in problem


@pytest.mark.parametrize("minutes", [60, 1440])
def test_auto_takes_hours_and_days_of_start_and_value(minutes: int, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(begun([value * minutes / 60 for value in HOME], minutes))
    assert detect([Source(path)])[0].name == "eemeter"


def test_auto_takes_what_fits_in_full_only(tmp_path: Path) -> None:
    text = hourly("2024-01-15", ["0.1"] * 6)
    (tmp_path / CUSTOMER).write_text(text)
    assert detect([Source(tmp_path / CUSTOMER)])[0].name == "goiener"
    assert "its name is not that of a customer" in asked(tmp_path / "kitchen.csv", text)


@pytest.mark.parametrize("column", ["direction", "deviceId", "kwh_export"])
def test_auto_asks_for_a_column_of_the_plain_form_that_it_does_not_know(column: str, tmp_path: Path) -> None:
    text = f"meter_id,timestamp,consumption_kwh,{column}\nM,2024-01-01T10:00Z,1,2\n"
    assert f"what the column {column} would say is not known" in asked(tmp_path / "m.csv", text)


def test_auto_names_the_line_of_an_id_that_a_spreadsheet_rounded(tmp_path: Path) -> None:
    rows = "".join(f"1.23457E+17,2024-01-01T{hour:02d}:00:00Z,1\n" for hour in range(24))
    said = asked(path := tmp_path / "a.csv", f"meter_id,timestamp,consumption_kwh\n{rows}")
    assert f"{path}, line 2, column meter_id: a number that a spreadsheet rounded" in said
    assert "(found: '1.23457E+17')" in said


def test_auto_takes_what_gridwatch_exports(tmp_path: Path) -> None:
    header = "meter_id,timestamp,consumption_kwh,interval_minutes,region,status,delay_seconds,flags"
    (tmp_path / "m.csv").write_text(f"{header}\nM,2024-01-01T10:00:00Z,1,30,N,OK,0,\n")
    assert detect([Source(tmp_path / "m.csv")])[0].name == "spec"


def test_auto_asks_where_a_column_of_ids_would_be_a_load(tmp_path: Path) -> None:
    text = (
        "Time;EAN;PV1\n01.08.2025 00:00;859182400000000001;0,25\n01.08.2025 00:15;859182400000000001;0,50\n"
    )
    assert "looks like simbench" in (said := asked(tmp_path / "m.csv", text))
    assert "is no part of 1 kW" in said


def test_a_bad_row_now_and_then_does_not_hide_the_kind(tmp_path: Path) -> None:
    lines = [f"MAC1,Std,2012-10-{day:02d} {hour:02d}:{half}0:00,0.1" for day in (1, 2) for hour in range(24)
             for half in (0, 3)]  # fmt: skip
    (tmp_path / "l.csv").write_text(
        "\n".join(["LCLid,stdorToU,DateTime,KWH/hh (per half hour) ", "MAC1,Std,never,1", *lines]) + "\n"
    )
    assert detect([Source(tmp_path / "l.csv")])[0].name == "london"
