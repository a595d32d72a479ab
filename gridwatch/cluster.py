"""Which worker has which partition, and asking another one for what it has.

Faust's assignment tells every member which worker owns which partitions, by the URL that each worker
advertises. A question about a partition that is not ours is handed on to its owner and the answer handed
back, so that any worker's page shows every meter. A question is handed on once only: a worker that gets
one with the header `X-Gridwatch-Asked-By` answers from what it has, or says that it has it not.
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

#: Set on a question that one worker puts to another.
ASKED_BY = "X-Gridwatch-Asked-By"
ASK_SECONDS = 5.0
#: An answer larger than this is none that these pages give, bytes.
_MOST_BYTES = 32 * 1024 * 1024


def asked_by_a_worker(request: Any) -> bool:
    """Whether another worker asks, which wants to know what this one has and no more."""
    return ASKED_BY in request.headers


def owners(distribution: Mapping[str, Mapping[str, Any]], topic: str) -> dict[int, str]:
    """Partition of `topic` → URL of its owner, from Faust's {url: {topic: partitions}}."""
    return {
        int(partition): url.rstrip("/")
        for url, topics in distribution.items()
        for partition in topics.get(topic, ())
    }


class Cluster:
    """The workers of this group, as the last assignment named them.

    Args:
        app: the Faust application.
        topic: the raw topic, whose partitions are what is owned.
    """

    def __init__(self, app: Any, topic: str) -> None:
        self._app = app
        self._topic = topic

    @property
    def me(self) -> str:
        """The URL that this worker advertises."""
        return str(self._app.conf.canonical_url).rstrip("/")

    def owners(self) -> dict[int, str]:
        """Partition → URL of the worker that owns it; unowned partitions are missing."""
        return owners(self._app.assignor.external_topics_metadata(), self._topic)

    def mine(self) -> list[int]:
        """Partitions that this worker owns, in order; none before the first assignment."""
        return assigned(self._app, self._topic)

    def owned_by(self, url: str) -> list[int]:
        """Partitions that the worker at `url` owns, in order."""
        return sorted(partition for partition, owner in self.owners().items() if owner == url)

    def owner_elsewhere(self, partition: int, *, asked: bool) -> str | None:
        """URL of the worker to ask about a partition, None if it is ours; Problem 503 if nobody can say.

        Args:
            asked: the question comes from another worker already, so it is not handed on again.
        """
        if partition in self.mine():
            return None
        owner = self.owners().get(partition)
        if owner is None:
            raise Problem(503, f"no worker owns partition {partition} at the moment; try again")
        if asked or owner == self.me:
            raise Problem(503, f"partition {partition} is moving between workers; try again")
        return owner

    def others(self) -> list[str]:
        """URLs of the other workers that own partitions."""
        return sorted(set(self.owners().values()) - {self.me})

    async def ask(self, url: str, path: str, accept: str = "application/json") -> Answer:
        """GET `path` (percent-encoded, with its query) of another worker; Problem 503 without an answer."""
        try:
            async with self._app.http_client.get(
                URL(url + path, encoded=True),
                headers={"Accept": accept, ASKED_BY: self.me},
                timeout=aiohttp.ClientTimeout(total=ASK_SECONDS),
                allow_redirects=False,
            ) as response:
                if (response.content_length or 0) > _MOST_BYTES:
                    raise Problem(503, f"worker {url} answered more than {_MOST_BYTES} bytes")
                return Answer(
                    response.status, response.headers.get("Content-Type", ""), await response.read()
                )
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError)
            detail = "no connection" if refused else str(error) or f"nothing within {ASK_SECONDS:g} s"
            raise Problem(503, f"worker {url} does not answer: {detail}") from error

    async def ask_all(self, path: str) -> tuple[list[Any], list[str]]:
        """The JSON that every other worker answers to `path`, and a reason for each that does not."""
        questions = [self.ask_json(url, path) for url in self.others()]
        results = await asyncio.gather(*questions, return_exceptions=True)
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
        """What the worker at `url` answers to `path`; Problem when it is not what was asked for."""
        answer = await self.ask(url, path)
        try:
            said = json.loads(answer.body)
        except ValueError as error:
            raise Problem(503, f"worker {url} answered {answer.status} and no JSON") from error
        if answer.status != 200:
            reasons = said.get("reasons", [f"status {answer.status}"])
            raise Problem(503, *(f"worker {url}: {reason}" for reason in reasons))
        return said
