"""Keys: who may send where others can reach the service; no secret is kept or shown twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from tests.integration.test_ingest.entrance import JSON, PATH, Answer, ask, encoded, reading, send
from tests.processes import Site, gridwatch, query

pytestmark = pytest.mark.integration

Keys = Callable[..., str]


@pytest.fixture(scope="module")
def site(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, tmp_path_factory.mktemp("keys"), database=database) as site,
    ):
        yield site


@pytest.fixture(scope="module")
def ingest(site: Site) -> Service:
    """An entrance that others can reach."""
    return site.add("ingest", ingest_host="0.0.0.0").start().wait_until_ready()


@pytest.fixture(scope="module")
def keys(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """`gridwatch keys …`: what it prints on stdout."""

    def run(*arguments: str) -> str:
        folder = tmp_path_factory.getbasetemp()
        ended = gridwatch("keys", *arguments, env=site.environment(), folder=folder)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


def sent(service: Service, key: str, scheme: str = "Bearer") -> Answer:
    return send(service, [reading("KEYS")], JSON | {"Authorization": f"{scheme} {key}"})


def until_status(service: Service, key: str, status: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (answer := sent(service, key)).status != status:
        assert time.monotonic() < deadline, answer.content
        time.sleep(0.1)


def test_a_key_opens_until_it_is_revoked_and_is_kept_nowhere(site: Site, ingest: Service, keys: Keys) -> None:
    made = json.loads(keys("create", "head end", "--json"))
    key, secret = made["key"], made["key"].rpartition("_")[2]
    second = keys("create", "second").strip()
    until_status(ingest, key, 202, 6.5)
    until_status(ingest, second, 202, 6.5)
    assert sent(ingest, second, "bearer").status == 202
    listed = {one["id"]: one for one in json.loads(keys("list", "--json"))}
    assert (listed[made["id"]]["name"], listed[made["id"]]["state"]) == ("head end", "valid")
    assert "key" not in listed[made["id"]]
    assert secret not in keys("list") + keys("list", "--json")
    keys("revoke", made["id"])
    until_status(ingest, key, 401, 6.0)
    assert sent(ingest, key).kind == "unknown-key"
    assert sent(ingest, second).status == 202
    assert "revoked" in next(line for line in keys("list").splitlines() if made["id"] in line)
    rows = str(query(site.database or "", "SELECT id, name, scopes, encode(digest, 'escape') FROM api_keys"))
    assert made["id"] in rows
    for opened in (key, second):
        assert opened.rpartition("_")[2] not in rows + ingest.log.read_text() + ingest.text("/metrics/")


def test_without_a_valid_key_nothing_is_accepted(ingest: Service) -> None:
    answer = send(ingest, [reading("KEYS")])
    assert (answer.status, answer.kind) == (401, "no-key")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert sent(ingest, "x", "Basic").kind == "no-key"
    for strange in ("x", f"gw_{'a' * 12}_{'b' * 43}", "gw__", "ü"):
        answer = sent(ingest, strange)
        assert (answer.status, answer.kind) == (401, "unknown-key")


def test_a_key_of_another_scope_is_forbidden_and_an_expired_one_unknown(ingest: Service, keys: Keys) -> None:
    reader = keys("create", "reader", "--scope", "read").strip()
    short = keys("create", "short", "--expires", "8s").strip()
    both = keys("create", "both", "--scope", "read", "--scope", "ingest").strip()
    until_status(ingest, both, 202, 6.5)
    answer = sent(ingest, reader)
    assert (answer.status, answer.kind) == (403, "forbidden")
    until_status(ingest, short, 401, 9)
    assert "expired" in keys("list")


def test_a_body_without_a_key_is_refused_before_it_is_sent(ingest: Service) -> None:
    """Nobody who may not send makes the service wait, or keep something."""
    headers = JSON | {"Content-Length": "4000000"}
    assert ask(ingest, b"[", headers, seconds=3).status == 401


def test_pages_need_no_key(ingest: Service) -> None:
    assert [ingest.status(path) for path in ("/live/", "/ready/", "/metrics/", "/openapi.json")] == [200] * 4


def test_on_loopback_a_key_is_needed_only_where_the_setting_says_so(site: Site, keys: Keys) -> None:
    behind = site.add("ingest", "behind", ingest_require_key=True).start()
    plain = site.add("ingest", "plain").start()
    key = keys("create", "proxy").strip()
    assert send(plain.wait_until_ready(), [reading("KEYS")]).status == 202
    assert send(behind.wait_until_ready(), [reading("KEYS")]).status == 401
    until_status(behind, key, 202, 6.5)


def test_a_caller_is_held_to_its_rate_and_no_other_caller(site: Site, keys: Keys) -> None:
    first, second = (keys("create", name).strip() for name in ("first", "second"))
    limited = site.add("ingest", "limited", ingest_require_key=True, ingest_rate=5).start().wait_until_ready()
    batch = encoded([reading("RATE", number) for number in range(50)])

    def status(key: str) -> Answer:
        return ask(limited, batch, JSON | {"Authorization": f"Bearer {key}"}, path=PATH)

    assert status(first).status == 202
    answer = status(first)
    assert (answer.status, answer.kind) == (429, "too-many")
    assert 5 <= int(answer.headers["retry-after"]) <= 10
    assert status(second).status == 202


def test_keys_that_were_never_read_close_the_entrance(site: Site) -> None:
    away = {"database_url": "postgresql://user:hunter2@127.0.0.1:9/x", "ingest_require_key": True}
    closed = site.add("ingest", "closed", **away).start()
    closed.until("it answers", lambda: _listens(closed), 30)
    answer = sent(closed, f"gw_{'a' * 12}_{'b' * 43}")
    assert (answer.status, answer.kind) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert any("keys are not known" in reason for reason in closed.page("/ready/")["reasons"])
    assert "hunter2" not in closed.log.read_text() + json.dumps(answer.content)


def _listens(service: Service) -> bool:
    try:
        return service.status("/live/") == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", ""),
        ("create", "a\nb"),
        ("create", "x" * 201),
        ("create", "x", "--expires", "200000000000d"),
        ("create", "x", "--expires", "4000000d"),
        ("create", "x", "--expires", "-1d"),
        ("create", "x", "--expires", "0s"),
        ("create", "x", "--scope", "root"),
        ("revoke", "nobody"),
    ],
    ids=str,
)
def test_a_mistake_is_said_in_a_line_and_no_key_is_made(
    site: Site, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    before = query(site.database or "", "SELECT count(*) FROM api_keys")
    ended = gridwatch("keys", *arguments, env=site.environment(), folder=tmp_path)
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr and ended.stderr.strip()
    assert query(site.database or "", "SELECT count(*) FROM api_keys") == before
