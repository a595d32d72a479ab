"""The cache of the embedded Kafka's jars: complete and verified, or absent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gridwatch.embedded.jars import cache_folder, invalid_jars, kafka_jars
from gridwatch.embedded.jars.coordinates import JARS, KAFKA_VERSION, Jar
from gridwatch.embedded.jars.fetch import central_mirror, project
from gridwatch.embedded.report import Report
from gridwatch.errors import GridwatchError


def content(artifact: str) -> bytes:
    return f"the jar of {artifact}".encode()


TWO = tuple(
    Jar("org.example", name, "1.0", hashlib.sha256(content(name)).hexdigest()) for name in ("one", "two")
)


class FakeFetcher:
    """Fetches from memory; `damage` and `stop_after` make it fail as a network does."""

    name = "memory"

    def __init__(self, *, damage: str = "", stop_after: int | None = None) -> None:
        self.damage = damage
        self.stop_after = stop_after
        self.calls = 0

    def fetch(self, jars: Sequence[Jar], folder: Path, report: Report) -> None:
        self.calls += 1
        for number, jar in enumerate(jars):
            if number == self.stop_after:
                raise GridwatchError("the line went dead")
            wrong = b"damaged" if jar.artifact == self.damage else b""
            (folder / jar.filename).write_bytes(content(jar.artifact) + wrong)


def get(cache: Path, *fetchers: FakeFetcher) -> list[Path]:
    return kafka_jars(lambda line: None, cache=cache, jars=TWO, sources=fetchers)


def test_the_pinned_list_names_each_artifact_once_with_a_checksum() -> None:
    assert len({(jar.group, jar.artifact) for jar in JARS}) == len(JARS)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in JARS)
    assert {jar.version for jar in JARS if jar.group == "org.apache.kafka"} == {KAFKA_VERSION}


def test_what_was_fetched_once_is_not_fetched_again(tmp_path: Path) -> None:
    fetcher = FakeFetcher()
    first = get(tmp_path, fetcher)
    assert get(tmp_path, fetcher) == first
    assert fetcher.calls == 1
    assert [path.read_bytes() for path in first] == [content("one"), content("two")]


def test_an_interrupted_fetch_leaves_no_partial_cache(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="the line went dead"):
        get(tmp_path, FakeFetcher(stop_after=1))
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".jar"] == []
    assert len(get(tmp_path, FakeFetcher())) == 2


def test_a_jar_with_another_checksum_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=re.escape("two-1.0.jar")):
        get(tmp_path, FakeFetcher(damage="two"))
    assert list(tmp_path.rglob("*.jar")) == []


def test_the_next_fetcher_is_tried_when_one_fails(tmp_path: Path) -> None:
    broken, whole = FakeFetcher(stop_after=0), FakeFetcher()
    assert len(get(tmp_path, broken, whole)) == 2
    assert (broken.calls, whole.calls) == (1, 1)


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_damaged_cache_is_fetched_again(tmp_path: Path, harm: str) -> None:
    fetcher = FakeFetcher()
    victim = get(tmp_path, fetcher)[0]
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(b"rot")
    get(tmp_path, fetcher)
    assert fetcher.calls == 2
    assert invalid_jars(victim.parent, TWO) == []


def test_without_a_fetcher_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError) as caught:
        get(tmp_path)
    assert "gridwatch[embedded]" in caught.value.remedy


def test_the_first_fetch_reports_its_progress_and_a_later_start_is_silent(tmp_path: Path) -> None:
    lines: list[str] = []
    kafka_jars(lines.append, cache=tmp_path, jars=TWO, sources=[FakeFetcher()])
    assert "Apache Kafka" in lines[0]
    lines.clear()
    kafka_jars(lines.append, cache=tmp_path, jars=TWO, sources=[FakeFetcher()])
    assert lines == []


def test_the_cache_folder_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere"


def test_the_maven_project_requests_the_pinned_jars_without_transitive_dependencies() -> None:
    root = ElementTree.fromstring(project(JARS))
    asked = root.findall("{*}dependencies/{*}dependency")
    assert [dependency.findtext("{*}artifactId") for dependency in asked] == [jar.artifact for jar in JARS]
    assert [dependency.findtext("{*}version") for dependency in asked] == [jar.version for jar in JARS]
    exclusions = [dependency.findtext("{*}exclusions/{*}exclusion/{*}artifactId") for dependency in asked]
    assert set(exclusions) == {"*"}


@pytest.mark.parametrize(
    ("mirror_of", "used"),
    [
        ("central", True),
        ("*", True),
        ("external:*", True),
        ("snapshots,central", True),
        ("*,!central", False),
        ("snapshots", False),
    ],
)
@pytest.mark.parametrize("namespace", ["", ' xmlns="http://maven.apache.org/SETTINGS/1.2.0"'])
def test_a_mirror_of_central_in_mavens_settings_is_honoured(
    tmp_path: Path, mirror_of: str, used: bool, namespace: str
) -> None:
    settings = tmp_path / "settings.xml"
    settings.write_text(
        f"<settings{namespace}><mirrors><mirror><id>m</id><mirrorOf>{mirror_of}</mirrorOf>"
        "<url>https://mirror.example/maven/</url></mirror></mirrors></settings>"
    )
    expected = "https://mirror.example/maven" if used else None
    assert central_mirror([tmp_path / "absent.xml", settings]) == expected


def test_mavens_blocker_of_plain_http_is_not_a_mirror(tmp_path: Path) -> None:
    settings = tmp_path / "settings.xml"
    settings.write_text(
        "<settings><mirrors><mirror><mirrorOf>external:*</mirrorOf><url>http://0.0.0.0/</url>"
        "<blocked>true</blocked></mirror></mirrors></settings>"
    )
    assert central_mirror([settings]) is None
