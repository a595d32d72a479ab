"""GoiEner (Spain): a file a customer, hourly; two columns as measured, a third one says what was imputed.

An imputed value was not measured: it is sent, flagged `GOIENER_IMPUTED`. The file is the meter's name.
"""

from __future__ import annotations

from replay.cells import flagged
from replay.layout import Start
from replay.long_rows import LongParser
from replay.profile import Profile
from replay.rows import BadCell, Job

_STAMP, _ENERGY = ("timestamp", "datetime", "date"), ("kwh", "consumption")


class _Parser(LongParser):
    """The third column holds 0 or 1, not a code."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._plain = False

    def _extras(self, cells: list[str]) -> tuple[str, int]:
        extras, interval = self._given
        text = cells[self._quality_at].strip().lower() if self._quality_at is not None else "0"
        if text in ("1", "1.0", "true"):
            return extras + flagged(["GOIENER_IMPUTED"]), interval
        if text not in ("0", "0.0", "false", ""):
            raise BadCell("imputed", text, "neither 0 nor 1")
        return extras, interval


def _recognise(start: Start) -> str:
    headers = start.cells(0)
    few = 2 <= len(headers) <= 3 and headers[0] in _STAMP and headers[1] in _ENERGY
    return "the header has a stamp and kWh, and no meter" if few else ""


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
)
