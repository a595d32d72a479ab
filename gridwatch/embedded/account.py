"""The unprivileged user PostgreSQL runs as when we are root: it refuses to run as root itself.

No user is created: `nobody` exists on every Unix and owns nothing. It becomes the owner of its data folder,
and temporary folders of ours above it get the search permission (not read). Any other parent folder without
it is an error that names the folder.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from gridwatch.errors import GridwatchError


class Account(NamedTuple):
    """User and group ids to run a server as."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """`nobody` if we are root, None if we are unprivileged ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise GridwatchError(
            "PostgreSQL does not run as root, and this machine has no user 'nobody' to run it as",
            "run gridwatch as an ordinary user",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def closed_folders(path: Path) -> list[Path]:
    """The parent folders of `path`, outermost first, without search permission for others."""
    parents = reversed(path.absolute().parents)
    return [folder for folder in parents if not folder.stat().st_mode & stat.S_IXOTH]


def make_reachable(path: Path, account: Account) -> None:
    """Make `path` reachable for `account`: opens temporary folders, refuses any other closed one."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for folder in closed_folders(path.resolve()):
        if temporary not in folder.parents:
            raise GridwatchError(
                f"PostgreSQL runs as the user {account.name} when gridwatch runs as root, "
                f"and {folder} gives that user no access to {path}",
                f"choose a data folder outside {folder}, or run gridwatch as an ordinary user",
            )
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
