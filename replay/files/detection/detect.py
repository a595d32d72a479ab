"""`--profile auto`: which kind of file it is, and why; asks for one where none or several fit."""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.detection.fit import objections
from replay.files.layout import Start
from replay.files.profile import Profile
from replay.files.profiles import PROFILES
from replay.files.reading.opening import inspect, sniff
from replay.files.sources import Source


def detect(sources: Iterable[Source], zone: str = "UTC") -> tuple[Profile, str]:
    """The profile that fits all files, and why. UsageProblem where that is not exactly one.

    `zone` is that of stamps where neither file nor profile say it.
    """
    chosen: tuple[Profile, str] | None = None
    first: Source | None = None
    for source in sources:
        found = _fitting(source, zone)
        if chosen is None:
            chosen, first = found, source
        elif chosen[0].name != found[0].name:
            raise UsageProblem(
                f"{first} looks like {chosen[0].name}, {source} like {found[0].name}",
                "replay files of one kind at a time, or name it with --profile",
            )
    if chosen is None:
        raise UsageProblem("no files", "name files to replay")
    return chosen


def is_known(source: Source) -> bool:
    """Whether a file looks like one of any profile, whatever its name."""
    try:
        return bool(_alike(sniff(source)))
    except GridwatchError:
        return False


def misfit(source: Source, profile: Profile) -> str:
    """Why a file whose name says nothing is not read with a profile; empty if its content is of it."""
    try:
        start = sniff(source)
        if profile.recognise and not profile.recognise(start):
            return f"its content is not that of {profile.name}"
        inspect(source, profile)
    except GridwatchError as problem:
        return problem.message.removeprefix(f"{source}: ").removeprefix(f"{source}, ")
    return ""


def _fitting(source: Source, zone: str) -> tuple[Profile, str]:
    start = sniff(source)
    alike = _alike(start)
    against = {profile.name: objections(start, profile, zone) for profile, _ in alike}
    fitting = [(profile, why) for profile, why in alike if not against[profile.name]]
    if len(fitting) == 1:
        return fitting[0]
    begins = f"it begins: {start.lines[0][:80]!r}"
    if fitting:
        fits = "; ".join(f"{profile.name} ({why})" for profile, why in fitting)
        found = f"several profiles fit: {fits}; {begins}"
    elif alike:
        looks = "; ".join(
            f"it looks like {profile.name} ({why}), but {'; '.join(against[profile.name])}"
            for profile, why in alike
        )
        found = f"no profile fits: {looks}; {begins}"
    else:
        found = f"no profile fits; {begins}"
    raise UsageProblem(
        f"{source}: {found}",
        "name one with --profile, or describe the file: --profile custom --profile-file FILE; "
        f"known are {', '.join(PROFILES)}",
    )


def _alike(start: Start) -> list[tuple[Profile, str]]:
    """The profiles that the start of a file looks like, and why."""
    return [
        (profile, why)
        for profile in PROFILES.values()
        if profile.recognise and (why := profile.recognise(start))
    ]
