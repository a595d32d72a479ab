"""Files of named profiles whose times or series stand in parts: e-redes, pge, sce, fluvius, enedis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.differential.case import Case
from tests.differential.clocks import shown
from tests.differential.judgement import judged
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import Paper
from tests.differential.portals import KWH, ORDERED, named, of_lines
from tests.differential.stamps import Stamps
from tests.differential.truth import EXPORT, some_truth


def eredes(rng: Random) -> Case:
    """E-REDES: quarter-hours of power, 24:00."""
    truth = some_truth(rng, zone="Europe/Lisbon", minutes=(15,), names=["eredes"], both_ways=True)
    stamps = Stamps("local", "%Y-%m-%d %H:%M", truth.zone, True, hour_24=rng.random() < 0.6, parted=True)
    lines = of_lines(truth, rng, rng.choice(ORDERED), corrections=False)
    kw = replace(KWH, unit="kW", mark=",")
    header = ["Data", "Hora", "Consumo registado (kW)", "Injeção na rede (kW)"]
    rows = [
        [
            *stamps.cells(stamps.of(e.slot)),
            kw.write(e.wh, 15),
            kw.write(truth.of("eredes" + EXPORT, e.slot), 15),
        ]
        for e in lines.entries
    ]
    paper = Paper(";", preamble=("CPE;PT0002000000000000AA",))
    return named(
        rng,
        truth,
        "e-redes",
        rows,
        header,
        paper,
        name="eredes",
        verdict=judged(lines, stamps),
        layout=lines.order,
    )


def pge(rng: Random) -> Case:
    """PG&E: date, start and end."""
    truth = some_truth(rng, zone="America/Los_Angeles", minutes=(15, 30, 60), names=["pge"])
    stamps = Stamps("local", rng.choice(("%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M")), truth.zone, False, parted=True)
    lines = of_lines(truth, rng, rng.choice(ORDERED))
    rows = []
    for e in lines.entries:
        last = stamps.write(e.slot.end - 1).split(" ")[1]
        cells = stamps.cells(stamps.of(e.slot))
        rows.append(["Electric usage", *cells, last, KWH.write(e.wh, 60), "kWh", "$0.31", ""])
    header = ["TYPE", "DATE", "START TIME", "END TIME", "USAGE", "UNITS", "COST", "NOTES"]
    paper = Paper(preamble=("Name,CAROL SMITH", "Service,Service 1"))
    return named(
        rng, truth, "pge", rows, header, paper, name="pge", verdict=judged(lines, stamps), layout=lines.order
    )


def sce(rng: Random) -> Case:
    """Southern California Edison: from and to in columns, delivered and received."""
    truth = some_truth(rng, zone="America/Los_Angeles", minutes=(15, 60), names=["sce"], both_ways=True)
    stamps = Stamps("local", "%Y-%m-%d %H:%M:%S", truth.zone, False)
    lines = of_lines(truth, rng, rng.choice(ORDERED), corrections=False)
    rows = [
        [
            stamps.of(e.slot).split(" ")[0], stamps.write(e.slot.start), stamps.write(e.slot.end),
            KWH.write(e.wh, 60), KWH.write(truth.of("sce" + EXPORT, e.slot), 60),
        ]
        for e in lines.entries
    ]  # fmt: skip
    period = "Energy Consumption time Period"
    header = ["Date", f"{period} Start", f"{period} End", "Delivered", "Received"]
    return named(
        rng,
        truth,
        "sce",
        rows,
        header,
        Paper(),
        name="sce",
        verdict=judged(lines, stamps),
        layout=lines.order,
    )


def fluvius(rng: Random) -> Case:
    """Fluvius: from and until in parts, a register a line, two tariffs each way."""
    ean = "541000000000000001"
    truth = some_truth(rng, zone="Europe/Brussels", minutes=(15,), names=[ean], both_ways=True)
    stamps = Stamps("local", "%d-%m-%Y %H:%M:%S", truth.zone, False, parted=True)
    entries = []
    for slot in truth.slots:
        time = "Day" if 7 <= shown(slot.start, truth.zone).hour < 22 else "Night"
        entries += [
            Entry(ean, f"Offtake {time}", slot, truth.of(ean, slot)),
            Entry(ean, f"Injection {time}", slot, truth.of(ean + EXPORT, slot)),
        ]
    lines = with_repeats(rng, in_order(rng, entries, rng.choice(ORDERED)))
    kwh = replace(KWH, mark=",", padded=True)
    rows = [
        [
            *stamps.cells(stamps.write(e.slot.start)), *stamps.cells(stamps.write(e.slot.end)), f'="{ean}"',
            "1SAG1", "Digital meter", e.series, kwh.write(e.wh, 15), "kWh", "Read", "",
        ]
        for e in lines.entries
    ]  # fmt: skip
    header = [
        "From (date)",
        "From (time)",
        "Until (date)",
        "Until (time)",
        "EAN code",
        "Meter",
        "Meter type",
        "Register",
        "Volume",
        "Unit",
        "Validation status",
        "Description",
    ]
    return named(
        rng, truth, "fluvius", rows, header, Paper(";"), verdict=judged(lines, stamps), layout=lines.order
    )


def enedis(rng: Random) -> Case:
    """Enedis: mean power whose steps vary, stamps with an offset name the end."""
    prm = "12345678901234"
    truth = some_truth(rng, zone="Europe/Paris", names=[prm], changing=rng.random() < 0.6)
    stamps = Stamps("offset", "%Y-%m-%dT%H:%M:%S", "Europe/Paris", True)
    lines = of_lines(truth, rng, rng.choice(("time", "time, backwards")), corrections=False)
    watt = replace(KWH, unit="W")
    rows = [[stamps.of(e.slot), watt.write(e.wh, e.slot.minutes)] for e in lines.entries]
    above = (
        "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;"
        "Etape metier;Unite;Pas en minutes",
        f"{prm};Courbe de charge;01/01/2024;02/01/2024;Energie active;Consommation;Comptage Brut;W;",
    )
    verdict = judged(lines, stamps, steps=True)
    return named(
        rng, truth, "enedis", rows, ["Horodate", "Valeur"], Paper(";", preamble=above), verdict=verdict,
        layout=lines.order,
    )  # fmt: skip


PARTED: tuple[Callable[[Random], Case], ...] = (eredes, pge, sce, fluvius, enedis)
