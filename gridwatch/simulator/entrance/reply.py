"""What the service said of a batch: which readings it rejected, or why it refuses the request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, Final, NamedTuple

from gridwatch.errors import GridwatchError
from gridwatch.simulator.entrance.address import KEY_VARIABLE, Address
from gridwatch.simulator.entrance.client import Reply

_ACCEPTED: Final = 202
_NONE_ACCEPTED: Final = 400
#: Rejected readings that are shown.
SHOWN: Final = 5
_LONGEST_REASON: Final = 200
_WHICH: Final = "name the address of gridwatch ingest with --url"


class Rejected(NamedTuple):
    """A reading that was rejected, by its place in the batch."""

    place: int
    reasons: tuple[str, ...]


@dataclass
class Answers:
    """What the service has said of the readings of this run so far."""

    url: str
    accepted: int = 0
    rejected: int = 0
    #: The first that were rejected, with their reasons.
    examples: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Readings that there is an answer for."""
        return self.accepted + self.rejected


def rejected_of(reply: Reply, readings: int, address: Address) -> list[Rejected]:
    """The readings of a batch that were rejected: all of them in an answer 400.

    GridwatchError when the request itself was refused, or when the answer is not that of `gridwatch ingest`.
    """
    if reply.status not in (_ACCEPTED, _NONE_ACCEPTED):
        raise _refusal(reply, readings, address)
    try:
        answer = json.loads(reply.body)
        accepted = int(answer["accepted"]) if reply.status == _ACCEPTED else 0
        found = [Rejected(int(one["index"]), _reasons(one["reasons"])) for one in answer["rejected"]]
    except (ValueError, TypeError, KeyError) as problem:
        raise _refusal(reply, readings, address) from problem
    places = {one.place for one in found}
    if len(places) != len(found) or accepted + len(found) != readings or not places <= set(range(readings)):
        raise GridwatchError(
            f"{address.url}: {readings:,} readings were sent, and the answer is about {accepted:,} that were "
            f"accepted and {len(found):,} that were rejected",
            _WHICH,
        )
    return found


def _reasons(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise TypeError
    return tuple(_printable(one if isinstance(one, str) else json.dumps(one)) for one in given)


def _refusal(reply: Reply, readings: int, address: Address) -> GridwatchError:
    status = reply.status
    said = f"{address.url}: {status} {responses.get(status, '')}".rstrip() + _detail(reply.body)
    if 300 <= status < 400:
        said += f", to {_printable(reply.location) or 'nowhere'}"
    return GridwatchError(said, _remedy(status, readings, address))


def _remedy(status: int, readings: int, address: Address) -> str:
    match status:
        case 401 if address.key is None:
            remedy = f"set {KEY_VARIABLE}, or name a file with the key by --key-file"
        case 401:
            remedy = f"the key is not known there: correct {KEY_VARIABLE} or --key-file"
        case 403:
            remedy = "this key may not send readings: ask for one that may"
        case 413:
            remedy = f"gridwatch ingest takes {readings:,} readings: raise the limit of what stands before it"
        case 415:
            remedy = f"gridwatch ingest takes JSON, also compressed by gzip: {_WHICH}"
        case 400:
            remedy = f"the request cannot be read there: {_WHICH}"
        case 404 | 405:
            remedy = f"nothing takes POST {address.path} there: {_WHICH}"
        case _ if status >= 500:
            remedy = "the log of the service has the cause; it is waited for only when it is away"
        case _:
            remedy = f"this is no answer of gridwatch ingest: {_WHICH}"
    return remedy


def _detail(body: bytes) -> str:
    """What a problem document says (RFC 9457), else nothing."""
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    text = next((document[name] for name in ("detail", "title") if isinstance(document.get(name), str)), "")
    return f" ({_printable(text)})" if text else ""


def _printable(text: str) -> str:
    """Text of others, fit for a terminal."""
    return "".join(one if one.isprintable() else " " for one in text[:_LONGEST_REASON])
