"""Finds the worker that owns a partition, and sends requests to other workers.

Faust's assignment gives every member the owner of each partition, by the URL that each worker advertises. A
request about another worker's partition is forwarded to that worker and its response returned, so that any
worker's page shows every meter. A request is forwarded once only: a worker that receives one with the header
`X-Gridwatch-Asked-By` answers from its own state, or with a problem.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from gridwatch.health.stage import assigned
from gridwatch.http.reply import Answer, Problem

#: Header of a request from one worker to another.
ASKED_BY = "X-Gridwatch-Asked-By"
ASK_SECONDS = 5.0
#: No page of gridwatch is larger than this, bytes.
_MOST_BYTES = 32 * 1024 * 1024


def asked_by_a_worker(request: Any) -> bool:
    """Whether the request comes from another worker, which wants this worker's part only."""
    return ASKED_BY in request.headers


def owners(distribution: Mapping[str, Mapping[str, Any]], topic: str) -> dict[int, str]:
    """Partition of `topic` → URL of its owner, from Faust's {url: {topic: partitions}}."""
    return {
        int(partition): url.rstrip("/")
        for url, topics in distribution.items()
        for partition in topics.get(topic, ())
    }


class Cluster:
    """The workers of this consumer group, from the last assignment.

    Args:
        app: the Faust application.
        topic: the raw topic, whose partitions are assigned to workers.
    """

    def __init__(self, app: Any, topic: str) -> None:
        self._app = app
        self._topic = topic

    @property
    def own_url(self) -> str:
        """The URL that this worker advertises."""
        return str(self._app.conf.canonical_url).rstrip("/")

    def owners(self) -> dict[int, str]:
        """Partition → URL of the worker that owns it; unowned partitions are left out."""
        return owners(self._app.assignor.external_topics_metadata(), self._topic)

    def own_partitions(self) -> list[int]:
        """Partitions that this worker owns, in order; none before the first assignment."""
        return assigned(self._app, self._topic)

    def owned_by(self, url: str) -> list[int]:
        """Partitions that the worker at `url` owns, in order."""
        return sorted(partition for partition, owner in self.owners().items() if owner == url)

    def owner_elsewhere(self, partition: int, *, asked: bool) -> str | None:
        """URL of the other worker that owns a partition, None if this one does; Problem 503 if unowned.

        Args:
            asked: the request was forwarded by another worker already, so it is not forwarded again.
        """
        if partition in self.own_partitions():
            return None
        owner = self.owners().get(partition)
        if owner is None:
            raise Problem(503, f"no worker owns partition {partition} at the moment; try again")
        if asked or owner == self.own_url:
            raise Problem(503, f"partition {partition} is moving between workers; try again")
        return owner

    def others(self) -> list[str]:
        """URLs of the other workers that own partitions."""
        return sorted(set(self.owners().values()) - {self.own_url})

    async def ask(self, url: str, path: str, accept: str = "application/json") -> Answer:
        """GET `path` (percent-encoded, with its query) of another worker; Problem 503 without an answer."""
        try:
            async with self._app.http_client.get(
                URL(url + path, encoded=True),
                headers={"Accept": accept, ASKED_BY: self.own_url},
                timeout=aiohttp.ClientTimeout(total=ASK_SECONDS),
                allow_redirects=False,
            ) as response:
                if (response.content_length or 0) > _MOST_BYTES:
                    raise Problem(503, f"worker {url} answered more than {_MOST_BYTES} bytes")
                return Answer(
                    response.status, response.headers.get("Content-Type", ""), await response.read()
                )
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError)
            detail = "no connection" if refused else str(error) or f"nothing within {ASK_SECONDS:g} s"
            raise Problem(503, f"worker {url} does not answer: {detail}") from error

    async def ask_all(self, path: str) -> tuple[list[Any], list[str]]:
        """The JSON that each other worker answers to `path`, and a reason for each that does not answer."""
        requests = [self.ask_json(url, path) for url in self.others()]
        results = await asyncio.gather(*requests, return_exceptions=True)
        answers: list[Any] = []
        incomplete: list[str] = []
        for result in results:
            if isinstance(result, Problem):
                incomplete += result.reasons
            elif isinstance(result, BaseException):
                raise result
            else:
                answers.append(result)
        return answers, incomplete

    async def ask_json(self, url: str, path: str) -> Any:
        """The JSON that the worker at `url` answers to `path`; Problem unless it answers 200 and JSON."""
        answer = await self.ask(url, path)
        try:
            answered = json.loads(answer.body)
        except ValueError as error:
            raise Problem(503, f"worker {url} answered {answer.status} without JSON") from error
        if answer.status != 200:
            reasons = answered.get("reasons", [f"status {answer.status}"])
            raise Problem(503, *(f"worker {url}: {reason}" for reason in reasons))
        return answered
