"""How times are written: with an offset or in a zone, naming start or end, in one column or two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from tests.differential.clocks import shown
from tests.differential.truth import Slot

_FORMS = (
    "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p", "%Y%m%d%H%M",
    "%d-%b-%y %H:%M",
)  # fmt: skip
RFC = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M")


@dataclass(frozen=True)
class Stamps:
    """The way of one file. `says`: `local`, `offset`, `z`, `%z` or `%Z`; `form` is that of `strftime`."""

    says: str
    form: str
    zone: str
    ends: bool
    #: Whether midnight at the end of a day is its 24:00.
    hour_24: bool = False
    #: Whether an end is the label of the start and an interval on, whatever the clocks do meanwhile.
    by_label: bool = False
    #: Whether date and time stand in two columns.
    parted: bool = False
    #: Whether a midnight is written as its date alone, as spreadsheets do.
    bare_midnight: bool = False
    #: Whether the profile has the zone; else it is that of the settings.
    zone_in_profile: bool = True

    @property
    def date_form(self) -> str:
        return self.form.split(" ")[0]

    @property
    def local(self) -> bool:
        return self.says == "local"

    def write(self, instant: int, *, end: bool = False) -> str:
        """The text of an instant."""
        if self.says == "z":
            return f"{shown(instant, 'UTC').strftime(self.form)}Z"
        time = shown(instant, self.zone)
        if end and self.hour_24 and (time.hour, time.minute) == (0, 0):
            before = (time - timedelta(days=1)).replace(hour=23)
            text = before.strftime(self.form.replace("%H", "24"))
        else:
            text = time.strftime(self.form)
        if self.bare_midnight and (time.hour, time.minute) == (0, 0):
            return time.strftime(self.date_form)
        if self.says in ("offset", "%z"):
            offset = time.strftime("%z")
            return text + (f"{offset[:3]}:{offset[3:]}" if self.says == "offset" else f" {offset}")
        return f"{text} {time.tzname()}" if self.says == "%Z" else text

    def of(self, slot: Slot) -> str:
        """The text that stands for a slot."""
        if not self.ends:
            return self.write(slot.start)
        if self.by_label:
            label = shown(slot.start, self.zone).replace(tzinfo=None) + timedelta(minutes=slot.minutes)
            return label.strftime(self.form)
        return self.write(slot.end, end=True)

    def cells(self, text: str) -> list[str]:
        """The columns of a text."""
        return text.split(" ", 1) if self.parted else [text]

    @property
    def headers(self) -> list[str]:
        return ["Date", "Time"] if self.parted else ["Stamp"]

    def keys(self) -> dict[str, Any]:
        """What the profile says of them, the columns apart."""
        keys: dict[str, Any] = {"anchor": "end" if self.ends else "start"}
        if self.form not in RFC or self.says in ("%z", "%Z"):
            form = self.form + {"%z": " %z", "%Z": " %Z"}.get(self.says, "")
            keys["stamps"] = [form, self.date_form] if self.bare_midnight else [form]
        if self.says in ("local", "%Z") and self.zone_in_profile:
            keys["zone"] = self.zone
        return keys

    @property
    def columns(self) -> Any:
        return self.headers if self.parted else self.headers[0]

    def may_be(self, slot: Slot) -> list[Slot]:
        """Other slots that are written alike."""
        if not self.local:
            return []
        near = (Slot(slot.start + way * by, slot.minutes) for way in (-1, 1) for by in (30, 60))
        return [other for other in near if self.of(other) == self.of(slot)]


def some_stamps(
    rng: Random, zone: str, *, ends: bool | None = None, says: str = "", one_column: bool = False
) -> Stamps:
    """Some way of writing times in a zone."""
    named = zone not in ("Australia/Lord_Howe", "UTC")
    kinds = ["local"] * 5 + ["offset", "offset", "z", "%z"] + (["%Z"] if named else [])
    says = says or rng.choice(kinds)
    ends = rng.random() < 0.5 if ends is None else ends
    form = rng.choice(_FORMS + RFC) if says in ("local", "%z", "%Z") else rng.choice(RFC)
    parts = " " in form and "%I" not in form and says in ("local", "%z") and not one_column
    parted, hour_24 = parts and rng.random() < 0.3, ends and "%H" in form and rng.random() < 0.4
    bare = says == "local" and " " in form and form not in RFC and not parted and not hour_24
    return Stamps(
        says,
        form,
        zone,
        ends,
        hour_24=hour_24 and says == "local",
        parted=parted,
        bare_midnight=bare and rng.random() < 0.15,
        zone_in_profile=says != "local" or rng.random() < 0.6,
    )
