"""What the pages ask, answered from plain data: two workers, four partitions."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from multidict import MultiDict

from gridwatch.http.reply import Answer, Problem
from gridwatch.settings import load_settings
from gridwatch.views.log_tail import Record, Tail
from gridwatch.views.rates import Throughput
from tests.unit.views.test_state import store

ME, OTHER = "http://me:1", "http://other:2"
SETTINGS = load_settings(partitions=4)


class Cluster:
    """Partitions 0 and 1 are ours, 2 is the other worker's, 3 is nobody's. It answers what it was told to."""

    own_url = ME

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def own_partitions(self) -> list[int]:
        return [0, 1]

    def owner_elsewhere(self, partition: int, *, asked: bool) -> str | None:
        if partition < 2:
            return None
        if partition == 3 or asked:
            raise Problem(503, f"no worker owns partition {partition}")
        return OTHER

    async def ask(self, url: str, path: str, accept: str = "") -> Answer:
        self.asked.append(url + path)
        return Answer(200, "application/json", b"{}")

    async def ask_all(self, path: str) -> tuple[list[Any], list[str]]:
        return [self._answers[path]], []


class Watch:
    """A worker that is settled and ready."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.cluster = Cluster(answers)
        self.throughput = Throughput()
        self.partitions = [partition(0), partition(1)]

    def require_state(self) -> None:
        pass

    def is_state_ready(self) -> bool:
        return True

    def last_reasons(self) -> list[str]:
        return []

    def own_partitions(self) -> list[dict[str, Any]]:
        return self.partitions

    def merged_partitions(self, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self.partitions + [one for answer in answers for one in answer["partitions"]]

    def unowned_reasons(self) -> list[str]:
        return ["no worker owns partition 3"]


def partition(number: int, **changes: Any) -> dict[str, Any]:
    usual = {"partition": number, "owner": ME, "watermark": None, "lag": 0, "meters": 2, "open_gaps": 1}
    return usual | changes


def pipeline(meters: Mapping[int, Mapping[str, Any]]) -> Any:
    return SimpleNamespace(store=store(meters)[0], owned={}, lag=lambda partition: 0)


def request(query: str = "", path: str = "/", **headers: str) -> Any:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&")) if name]
    return SimpleNamespace(
        query=MultiDict(pairs), headers=headers, rel_url=SimpleNamespace(raw_path_qs=path), path=path
    )


class Log:
    """Topics as lists of records by partition, read as `LogTail` reads them."""

    def __init__(self, **topics: dict[int, list[Record]]) -> None:
        self.topics = topics
        self.looks = 0

    async def read(self, topic: str, ranges: Any, wanted: Any, *, cut_short: bool = False) -> Tail:
        self.looks += 1
        tail = Tail()
        for number, offset_range in ranges.items():
            records = self.topics.get(topic, {}).get(number, [])
            if offset_range.since is not None:
                looked = [one for one in records if one.offset >= offset_range.since][: offset_range.count]
            else:
                before = [
                    one for one in records if offset_range.before is None or one.offset < offset_range.before
                ]
                looked = before[-offset_range.count :]
            if looked:
                tail.first[number] = looked[0]
            tail.records += [one for one in looked if wanted(one.key)]
        return tail
