"""Downloads jars from Maven's repositories into a folder: with Maven if it is installed, else with `jgo`.

Nothing is resolved here: each jar is requested by its own coordinates, without its dependencies. No host is
configured: Maven reads its own settings, and jgo uses its default repository, unless jgo's configuration or
the user's Maven settings name a mirror of it.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree as Xml
from xml.sax.saxutils import escape

from gridwatch.embedded.jars.coordinates import Jar
from gridwatch.embedded.report import Report
from gridwatch.errors import GridwatchError

COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_DOWNLOADED = re.compile(r"Downloaded from \S+: \S+/(\S+\.jar \(.*\))")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DOWNLOAD_SECONDS = 60


class Fetcher(Protocol):
    """A downloader: `fetch` puts every jar into `folder` or raises GridwatchError."""

    name: str

    def fetch(self, jars: Sequence[Jar], folder: Path, report: Report) -> None: ...


def fetchers() -> list[Fetcher]:
    """The fetchers available on this machine, in order of preference."""
    found: list[Fetcher] = []
    mvn = shutil.which("mvn")
    if mvn is not None:
        found.append(Maven(mvn))
    try:
        import jgo  # noqa: F401
    except ImportError:
        return found
    return [*found, Jgo()]


class Maven:
    """Fetches with `mvn`, which has the user's mirrors, proxies and credentials."""

    name = "Maven"

    def __init__(self, mvn: str) -> None:
        self.mvn = mvn

    def fetch(self, jars: Sequence[Jar], folder: Path, report: Report) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            pom = Path(scratch) / "pom.xml"
            pom.write_text(project(jars), encoding="utf-8")
            command = [self.mvn, "-B", "-f", str(pom), COPY_GOAL, f"-DoutputDirectory={folder}"]
            error = self._run(command, report)
        if error:
            raise GridwatchError(error)

    def _run(self, command: Sequence[str], report: Report) -> str:
        """Run Maven and report each jar it downloads; returns its error, empty on success."""
        problems = []
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as maven:
            for line in maven.stdout or ():
                downloaded = _DOWNLOADED.search(line)
                if downloaded:
                    report(f"  {downloaded[1]}")
                elif "ERROR" in line:
                    problems.append(_COLOUR.sub("", line).strip())
        return (problems[0] if problems else f"exit code {maven.returncode}") if maven.returncode else ""


class Jgo:
    """Fetches with the pure Python package `jgo`."""

    name = "jgo"

    def fetch(self, jars: Sequence[Jar], folder: Path, report: Report) -> None:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext

        logging.getLogger("jgo").setLevel(logging.ERROR)
        configured = dict(GlobalSettings.load().repositories)
        mirror = central_mirror(maven_settings())
        repositories = configured or ({"mirror": mirror} if mirror else None)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            context = MavenContext(
                repo_cache=Path(scratch), remote_repos=repositories, timeout=_DOWNLOAD_SECONDS
            )
            for number, jar in enumerate(jars, 1):
                report(f"  {number:2}/{len(jars)} {jar.filename}")
                component = context.project(jar.group, jar.artifact).at_version(jar.version)
                try:
                    fetched = component.artifact().resolve()
                except (OSError, RuntimeError) as problem:  # requests' errors are OSErrors
                    raise GridwatchError(f"{jar.filename}: {problem}") from problem
                shutil.move(fetched, folder / jar.filename)


def project(jars: Sequence[Jar]) -> str:
    """A Maven project that depends on exactly these jars, with their transitive dependencies excluded."""
    dependencies = "".join(
        f"<dependency><groupId>{escape(jar.group)}</groupId><artifactId>{escape(jar.artifact)}</artifactId>"
        f"<version>{escape(jar.version)}</version><exclusions><exclusion><groupId>*</groupId>"
        "<artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for jar in jars
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>gridwatch</groupId><artifactId>embedded-kafka</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def maven_settings() -> list[Path]:
    """The paths of Maven's settings: the user's first, then the installation's."""
    homes = [Path(os.environ[key]) / "conf" for key in ("MAVEN_HOME", "M2_HOME") if os.environ.get(key)]
    return [folder / "settings.xml" for folder in (Path.home() / ".m2", *homes)]


def central_mirror(files: Sequence[Path]) -> str | None:
    """The URL of the first mirror of Maven Central in these settings files, None without one."""
    for file in files:
        try:
            root = Xml.parse(file).getroot()  # noqa: S314  the user's own settings file
        except (OSError, Xml.ParseError):
            continue
        for mirror in root.iterfind("{*}mirrors/{*}mirror"):
            of = [pattern.strip() for pattern in (mirror.findtext("{*}mirrorOf") or "").split(",")]
            url = (mirror.findtext("{*}url") or "").strip().rstrip("/")
            blocked = (mirror.findtext("{*}blocked") or "").strip() == "true"
            if url and not blocked and "!central" not in of and {"*", "central", "external:*"} & set(of):
                return url
    return None
