"""What a stage's outputs are on their way to the topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Message = tuple[bytes, bytes]
"""Key and value of an output."""


class Feed(NamedTuple):
    """How many records of a source were good, and how many became dead letters."""

    good: int = 0
    bad: int = 0
    run: int = 0
    """Bad ones after the last good one."""
    example: str = ""
    """The last bad one, in words."""


class Encoded(NamedTuple):
    """Outputs as messages by topic name, in order, and what they say of the source."""

    messages: Mapping[str, Sequence[Message]]
    feed: Feed = Feed()
