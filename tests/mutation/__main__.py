"""``python -m tests.mutation``: run the tests of the rules against mutants of ``gridwatch/domain``.

A mutant is killed if a test fails or does not end, and survives if all pass. The checkout is copied to
``build/mutants`` as it is at the start and never changed itself.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Final, NamedTuple

import click

from tests.mutation.operators import Mutant, mutants_of

ROOT: Final = Path(__file__).resolve().parents[2]
COPIES: Final = ROOT / "build" / "mutants"
COPIED: Final = ("gridwatch", "sinks", "replay", "tests", "setup.cfg")
DOMAIN: Final = Path("gridwatch/domain")
#: The quickest first: a killed mutant needs no more than the first test that fails.
TESTS: Final = (
    "tests/unit/domain",
    "tests/unit/tables/test_rows.py",
    "tests/property/test_domain_processor.py",
    "tests/property/test_against_reference.py",
)
#: They read the source and ask nothing of the rules.
LEFT_OUT: Final = (
    "tests/unit/domain/test_domain_is_pure.py",
    "tests/unit/domain/partition/test_straight_path_is_closed.py",
)
#: No test of the rules takes a tenth of that; a run of all of them is given so many times what it took once.
TEST_SECONDS: Final = 60
PATIENCE: Final = 10


class Place(NamedTuple):
    """A mutant of a file."""

    path: Path
    mutant: Mutant

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.mutant.before, self.mutant.after))
        return f"{self.path}:{self.mutant.line}: {before}  ->  {after}"


class Copy:
    """A copy of the tree, to change one file of at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
            else:
                shutil.copy2(source, folder / name)

    def sources(self) -> list[Path]:
        """The files of the rules, as they are in the copy, relative to it."""
        return sorted(path.relative_to(self._folder) for path in (self._folder / DOMAIN).rglob("*.py"))

    def read(self, path: Path) -> str:
        """The text of a file."""
        return (self._folder / path).read_text(encoding="utf-8")

    def passes(self, seconds: float | None = None) -> bool:
        """Whether all tests of the rules pass. False too if they take longer than ``seconds``."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutation.quick"]
        command += [
            "-p",
            "no:cacheprovider",
            f"--timeout={TEST_SECONDS}",
            *(f"--ignore={path}" for path in LEFT_OUT),
            *TESTS,
        ]
        with (self._folder / "last.log").open("wb") as log:
            try:
                done = subprocess.run(
                    command, cwd=self._folder, stdout=log, stderr=log, timeout=seconds, check=False
                )
            except subprocess.TimeoutExpired:
                return False
        return done.returncode == 0

    def survives(self, place: Place, seconds: float) -> bool:
        """Whether no test notices the mutant."""
        path, source = self._folder / place.path, self.read(place.path)
        before = path.stat()
        path.write_text(place.mutant.applied(source), encoding="utf-8")
        # Another time than before, or the bytecode of before would be taken for that of the mutant.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 60_000_000_000))
        try:
            return self.passes(seconds)
        finally:
            path.write_text(source, encoding="utf-8")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def chosen(copy: Copy, at: Sequence[str]) -> list[Place]:
    """The mutants of the files and lines that ``at`` names (``gaps.py``, ``gaps.py:82``); of all, if none."""
    places = [Place(path, mutant) for path in copy.sources() for mutant in mutants_of(copy.read(path))]
    if not at:
        return places
    return [p for p in places if p.path.name in at or f"{p.path.name}:{p.mutant.line}" in at]


@click.command()
@click.option("--sample", type=click.IntRange(min=1), help="So many mutants, chosen by chance; else all.")
@click.option("--seed", default=0, show_default=True, help="Of that choice.")
@click.option("--at", multiple=True, metavar="FILE[:LINE]", help="Of this file or line only: gaps.py:82.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 2), help="Mutants at a time.")
def main(sample: int | None, seed: int, at: tuple[str, ...], jobs: int) -> None:
    """Which small changes to the rules does no test notice?

    Example: make mutants ARGS="--sample 200 --seed 1"
    """
    os.nice(10)
    copies = [Copy(COPIES / str(number)) for number in range(jobs)]
    places = chosen(copies[0], at)
    if not places:
        raise click.BadParameter("no mutant there", param_hint="--at")
    count = len(places)
    if sample is not None and sample < count:
        places = random.Random(seed).sample(places, sample)
    started = time.monotonic()
    if not copies[0].passes():
        raise click.ClickException(f"the tests fail without any mutant: see {COPIES}/0/last.log")
    limit = PATIENCE * (time.monotonic() - started)
    free: Queue[Copy] = Queue()
    for copy in copies:
        free.put(copy)

    def survives(place: Place) -> bool:
        copy = free.get()
        try:
            return copy.survives(place, limit)
        finally:
            free.put(copy)

    survivors = []
    with ThreadPoolExecutor(jobs) as pool:
        for done, (place, survived) in enumerate(zip(places, pool.map(survives, places), strict=True), 1):
            survivors += [place] if survived else []
            click.echo(f"{done} of {len(places)}: {'SURVIVED' if survived else 'killed'} {place}", err=True)
    for place in sorted(survivors):
        click.echo(str(place))
    killed = len(places) - len(survivors)
    of_all = "" if len(places) == count else f", a sample of {count} (seed {seed})"
    click.echo(f"killed {killed} of {len(places)} mutants, {killed / len(places):.1%}{of_all}")
    click.echo(f"in {(time.monotonic() - started) / 60:.0f} min", err=True)


if __name__ == "__main__":
    main()
