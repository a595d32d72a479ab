"""What a source itself says of a row's version, and of the device that counted it.

A profile that knows marks all of its rows: the text of their further members is a `Marked` one. A version is
a whole number; of two rows with the same time and meter the higher one stands. A device is the serial number
of what counted, empty where that is not known.
"""

from __future__ import annotations

from replay.files.rows import Row


class Marked(str):
    """The further members of a row, with its version and its device."""

    __slots__ = ("device", "version")
    version: int
    device: str

    def __new__(cls, members: str, version: int, device: str = "") -> Marked:
        """`members` as in a `Row`."""
        made = super().__new__(cls, members)
        made.version, made.device = version, device
        return made


def marked(last: tuple[int, str], version: int, device: str = "") -> tuple[int, str]:
    """The interval and the members of a row, marked."""
    return last[0], Marked(last[1], version, device)


def are_marked(rows: list[Row]) -> bool:
    """Whether rows have marks; all of them or none."""
    return bool(rows) and isinstance(rows[0][4], Marked)


def preceded(members: str, text: str) -> str:
    """Further members with some before them, as marked as they were."""
    if isinstance(members, Marked):
        return Marked(text + members, members.version, members.device)
    return text + members
