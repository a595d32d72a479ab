"""GoiEner (Spain): a file a customer, hourly; two columns as measured, a third one says what was imputed.

An imputed value was not measured: it is sent, flagged `GOIENER_IMPUTED`, and does not stand where a measured
one comes as well. The file is the meter's name: 64 hexadecimal digits as published.
"""

from __future__ import annotations

import re

from replay.files.formats.long_rows import LongParser
from replay.files.job import BadCell, Job
from replay.files.layout import Start
from replay.files.profile import Profile
from replay.files.values.cells import flagged
from replay.files.versions import Marked

_STAMP, _ENERGY = ("timestamp", "datetime", "date"), ("kwh", "consumption")
_IMPUTED = "GOIENER_IMPUTED"
_CUSTOMER = re.compile(r"[0-9a-fA-F]{6,}")


class _Parser(LongParser):
    """The third column holds 0 or 1, not a code."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._plain = False

    def _extras(self, cells: list[str]) -> tuple[str, int]:
        extras, interval = self._given
        text = cells[self._quality_at].strip().lower() if self._quality_at is not None else "0"
        if text in ("1", "1.0", "true"):
            return Marked(extras + flagged([_IMPUTED]), 0), interval
        if text not in ("0", "0.0", "false", ""):
            raise BadCell("imputed", text, "neither 0 nor 1")
        return Marked(extras, 1), interval


def _recognise(start: Start) -> str:
    headers = start.cells(0)
    few = 2 <= len(headers) <= 3 and headers[0] in _STAMP and headers[1] in _ENERGY
    return "the header has a stamp and kWh, and no meter" if few else ""


def _misfit(start: Start) -> str:
    # Header and steps are those of many other people's files, and the zone is assumed.
    named = _CUSTOMER.fullmatch(start.source.stem)
    return "" if named else "its name is not that of a customer, which is hexadecimal"


GOIENER = Profile(
    name="goiener",
    meaning="GoiEner: a file a customer, timestamp, kWh, maybe imputed",
    columns={"timestamp": _STAMP, "consumption_kwh": _ENERGY},
    parser=_Parser,
    delimiters=(",",),
    null_tokens=frozenset({"", "NA", "NaN", "nan"}),
    interval=60,
    zone="Europe/Madrid",
    order="time",
    quality=("imputed", "GOIENER"),
    meter_from_file=True,
    recognise=_recognise,
    misfit=_misfit,
)
