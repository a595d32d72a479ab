"""The check of another machine's clock against ours."""

from __future__ import annotations

from gridwatch.cli.doctor.findings import Finding, good, wrong

#: With a larger difference, record timestamps and the rules about fast clocks are unreliable.
CLOCK_SECONDS = 5.0


def check_clock(check: str, ahead: float, whose: str) -> Finding:
    """A finding for a clock that is `ahead` seconds of ours (negative: behind)."""
    if abs(ahead) <= CLOCK_SECONDS:
        return good(check, f"{abs(ahead):.1f} s from this machine's", ahead_seconds=ahead)
    direction = "ahead of" if ahead > 0 else "behind"
    return wrong(
        check,
        f"the clock of {whose} is {abs(ahead):.0f} s {direction} this machine's",
        "let both machines follow the same time servers (timedatectl set-ntp true)",
        ahead_seconds=ahead,
    )
