"""Files of named profiles that are no table: NEM12, Green Button, CER, and the numbered hours of Datadis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

from tests.differential.case import Case, Expect, case_of
from tests.differential.judgement import Verdict
from tests.differential.numbered import numbers
from tests.differential.paper import Paper
from tests.differential.portals import KWH, named, of_lines
from tests.differential.truth import EXPORT, Truth, some_truth


def _of_text(truth: Truth, profile: str, text: str, suffix: str, layout: str) -> Case:
    file = f"records.{suffix}", text.encode()
    return case_of(truth, f"{profile}, {layout}", text, file, profile=profile)


def nem12(rng: Random) -> Case:
    """Days of a channel; a correction has a later UpdateDateTime, wherever it lies."""
    truth = some_truth(rng, zone="Etc/GMT-10", minutes=(15, 30), names=["NEM1200001-E1", "NEM1200001-B1"])
    unit, factor = rng.choice((("kWh", 1), ("Wh", 1000), ("kwh", 1)))
    blocks = []
    for meter in truth.meters:
        for day in truth.dates:
            slots = truth.day_slots(day)
            versions = [(0, [truth.of(meter, slot) for slot in slots])]
            if rng.random() < 0.4:
                versions.append((-1, [rng.randrange(4000) for _ in slots]))
            for version, whs in versions:
                cells = [f"{(Decimal(wh) / 1000 * factor).normalize():f}" for wh in whs]
                updated = f"2024060{5 + version}120000"
                head = f"200,NEM1200001,E1B1,1,{meter[-2:]},N1,SERIAL1,{unit},{truth.minutes},"
                blocks.append([head, f"300,{day:%Y%m%d},{','.join(cells)},A,,,{updated},"])
    rng.shuffle(blocks)
    lines = ["100,NEM12,202406051135,MDA1,Ret1", *(line for block in blocks for line in block), "900"]
    return _of_text(truth, "nem12", "\r\n".join(lines) + "\r\n", "csv", f"{unit}, {truth.minutes} min")


def green_button(rng: Random) -> Case:
    """Seconds since 1970; Wh or W times a power of ten."""
    truth = some_truth(rng, names=["c1-01"], both_ways=rng.random() < 0.5)
    point = "espi/1_1/resource/RetailCustomer/c1/UsagePoint/01"

    def entry(own: str, up: str, related: list[str], content: str) -> str:
        links = f'<link rel="self" href="{own}"/><link rel="up" href="{up}"/>'
        links += "".join(f'<link rel="related" href="{one}"/>' for one in related)
        return f"<entry>{links}<content>{content}</content></entry>\n"

    parts = [entry(point, "espi/1_1/resource", [], '<espi:UsagePoint xmlns:espi="http://naesb.org/espi"/>')]
    for number, (name, direction) in enumerate(
        (("c1-01", 1), ("c1-01" + EXPORT, 19))[: 1 + truth.both_ways], 1
    ):
        unit, power = rng.choice(((72, 0), (72, -3), (38, 0)))
        reading, kind = f"{point}/MeterReading/{number:02d}", f"espi/1_1/resource/ReadingType/{number:02d}"
        parts.append(
            entry(reading, f"{point}/MeterReading", [kind, f"{reading}/IntervalBlock"], "<MeterReading/>")
        )
        parts.append(
            entry(
                kind, "espi/1_1/resource/ReadingType", [],
                f"<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>{direction}"
                f"</flowDirection><intervalLength>{truth.minutes * 60}</intervalLength>"
                f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{unit}</uom></ReadingType>",
            )
        )  # fmt: skip
        rows = []
        for slot in truth.slots:
            wh = truth.of(name, slot)
            value = wh * 60 // slot.minutes if unit == 38 else wh * 10**-power
            rows.append(
                f"<IntervalReading><timePeriod><duration>{slot.minutes * 60}</duration>"
                f"<start>{slot.start * 60}</start></timePeriod><value>{value}</value></IntervalReading>"
            )
        if rng.random() < 0.4:
            rng.shuffle(rows)
        block = f"{reading}/IntervalBlock"
        parts.append(entry(f"{block}/1", block, [], f"<IntervalBlock>{''.join(rows)}</IntervalBlock>"))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        f'xmlns:espi="http://naesb.org/espi">\n{"".join(parts)}</feed>\n'
    )
    return _of_text(truth, "green-button", text, "xml", f"{truth.minutes} min")


def cer(rng: Random) -> Case:
    """Day and half-hour in five digits; 46, 48 or 50 of them."""
    truth = some_truth(rng, zone="Europe/Dublin", minutes=(30,), names=["1392", "1951"], years=(2009, 2010))
    by_clock = rng.random() < 0.5
    rows = []
    for meter in truth.meters:
        for day in truth.dates:
            slots = truth.day_slots(day)
            places = list(range(1, len(slots) + 1))
            if len(slots) == 46 and by_clock:
                # As published: the half-hours that ended in the hour that was skipped are missing.
                places = [1, *range(4, 49)]
            number = (day - date(2008, 12, 31)).days
            rows += [
                f"{meter} {number:03d}{place:02d} {KWH.write(truth.of(meter, slot), 30)}"
                for place, slot in zip(places, slots, strict=True)
            ]
    if rng.random() < 0.5:
        rng.shuffle(rows)
    return _of_text(truth, "cer", "\n".join(rows) + "\n", "txt", "by clock" if by_clock else "in order")


def datadis(rng: Random) -> Case:
    """Hours 1 to 25, in order or by the clock, or 01:00 … 24:00."""
    truth = some_truth(
        rng, zone="Europe/Madrid", minutes=(60,), names=["ES0031000000000000AA0F"], both_ways=True
    )
    by_clock, times = rng.random() < 0.4, rng.random() < 0.5
    place = numbers(truth, by_clock=by_clock or times)
    lines = of_lines(truth, rng, rng.choice(("time", "meter")), corrections=False)
    kwh = replace(KWH, mark=",")
    rows = []
    for e in lines.entries:
        at = place[e.slot]
        hour = f"{at.number + 1:02d}:00" if times else str(at.number + 1)
        out = kwh.write(truth.of(e.meter + EXPORT, e.slot), 60)
        rows.append([e.meter, f"{at.day:%Y/%m/%d}", hour, kwh.write(e.wh, 60), "Real", out])
    header = ["cups", "fecha", "hora", "consumo_kWh", "metodoObtencion", "energiaVertida_kWh"]
    expect: Expect = "energy"
    if any(place[e.slot].twice for e in lines.again):
        expect = "either"
    verdict = Verdict(expect, "" if expect == "energy" else "a repeated row with a number that comes twice")
    return named(
        rng, truth, "datadis", rows, header, Paper(";"), verdict=verdict._replace(placed=expect == "energy"),
        layout="clock times" if times else "by clock" if by_clock else "in order",
    )  # fmt: skip


RECORDS: tuple[Callable[[Random], Case], ...] = (
    nem12,
    nem12,
    green_button,
    green_button,
    cer,
    datadis,
    datadis,
)
