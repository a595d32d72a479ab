"""One file, its profile, and what is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tests.differential.truth import Truth

#: `energy`: the truth, and no refusal. `refused`: the file does not say enough; an error, or a note that says
#: what was assumed. `either`: the truth, an error, or such a note.
Expect = Literal["energy", "refused", "either"]


@dataclass
class Case:
    """A file as it lies, and the energy that was meant: mWh by series and start, without zeros."""

    layout: str
    file: str
    data: bytes
    zone: str
    energy: dict[tuple[str, int], int]
    #: TOML, or empty where `profile` names one ("auto" finds out).
    described: str = ""
    profile: str = ""
    #: Of the settings.
    timezone: str = "UTC"
    expect: Expect = "energy"
    why: str = ""
    #: Whether each interval's place in its day is to be right as well.
    placed: bool = True
    text: str = field(default="", repr=False)


def case_of(
    truth: Truth,
    layout: str,
    text: str,
    file: tuple[str, bytes],
    *,
    described: str = "",
    profile: str = "",
    timezone: str = "UTC",
    expect: Expect = "energy",
    why: str = "",
    placed: bool = True,
) -> Case:
    """A case whose energy is that of a truth."""
    return Case(
        layout, file[0], file[1], truth.zone, truth.milliwatthours(), described, profile, timezone, expect,
        why, placed, text,
    )  # fmt: skip
