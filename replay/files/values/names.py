"""The names of series: a suffix behind the id of a meter must not make the id of another one.

`M` has its energy fed in under `M-export`; where a meter of that very id has readings too, they would be one.
"""

from __future__ import annotations

from replay.files.job import BadCell
from replay.files.tally import Tally


class Names:
    """Names by meter and suffix; remembered for all files of a command."""

    def __init__(self, tally: Tally) -> None:
        self._owners = tally.named

    def of(self, meter: str, suffix: str) -> str:
        """The name of a series. BadCell where it is the name of another one."""
        name = meter + suffix
        owner = self._owners.setdefault(name, (meter, suffix))
        if owner != (meter, suffix):
            other = f"the series {owner[1]} of {owner[0]}" if owner[1] else "the id of a meter"
            raise BadCell(
                "meter_id",
                meter,
                f"its readings would be those of {name}, and that is {other}",
                "give one of the two meters another id, or replay them one after the other with --meters",
            )
        return name
