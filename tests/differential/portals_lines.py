"""Files of named profiles with a stamp a line: spec, london, esb, esb, goiener, octopus, n3rgy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.differential.case import Case
from tests.differential.judgement import judged
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import Paper
from tests.differential.portals import KWH, ORDERED, named, of_lines
from tests.differential.stamps import RFC, Stamps, some_stamps
from tests.differential.truth import EXPORT, some_truth


def spec(rng: Random) -> Case:
    """The plain form."""
    truth = some_truth(rng, changing=rng.random() < 0.3)
    stamps = some_stamps(rng, truth.zone, ends=False, says=rng.choice(("local", "offset", "z")))
    stamps = replace(stamps, form=rng.choice(RFC), parted=False)
    mark, delimiter = rng.choice((".", ".", ",")), rng.choice(",;\t")
    values = replace(KWH, mark="." if delimiter == "," else mark, padded=rng.random() < 0.5)
    header = [rng.choice(("meter_id", "meterId", "id")), "timestamp", rng.choice(("consumption_kwh", "kwh"))]
    said = rng.random() < 0.5
    lines = of_lines(truth, rng)
    rows = [
        [e.meter, stamps.of(e.slot), values.write(e.wh, 60), *([str(e.slot.minutes)] if said else [])]
        for e in lines.entries
    ]
    header += ["interval_minutes"] if said else []
    if rng.random() < 0.3:
        header, rows = header[::-1], [row[::-1] for row in rows]
    paper = Paper(delimiter, line_end=rng.choice(("\n", "\r\n")), packed=rng.choice(("", "", "gz", "zip")))
    return named(
        rng, truth, "spec", rows, header, paper, verdict=judged(lines, stamps),
        timezone=truth.zone if stamps.local else "UTC", layout=f"{stamps.says}, {lines.order}",
    )  # fmt: skip


def london(rng: Random) -> Case:
    """Low Carbon London, a reading a line."""
    zone = rng.choice(("Europe/London", "UTC"))
    truth = some_truth(rng, zone=zone, minutes=(30,), names=["MAC000002", "MAC000013"], years=(2012, 2013))
    stamps = Stamps("local", "%Y-%m-%d %H:%M:%S", zone, False)
    lines = of_lines(truth, rng)
    rows = []
    for e in lines.entries:
        rows.append([e.meter, "Std", stamps.of(e.slot) + ".0000000", f" {KWH.write(e.wh, 30)} "])
        if rng.random() < 0.01:
            rows.append([e.meter, "Std", stamps.of(e.slot)[:-5] + "17:41.0000000", "Null"])
    header = ["LCLid", "stdorToU", "DateTime", "KWH/hh (per half hour) "]
    return named(
        rng, truth, "london", rows, header, Paper(line_end="\r\n"), timezone=zone,
        verdict=judged(lines, stamps), layout=lines.order,
    )  # fmt: skip


def esb(rng: Random) -> Case:
    """ESB Networks: import and export in lines, newest first, stamps name the end."""
    both = rng.random() < 0.6
    truth = some_truth(rng, zone="Europe/Dublin", minutes=(30,), names=["10000000001"], both_ways=both)
    stamps = Stamps("local", rng.choice(("%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M")), "Europe/Dublin", True)
    unit = rng.choice(("kW", "kWh"))
    values = replace(KWH, unit=unit)
    kinds = {"": f"Active Import Interval ({unit})", EXPORT: f"Active Export Interval ({unit})"}
    ways = ("", EXPORT) if both else ("",)
    entries = [Entry("10000000001", w, s, truth.of("10000000001" + w, s)) for w in ways for s in truth.slots]
    lines = in_order(rng, entries, rng.choice((*ORDERED, "shuffled")))
    lines = with_repeats(rng, lines)
    rows = [
        [e.meter, "000000000024", values.write(e.wh, 30), kinds[e.series], stamps.of(e.slot)]
        for e in lines.entries
    ]
    header = ["MPRN", "Meter Serial Number", "Read Value", "Read Type", "Read Date and End Time"]
    return named(
        rng,
        truth,
        "esb",
        rows,
        header,
        Paper(),
        verdict=judged(lines, stamps),
        layout=f"{unit}, {lines.order}",
    )


def goiener(rng: Random) -> Case:
    """GoiEner: a file a customer."""
    truth = some_truth(rng, zone="Europe/Madrid", minutes=(60,), names=["0a1b2c3d4e"])
    stamps = Stamps("local", "%Y-%m-%d %H:%M:%S", "Europe/Madrid", False)
    lines = of_lines(truth, rng, rng.choice(ORDERED))
    rows = [[stamps.of(e.slot), KWH.write(e.wh, 60)] for e in lines.entries]
    return named(
        rng, truth, "goiener", rows, ["timestamp", "kWh"], Paper(), verdict=judged(lines, stamps),
        name="0a1b2c3d4e", layout=lines.order,
    )  # fmt: skip


def octopus(rng: Random) -> Case:
    """Octopus Energy: from and to, with offsets."""
    truth = some_truth(rng, zone="Europe/London", minutes=(30,), names=["octopus"])
    stamps = Stamps("offset", "%Y-%m-%dT%H:%M:%S", "Europe/London", False)
    lines = of_lines(truth, rng)
    rows = [
        [KWH.write(e.wh, 30), f" {stamps.write(e.slot.start)}", f" {stamps.write(e.slot.end)}"]
        for e in lines.entries
    ]
    header = ["Consumption (kWh)", " Start", " End"]
    return named(rng, truth, "octopus", rows, header, Paper(), name="octopus", layout=lines.order)


def n3rgy(rng: Random) -> Case:
    """n3rgy: UTC."""
    truth = some_truth(rng, zone="UTC", minutes=(30,), names=["n3rgy"])
    stamps = Stamps("local", "%Y-%m-%d %H:%M", "UTC", False)
    lines = of_lines(truth, rng)
    rows = [[stamps.of(e.slot), KWH.write(e.wh, 30)] for e in lines.entries]
    header = ["timestamp (UTC)", "energyConsumption (kWh)"]
    return named(rng, truth, "n3rgy", rows, header, Paper(), name="n3rgy", layout=lines.order)


LINES: tuple[Callable[[Random], Case], ...] = (spec, spec, london, esb, esb, goiener, octopus, n3rgy)
