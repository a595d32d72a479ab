"""Why a message is malformed, beside the reasons of `gridwatch.domain.validation.findings`."""

from __future__ import annotations

from typing import Final

from gridwatch.bridge.formats.measured import Malformed

EMPTY: Final = "EMPTY"
DUPLICATE_KEY: Final = "DUPLICATE_KEY"
TOO_DEEP: Final = "TOO_DEEP"
UNKNOWN_FIELD: Final = "UNKNOWN_FIELD"
AMBIGUOUS_UNIT: Final = "AMBIGUOUS_UNIT"
BAD_CHECKSUM: Final = "BAD_CHECKSUM"


def malformed(reason: str, message: str, field: str | None = None) -> Malformed:
    """The verdict for one reason."""
    return Malformed((reason,), message, field)


class Problems:
    """Collects what is wrong with the fields of a message, in the order in which it is found."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, str]] = []

    def add(self, reason: str, field: str, what: str) -> None:
        """Add a reason. ``what`` follows the field's name in the sentence, and ends with the remedy."""
        self._found.append((reason, field, f"{field} {what}"))

    def check(self) -> None:
        """Raise `Malformed` with every reason, if there is one."""
        if self._found:
            reasons = tuple(dict.fromkeys(reason for reason, _, _ in self._found))
            message = "; ".join(what for _, _, what in self._found)
            raise Malformed(reasons, message, self._found[0][1])
