"""Keys: their form, what is kept of them, and when they open something."""

from __future__ import annotations

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gridwatch.accounts import keys
from gridwatch.accounts.keys import Key, is_secret_of, new_key, parts_of

NOW = 1_767_225_600_000_000


def test_a_key_has_an_id_and_a_secret_of_256_bits() -> None:
    key, text = new_key("n", ("ingest",), NOW)
    assert re.fullmatch(r"gw_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", text)
    assert parts_of(text) == (key.id, text[16:])
    assert (key.name, key.scopes, key.created, key.expires, key.revoked) == (
        "n",
        ("ingest",),
        NOW,
        None,
        None,
    )


def test_no_key_is_made_twice() -> None:
    made = [new_key("n", (), NOW) for _ in range(200)]
    assert len({key.id for key, _ in made}) == len({text[16:] for _, text in made}) == 200


def test_only_a_digest_is_kept() -> None:
    key, text = new_key("n", (), NOW)
    secret = text[16:]
    assert key.digest == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(key)
    assert secret.encode() not in key.digest


def test_the_secret_of_another_key_opens_nothing() -> None:
    (key, text), (other, second) = new_key("a", (), NOW), new_key("b", (), NOW)
    assert is_secret_of(key, text[16:]) and is_secret_of(other, second[16:])
    assert not is_secret_of(key, second[16:])
    assert not is_secret_of(key, text[16:-1])


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return hmac.compare_digest(left, right)

    monkeypatch.setattr(keys, "hmac", type("hmac", (), {"compare_digest": staticmethod(compare)}))
    key, text = new_key("n", (), NOW)
    assert is_secret_of(key, text[16:])
    assert compared == [(key.digest, key.digest)]


@given(some.text() | some.from_regex(r"gw_[a-zA-Z0-9]{11,13}_[\w-]{42,44}\n?", fullmatch=True))
def test_what_has_not_the_form_of_a_key_has_no_parts(text: str) -> None:
    form = re.compile(r"gw_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", re.ASCII)
    assert (parts_of(text) is not None) == (form.fullmatch(text) is not None)


def test_a_key_is_valid_until_it_expires_or_is_revoked() -> None:
    plain = Key("i", "n", (), b"", NOW)
    short = Key("i", "n", (), b"", NOW, expires=NOW + 10)
    revoked = Key("i", "n", (), b"", NOW, expires=NOW + 10, revoked=NOW + 5)
    for key, now, state in (
        (plain, NOW + 10**15, "valid"),
        (short, NOW + 9, "valid"),
        (short, NOW + 10, "expired"),
        (revoked, NOW + 6, "revoked"),
        (revoked, NOW + 20, "revoked"),
    ):
        assert key.state(now) == state
        assert key.is_valid(now) == (state == "valid")
