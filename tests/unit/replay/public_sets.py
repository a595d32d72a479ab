"""Files of the public sets, written from their descriptions with their known defects, and what is in them.

Each function gives the text of a file and its truth: (meter, UTC instant as it must be sent) → kWh.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

Truth = dict[tuple[str, datetime], Decimal]

LONDON_HEADER = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "


def value(seed: int, decimals: int = 3) -> Decimal:
    """Some energy, always the same for a seed."""
    return Decimal(seed * 7919 % 1987) / 10**decimals


def half_hours(start: datetime, count: int, minutes: int = 30) -> list[datetime]:
    return [start + timedelta(minutes=minutes * n) for n in range(count)]


def local_days(zone: str, first: date, days: int, minutes: int) -> list[datetime]:
    """The UTC instants of all slots of local days: 46, 48 or 50 half-hours each."""
    clocks = ZoneInfo(zone)
    bounds = [
        datetime(day.year, day.month, day.day, tzinfo=clocks).astimezone(UTC)
        for day in (first, first + timedelta(days=days))
    ]
    return half_hours(bounds[0], int((bounds[1] - bounds[0]) / timedelta(minutes=minutes)), minutes)


def london() -> tuple[str, Truth]:
    """Padded values, seven decimals of a second, Windows line ends, Null off the grid, a duplicate."""
    truth: Truth = {}
    lines = [LONDON_HEADER]
    for meter in ("MAC000002", "MAC000003"):
        for n, time in enumerate(half_hours(datetime(2012, 12, 19, tzinfo=UTC), 60)):
            kwh = value(n + len(meter))
            truth[meter, time] = kwh
            row = f"{meter},Std,{time:%Y-%m-%d %H:%M:%S}.0000000, {kwh} "
            lines += [row, row] if time.hour == 0 and time.minute == 0 and time.day == 20 else [row]
            if time.hour == 12 and time.minute == 30 and time.day == 19:
                lines.append(f"{meter},Std,2012-12-19 12:37:27.0000000,Null")
    return "\r\n".join(lines) + "\r\n", truth


def kaggle() -> tuple[str, Truth]:
    truth: Truth = {}
    lines = ["LCLid,tstp,energy(kWh/hh)"]
    for n, time in enumerate(half_hours(datetime(2013, 3, 30, tzinfo=UTC), 100)):
        truth["MAC000246", time] = value(n)
        lines.append(f"MAC000246,{time:%Y-%m-%d %H:%M:%S}.0000000, {value(n)} ")
    return "\n".join(lines) + "\n", truth


def kaggle_wide() -> tuple[str, Truth]:
    """A day a line; one value is missing."""
    truth: Truth = {}
    lines = ["LCLid,day," + ",".join(f"hh_{n}" for n in range(48))]
    for day in range(3):
        cells = []
        for n, time in enumerate(half_hours(datetime(2012, 10, 13 + day, tzinfo=UTC), 48)):
            if (day, n) == (1, 7):
                cells.append("")
                continue
            truth["MAC000002", time] = value(day * 48 + n)
            cells.append(str(value(day * 48 + n)))
        lines.append(f"MAC000002,2012-10-{13 + day}," + ",".join(cells))
    return "\n".join(lines) + "\n", truth


def uci() -> tuple[str, Truth]:
    """96 lines on every day: an hour of zeros in March, an hour that holds two in October."""
    truth: Truth = {}
    meters = ("MT_001", "MT_002")
    lines = ['"";' + ";".join(f'"{meter}"' for meter in meters)]
    clocks = ZoneInfo("Europe/Lisbon")
    for day in (date(2011, 3, 26), date(2011, 3, 27), date(2011, 3, 28), date(2011, 10, 30)):
        for n in range(96):
            local = datetime(day.year, day.month, day.day) + timedelta(minutes=15 * n)
            instants = sorted({local.replace(tzinfo=clocks, fold=fold).astimezone(UTC) for fold in (0, 1)})
            skipped = instants[0].astimezone(clocks).replace(tzinfo=None) != local
            cells = []
            for m, meter in enumerate(meters):
                kilowatt = Decimal(0) if skipped else Decimal(n * 1237 + m * 77) / 1000
                cells.append(str(kilowatt).replace(".", ","))
                for time in () if skipped else instants:
                    truth[meter, time] = kilowatt / 4 / len(instants)
            label = local + timedelta(minutes=15)
            lines.append(f'"{label:%Y-%m-%d %H:%M:%S}";' + ";".join(cells))
    return "\n".join(lines) + "\n", truth


def cer(short_day_by_clock: bool = True) -> tuple[str, Truth]:
    """Days 298 (50 half-hours), 299 and 452 (46: by the clock 2 and 3 are missing, else 47 and 48)."""
    truth: Truth = {}
    lines = []
    for meter in ("1392", "1951"):
        for day in (452, 298, 299):
            times = local_days("Europe/Dublin", date(2009, 1, 1) + timedelta(days=day - 1), 1, 30)
            numbers = list(range(1, len(times) + 1))
            if len(times) == 46 and short_day_by_clock:
                numbers = [1, *range(4, 49)]
            for number, time in zip(numbers, times, strict=True):
                truth[meter, time] = value(day + number)
                lines.append(f"{meter} {day:03d}{number:02d} {value(day + number)}")
    return "\n".join(lines) + "\n", truth


def ausgrid(date_form: str = "%d-%b-%y") -> tuple[str, Truth]:
    """A title line; 0:30 … 0:00 name the end of their half-hour; a blank row quality, and one NA."""
    truth: Truth = {}
    ends = [f"{(n + 1) // 2 % 24}:{(n + 1) % 2 * 3}0" for n in range(48)]
    lines = [
        "Solar home half-hour data - 1 July 2010 to 30 June 2011" + "," * 52,
        "Customer,Generator Capacity,Postcode,Consumption Category,date," + ",".join(ends) + ",Row Quality",
    ]
    for channel in ("GC", "CL", "GG"):
        for day in range(2):
            start = datetime(2010, 7, 1 + day, tzinfo=timezone(timedelta(hours=10)))
            cells = []
            for n, time in enumerate(half_hours(start.astimezone(UTC), 48)):
                kwh = value(day * 48 + n + len(channel) * ord(channel[1]))
                truth[f"1-{channel}", time] = kwh
                cells.append(str(kwh))
            text = start.strftime(date_form).lstrip("0")
            lines.append(f"1,3.78,2076,{channel},{text},{','.join(cells)},{'NA' if day else ''}")
    return "\n".join(lines) + "\n", truth


def nem12(header: bool = True, claimed: int = 30, updated: bool = True) -> tuple[str, Truth]:
    """Two channels in kWh, one in Wh, one of reactive energy; a variable day with 400 records."""
    truth: Truth = {}
    lines = ["100,NEM12,200405011135,MDA1,Ret1"] if header else []
    east = timezone(timedelta(hours=10))
    tail = ",,20040419003200,20040419003200" if updated else ""
    for channel, unit in (("E1", "kWh"), ("B1", "Wh"), ("Q1", "kVArh")):
        lines.append(f"200,6001000163,E1B1Q1,1,{channel},N1,METSER123,{unit},{claimed},20040120")
        for day, quality in ((1, "A"), (2, "S14"), (3, "V"), (4, "N")):
            cells = []
            start = datetime(2004, 2, day, tzinfo=east).astimezone(UTC)
            for n, time in enumerate(half_hours(start, 48)):
                energy = value(day * 48 + n)
                cells.append(str(energy * 1000 if unit == "Wh" else energy))
                missing = quality == "N" or (quality == "V" and n >= 40)
                if unit != "kVArh" and not missing:
                    truth[f"6001000163-{channel}", time] = energy
            reason = "," if quality in ("A", "V", "N") else ",32,"
            lines.append(f"300,200402{day:02d},{','.join(cells)},{quality}{reason}{tail}".rstrip(","))
            if quality == "V":
                lines += ["400,1,20,A,,", "400,21,40,E52,76,", "400,41,48,N,,"]
    lines.append("900")
    return "\r\n".join(lines) + "\r\n", truth


ESPI_QUALITY = {0: 8, 1: 17}


def green_button(types_last: bool = True, before_feed: str = "", feed_extra: str = "") -> tuple[str, Truth]:
    """Two directions in Wh times a power of ten, a costs-only type, hours and quarter-hours, qualities."""
    truth: Truth = {}
    point = "espi/1_1/resource/RetailCustomer/9b6c/UsagePoint/01"

    def entry(own: str, up: str, related: list[str], content: str) -> str:
        links = f'<link rel="self" href="{own}"/><link rel="up" href="{up}"/>'
        links += "".join(f'<link rel="related" href="{one}"/>' for one in related)
        return (
            f"<entry><id>urn:uuid:{abs(hash(own)) % 10**8}</id>{links}<content>{content}</content></entry>\n"
        )

    parts = [entry(point, "espi/1_1/resource", [], '<espi:UsagePoint xmlns:espi="http://naesb.org/espi"/>')]
    types = []
    for number, (direction, uom, power, minutes) in enumerate(
        ((1, 72, -3, 60), (19, 72, 0, 15), (1, 42, 0, 60)), 1
    ):
        reading = f"{point}/MeterReading/{number:02d}"
        kind = f"espi/1_1/resource/ReadingType/{number:02d}"
        parts.append(
            entry(reading, f"{point}/MeterReading", [kind, f"{reading}/IntervalBlock"], "<MeterReading/>")
        )
        types.append(
            entry(
                kind,
                "espi/1_1/resource/ReadingType",
                [],
                f"<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>{direction}"
                f"</flowDirection><intervalLength>{minutes * 60}</intervalLength>"
                f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{uom}</uom></ReadingType>",
            )
        )
        rows = []
        for n, time in enumerate(half_hours(datetime(2012, 3, 10, 5, tzinfo=UTC), 48, minutes)):
            raw = n * 1237 % 4001
            rows.append(
                f"<IntervalReading><cost>974</cost>"
                f"<ReadingQuality><quality>{ESPI_QUALITY[n % 2]}</quality></ReadingQuality><timePeriod>"
                f"<duration>{minutes * 60}</duration><start>{int(time.timestamp())}</start></timePeriod>"
                f"<value>{raw}</value></IntervalReading>\n"
            )
            if uom == 72:
                meter = "9b6c-01" + ("-export" if direction == 19 else "")
                truth[meter, time] = Decimal(raw) * Decimal(10) ** power / 1000
        block = f"{reading}/IntervalBlock"
        parts.append(entry(f"{block}/1", block, [], f"<IntervalBlock>{''.join(rows)}</IntervalBlock>"))
    body = "".join(parts + types if types_last else parts[:1] + types + parts[1:])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{before_feed}'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">\n'
        f"{feed_extra}{body}</feed>\n",
        truth,
    )


def esb(unit: str = "kW", newest_first: bool = True) -> tuple[str, Truth]:
    """Local stamps of the interval's end, newest first, over both changes of the clocks; a register too."""
    truth: Truth = {}
    header = "MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time"
    clocks = ZoneInfo("Europe/Dublin")
    lines = []
    for first in (date(2023, 3, 25), date(2023, 10, 28)):
        for n, time in enumerate(local_days("Europe/Dublin", first, 3, 30)):
            for meter, kind in (("10000000001", "Import"), ("10000000001-export", "Export")):
                energy = value(n + len(kind) + first.month)
                truth[meter, time] = energy
                shown = energy * 2 if unit == "kW" else energy
                end = (time + timedelta(minutes=30)).astimezone(clocks)
                lines.append(
                    f"10000000001,000000000024,{shown},Active {kind} Interval ({unit}),{end:%d-%m-%Y %H:%M}"
                )
    lines.append("10000000001,000000000024,7000.5,24 Hr Active Import Register (kWh),31-10-2023 00:00")
    lines.sort(key=lambda line: line.split(",")[3])  # a series after the other
    if newest_first:
        lines.reverse()
    return "\n".join([header, *lines]) + "\n", truth


