"""A virtual environment for each contestant, made once: its pinned packages and nothing else.

They lie under `.bench/` by the name and the digest of what is in them, so changed pins make a new one.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
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


def pins_of(name: str) -> list[str]:
    """What is pinned for it, as `package==version`."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _run(command: list[str], name: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise NotInstallable(f"{name}: {' '.join(said[-2:])}")
