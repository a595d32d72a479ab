"""Faults of data folders: removed, files truncated, bits flipped, while their worker is down."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from chaos.schedule import Fault
from chaos.service import SupervisedService
from chaos.site import Site

#: The data files of RocksDB, without its own log.
_PATTERNS = ("*.sst", "*.log", "MANIFEST-*", "CURRENT", "OPTIONS-*")
_FLIPS = 20


def wipe(site: Site, fault: Fault) -> None:
    """Remove the data folder."""
    service = _target(site, fault)
    with service.held_down():
        service.kill()
        shutil.rmtree(service.data, ignore_errors=True)


def truncate(site: Site, fault: Fault) -> None:
    """Truncate files at random lengths, zero included."""
    service = _target(site, fault)
    with service.held_down():
        service.kill()
        chance = random.Random(int(fault.number_of("seed")))  # noqa: S311  to be repeated
        for file in _some_files(service.data, fault, chance):
            with file.open("r+b") as opened:
                opened.truncate(int(file.stat().st_size * chance.choice([0, chance.random()])))


def flip(site: Site, fault: Fault) -> None:
    """Flip random bits."""
    service = _target(site, fault)
    with service.held_down():
        service.kill()
        chance = random.Random(int(fault.number_of("seed")))  # noqa: S311  to be repeated
        for file in _some_files(service.data, fault, chance):
            content = bytearray(file.read_bytes())
            for _ in range(_FLIPS if content else 0):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            file.write_bytes(content)


def _target(site: Site, fault: Fault) -> SupervisedService:
    wanted = [service for service in site.workers if service.wanted]
    return wanted[fault.target % len(wanted)]


def _some_files(folder: Path, fault: Fault, chance: random.Random) -> list[Path]:
    databases = sorted({current.parent for current in folder.rglob("CURRENT")})
    files = sorted(file for database in databases for pattern in _PATTERNS for file in database.glob(pattern))
    return chance.sample(files, min(len(files), int(fault.number_of("files"))))
