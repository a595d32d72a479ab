"""`--profile auto`: which kind of file it is, and why; asks for one where none or several fit."""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.errors import UsageProblem
from replay.files import sniff
from replay.profile import Profile
from replay.profiles import PROFILES
from replay.sources import Source


def detect(sources: Iterable[Source]) -> tuple[Profile, str]:
    """The profile that fits all files, and why. UsageProblem where that is not exactly one."""
    chosen: tuple[Profile, str] | None = None
    first: Source | None = None
    for source in sources:
        start = sniff(source)
        fitting = [
            (profile, why)
            for profile in PROFILES.values()
            if profile.recognise and (why := profile.recognise(start))
        ]
        if len(fitting) != 1:
            fits = "; ".join(f"{profile.name} ({why})" for profile, why in fitting)
            raise UsageProblem(
                f"{source}: {'several profiles fit: ' + fits if fits else 'no profile fits'}; "
                f"it begins: {start.lines[0][:80]!r}",
                "name one with --profile, or describe the file: --profile custom --profile-file FILE; "
                f"known are {', '.join(PROFILES)}",
            )
        if chosen is None:
            chosen, first = fitting[0], source
        elif chosen[0].name != fitting[0][0].name:
            raise UsageProblem(
                f"{first} looks like {chosen[0].name}, {source} like {fitting[0][0].name}",
                "replay files of one kind at a time, or name it with --profile",
            )
    if chosen is None:
        raise UsageProblem("no files", "name files to replay")
    return chosen
