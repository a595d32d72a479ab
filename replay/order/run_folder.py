"""The folder in which sorted runs lie: held by one replay at a time, found again by the one that resumes it.

A replay that ends removes its folder. One that is stopped, or killed, after everything was sorted leaves it:
`--resume` of the same replay takes it over and need not sort again. Whatever else dead replays have left is
removed by the next one that sorts. A lock that the system drops with its process shows who is alive.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_PREFIX = "gridwatch-replay-"


class RunFolder:
    """A folder that no other replay will touch while this object holds it."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def made(cls, replay: str) -> RunFolder:
        """A new one for the replay of this name, in TMPDIR, which is rid of what dead ones left."""
        for old in _all():
            if (dead := cls._held(old)) is not None:
                dead.remove()
        while True:
            path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{replay}-"))
            (path / "lock").touch()
            if (held := cls._held(path)) is not None:
                return held

    @classmethod
    def left(cls, replay: str) -> tuple[RunFolder, Any] | None:
        """A sealed one that the replay of this name left, and what it was sealed with; None without one."""
        for path in _all(replay):
            if (held := cls._held(path)) is None:
                continue
            try:
                return held, pickle.loads((path / "sealed").read_bytes())  # noqa: S301 - our own folder
            except Exception:  # not sealed, or by another version
                held.remove()
        return None

    def seal(self, memory: Any) -> None:
        """All runs are there: `memory` is for whoever takes them over."""
        unfinished = self.path / "unfinished"
        unfinished.write_bytes(pickle.dumps(memory))
        unfinished.rename(self.path / "sealed")

    def leave(self) -> None:
        """Let another replay have it."""
        self._lock.close()

    def remove(self) -> None:
        """Remove it with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    @classmethod
    def _held(cls, path: Path) -> RunFolder | None:
        """The folder, unless it is gone or somebody else's."""
        with suppress(OSError):
            lock = (path / "lock").open("rb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if (path / "lock").exists():  # else its owner removed it meanwhile
                    return cls(path, lock)
            except OSError:
                pass
            lock.close()
        return None


def _all(replay: str = "") -> list[Path]:
    """Folders of this user: what others lay into a shared TMPDIR is neither read nor removed."""
    pattern = f"{_PREFIX}{replay}-*" if replay else f"{_PREFIX}*"
    return [path for path in Path(tempfile.gettempdir()).glob(pattern) if _is_ours(path)]


def _is_ours(path: Path) -> bool:
    with suppress(OSError):
        found = path.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return False
