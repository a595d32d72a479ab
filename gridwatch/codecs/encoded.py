"""The encoded outputs of a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

Message = tuple[bytes, bytes]
"""Key and value of an output."""


class Feed(NamedTuple):
    """How many records of a source were valid, and how many became dead letters."""

    good: int = 0
    bad: int = 0
    run: int = 0
    """Dead letters after the last valid record."""
    example: str = ""
    """The reasons and message of the last dead letter."""


class Encoded(NamedTuple):
    """Outputs as messages by topic name, in order, and the counts of the source."""

    messages: Mapping[str, Sequence[Message]]
    feed: Feed = Feed()
    targeted: Mapping[tuple[str, int], Sequence[Message]] = MappingProxyType({})
    """Those of other partitions than that of the source: by topic name and partition."""