def goiener(imputed: bool = True) -> tuple[str, Truth]:
    """Hourly local stamps of one customer over the end of summer time."""
    truth: Truth = {}
    clocks = ZoneInfo("Europe/Madrid")
    lines = ["timestamp,kWh" + (",imputed" if imputed else "")]
    for n, time in enumerate(local_days("Europe/Madrid", date(2018, 10, 27), 3, 60)):
        truth["0a1b2c", time] = value(n)
        text = f"{time.astimezone(clocks):%Y-%m-%d %H:%M:%S},{value(n)}"
        lines.append(text + (f",{int(n % 10 == 3)}" if imputed else ""))
    return "\n".join(lines) + "\n", truth


def simbench() -> tuple[str, Truth]:
    """Parts of 1 kW each 15 minutes; clocks as they go; reactive power beside it."""
    truth: Truth = {}
    lines = ["time;H0-A_pload;H0-A_qload;PV1"]
    clocks = ZoneInfo("Europe/Berlin")
    for first in (date(2016, 3, 27), date(2016, 10, 30)):
        for n, time in enumerate(local_days("Europe/Berlin", first, 1, 15)):
            part, sun = Decimal(n * 88339 % 1000000) / 10**6, Decimal(n % 7) / 10
            truth["H0-A_pload", time] = part / 4
            truth["PV1", time] = sun / 4
            lines.append(f"{time.astimezone(clocks):%d.%m.%Y %H:%M};{part};0.5;{sun}")
    return "\n".join(lines) + "\n", truth
