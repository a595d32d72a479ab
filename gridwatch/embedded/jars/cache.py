"""The broker's jars in the user's cache: complete and verified, or absent.

The cache folder is named after the pinned list, so a new list never finds old jars. It is created by one
rename of a folder in which every jar has matched its checksum, so an interrupted download leaves no partial
cache. The checksums are verified again at each start (43 MB, some 40 ms): a damaged cache is downloaded again
instead of failing deep inside Java.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridwatch.embedded.jars.coordinates import JARS, KAFKA_VERSION, Jar
from gridwatch.embedded.jars.fetch import Fetcher, fetchers
from gridwatch.embedded.report import Report
from gridwatch.errors import GridwatchError


def cache_folder() -> Path:
    """`GRIDWATCH_CACHE`, else the user's cache folder for gridwatch."""
    chosen = os.environ.get("GRIDWATCH_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("gridwatch")


def invalid_jars(folder: Path, jars: Sequence[Jar] = JARS) -> list[Jar]:
    """The jars that are missing from `folder` or differ from their checksum."""
    return [jar for jar in jars if _sha256(folder / jar.filename) != jar.sha256]


def kafka_jars(
    report: Report,
    *,
    cache: Path | None = None,
    jars: Sequence[Jar] = JARS,
    sources: Sequence[Fetcher] | None = None,
) -> list[Path]:
    """The jars' paths, in a fixed order; fetched first if the cache lacks them.

    report: gets progress messages, only when something is fetched. sources: the fetchers, tried in order;
    those of this machine if None.
    """
    cache = cache or cache_folder()
    folder = cache / f"kafka-{KAFKA_VERSION}-{_fingerprint(jars)}"
    if invalid_jars(folder, jars):
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"{folder.name}.lock"):
            if invalid_jars(folder, jars):  # another process may have fetched them while we waited
                _fetch_into(folder, jars, fetchers() if sources is None else sources, report)
    return [folder / jar.filename for jar in jars]


def _fetch_into(folder: Path, jars: Sequence[Jar], sources: Sequence[Fetcher], report: Report) -> None:
    if not sources:
        raise GridwatchError(
            f"Apache Kafka is not in {folder}, and neither Maven nor the package jgo is here to fetch it",
            "pip install 'gridwatch[embedded]', or put mvn on the PATH",
        )
    failures = []
    for source in sources:
        report(
            f"fetching Apache Kafka {KAFKA_VERSION} with {source.name}: {len(jars)} jars, 43 MB, once only"
        )
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder.parent) as scratch:
            fresh = Path(scratch) / "jars"
            fresh.mkdir()
            try:
                source.fetch(jars, fresh, report)
                _verify(fresh, jars)
            except GridwatchError as problem:
                failures.append(f"{source.name}: {problem.message}")
                report(failures[-1])
                continue
            shutil.rmtree(folder, ignore_errors=True)  # a damaged one
            fresh.rename(folder)
        report(f"Apache Kafka is in {folder}; later starts need no network")
        return
    raise GridwatchError(
        "could not fetch Apache Kafka: " + "; ".join(failures),
        "check the network, and the mirror or proxy in Maven's settings.xml; or copy a filled cache from "
        "another machine and name it in GRIDWATCH_CACHE",
    )


def _verify(folder: Path, jars: Sequence[Jar]) -> None:
    bad = invalid_jars(folder, jars)
    if bad:
        names = ", ".join(jar.filename for jar in bad)
        raise GridwatchError(f"missing or with a wrong checksum: {names}")


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Hold `lock` against other processes: two concurrent first starts fetch once."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            digest = hashlib.sha256()
            while block := handle.read(1 << 20):
                digest.update(block)
            return digest.hexdigest()
    except OSError:
        return ""


def _fingerprint(jars: Sequence[Jar]) -> str:
    return hashlib.sha256("\n".join(jar.sha256 for jar in jars).encode()).hexdigest()[:12]
