"""A virtual environment for each contestant, created once: its pinned packages and nothing else.

They are in `.bench/`, named by contestant and digest of their pins, so changed pins create a new one.
gridwatch uses the packages of this process; a copy of it with its hot path compiled is there too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "benchmarks" / "requirements"
HOME = ROOT / ".bench"


class NotInstallable(click.ClickException):
    """A contestant's packages cannot be had for this Python on this machine; says why."""


def python_of(name: str) -> Path:
    """The interpreter of the environment for `requirements/<name>.txt`, made if it is not there yet."""
    pins = REQUIREMENTS / f"{name}.txt"
    content = f"{sys.version}\n{pins.read_text(encoding='utf-8')}"
    home = HOME / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    python = home / "bin" / "python"
    done = home / ".done"  # written last: an interrupted one is made again
    if not done.exists():
        print(f"making the environment of {name} (once)", file=sys.stderr)
        for old in HOME.glob(f"{name}-*"):
            shutil.rmtree(old)
        _run([sys.executable, "-m", "venv", str(home)], name)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--only-binary=:all:", "-r", str(pins)], name)
        done.touch()
    return python


def compiled() -> Path:
    """The folder with gridwatch's packages, their hot path compiled; made if the source has changed."""
    sources = [path for package in ("gridwatch", "sinks", "replay") for path in (ROOT / package).rglob("*")]
    digest = hashlib.sha256(sys.version.encode())
    for source in sorted(path for path in (ROOT / "setup.py", *sources) if path.suffix not in ("", ".pyc")):
        digest.update(source.read_bytes())
    home = HOME / f"compiled-{digest.hexdigest()[:12]}"
    if not home.exists():
        print("compiling gridwatch's hot path (once)", file=sys.stderr)
        for old in HOME.glob("compiled-*"):
            shutil.rmtree(old)
        made = HOME / "compiled-half"
        command = [sys.executable, "setup.py", "build", f"--build-lib={made}", f"--build-base={made}.o"]
        _run(command, "gridwatch, compiled", {"GRIDWATCH_COMPILE": "1"})
        made.rename(home)  # last: an interrupted one is made again
    return home


def pins_of(name: str) -> list[str]:
    """What is pinned for it, as `package==version`."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _run(command: list[str], name: str, extra: dict[str, str] | None = None) -> None:
    environment = os.environ | (extra or {})
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if ran.returncode != 0:
        output = (ran.stderr or ran.stdout).strip().splitlines()
        raise NotInstallable(f"{name}: {' '.join(output[-2:])}")
