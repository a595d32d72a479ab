"""Files of named profiles with many values a line: london-kaggle, simbench, uci, ausgrid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.differential.case import Case
from tests.differential.days import cells_of_day, halved
from tests.differential.judgement import judged
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.meters import labelled, split_lines
from tests.differential.paper import Paper
from tests.differential.portals import KWH, ORDERED, named
from tests.differential.stamps import Stamps
from tests.differential.truth import some_truth


def london_kaggle(rng: Random) -> Case:
    """Low Carbon London, a day a line."""
    zone = rng.choice(("Europe/London", "UTC"))
    truth = some_truth(rng, zone=zone, minutes=(30,), names=["MAC000002", "MAC000013"], years=(2012, 2013))
    columns = max(48, *(len(truth.day_slots(day)) for day in truth.dates))
    place = rng.choice(("in order", "by clock"))
    header = ["LCLid", "day", *(f"hh_{n}" for n in range(columns))]
    rows = [
        [meter, day.isoformat(), *cells_of_day(truth, meter, day, place, KWH, columns, False)]
        for meter in truth.meters
        for day in truth.dates
    ]
    rng.shuffle(rows)
    return named(rng, truth, "london-kaggle", rows, header, Paper(), timezone=zone, layout=place)


def simbench(rng: Random) -> Case:
    """SimBench: parts of 1 kW."""
    truth = some_truth(rng, zone="Europe/Berlin", minutes=(15,), names=["H0-A_pload", "PV1"])
    for key, wh in truth.energy.items():
        truth.energy[key] = wh % 250
    stamps = Stamps("local", "%d.%m.%Y %H:%M", truth.zone, False)
    lines = with_repeats(
        rng, in_order(rng, [Entry("", "", s, 0) for s in truth.slots], rng.choice(ORDERED)), corrections=False
    )
    kw = replace(KWH, unit="kW")
    rows = [
        [stamps.of(e.slot), *(kw.write(truth.of(m, e.slot), 15) for m in truth.meters), "0.5"]
        for e in lines.entries
    ]
    header = ["time", *truth.meters, "H0-A_qload"]
    return named(
        rng, truth, "simbench", rows, header, Paper(";"), verdict=judged(lines, stamps), layout=lines.order
    )


def uci(rng: Random) -> Case:
    """UCI: 96 lines on every day, the repeated hour as a sum."""
    truth = some_truth(rng, zone="Europe/Lisbon", minutes=(15,), names=["MT_001", "MT_002"])
    kw = replace(KWH, unit="kW", mark=",")
    rows = [
        [labelled(label, "%Y-%m-%d %H:%M:%S"), *(kw.write(wh or 0, 15) for wh in whs.values())]
        for label, whs in split_lines(truth, ends=True)
    ]
    case = named(rng, truth, "uci", rows, ["", *truth.meters], Paper(";", quoted=False), layout="sum")
    case.energy = halved(truth)
    return case


def ausgrid(rng: Random) -> Case:
    """Ausgrid: standard time, columns name the end."""
    truth = some_truth(rng, zone="Etc/GMT-10", minutes=(30,), names=["1-GC", "1-CL", "1-GG"], years=(2012,))
    ends = [f"{(n + 1) // 2 % 24}:{(n + 1) % 2 * 3}0" for n in range(48)]
    rows = []
    for meter in truth.meters:
        for day in truth.dates:
            cells = cells_of_day(truth, meter, day, "in order", KWH, 48, False)
            rows.append(["1", "3.78", "2076", meter[2:], f"{day:%d-%b-%y}", *cells, ""])
    rng.shuffle(rows)
    header = [
        "Customer",
        "Generator Capacity",
        "Postcode",
        "Consumption Category",
        "date",
        *ends,
        "Row Quality",
    ]
    paper = Paper(preamble=("Solar home half-hour data - 1 July 2012 to 30 June 2013" + "," * 10,))
    return named(rng, truth, "ausgrid", rows, header, paper, layout="day")


WIDE: tuple[Callable[[Random], Case], ...] = (london_kaggle, simbench, uci, ausgrid)
