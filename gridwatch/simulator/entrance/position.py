"""The last acknowledged row of a run, in a small file of the user: the service itself does not know runs.

A file belongs to one identity (everything the sequence of rows depends on) and one address. It is replaced as
a whole, so it is never half written. Where none can be written, the run goes on all the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from gridwatch.errors import GridwatchError

_VERSION: Final = 1


class Acknowledged(NamedTuple):
    """A run, and the last of its rows that the service has answered for."""

    run: str
    row: int


def state_folder() -> Path:
    """The user's state folder for gridwatch."""
    try:
        from platformdirs import user_state_path
    except ImportError:
        home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
        return Path(home) / "gridwatch"
    return user_state_path("gridwatch")


class PositionFile:
    """The position of the newest run of an identity at an address."""

    def __init__(self, folder: Path, identity: str, url: str, warn: Callable[[str], None]) -> None:
        place = blake2b(url.encode(), digest_size=4).hexdigest()
        self.path = folder / "simulate" / f"{identity}-{place}.json"
        self._warn = warn
        self._fails = False

    def read(self) -> Acknowledged | None:
        """What is kept, if anything. GridwatchError when it cannot be read."""
        try:
            kept = json.loads(self.path.read_bytes())
            if kept["version"] != _VERSION:
                raise ValueError(f"version {kept['version']}")
            return Acknowledged(str(kept["run"]), int(kept["row"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as problem:
            raise GridwatchError(
                f"{self.path}: the position of the run cannot be read: {problem}",
                "start from the beginning without --resume: what is there already is dropped as a duplicate",
            ) from problem

    def write(self, position: Acknowledged) -> None:
        """Keep a position in place of the last one."""
        text = json.dumps({"version": _VERSION, "run": position.run, "row": position.row})
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(self.path)
        except OSError as problem:
            if not self._fails:
                self._warn(
                    f"{self.path} cannot be written ({problem.strerror}): --resume will not find this run"
                )
            self._fails = True
