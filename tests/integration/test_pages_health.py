"""The readiness page's question to the brokers, against a real one and against nobody."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import free_ports
from gridwatch.settings import load_settings
from gridwatch.views.health import BrokerCheck

pytestmark = pytest.mark.integration


async def problem(bootstrap: str) -> str:
    return await BrokerCheck(load_settings(broker=bootstrap)).problem()


def test_a_broker_that_answers_is_no_reason(kafka: EmbeddedKafka) -> None:
    assert asyncio.run(problem(kafka.bootstrap)) == ""


def test_brokers_that_nobody_answers_for_are_named() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    assert asyncio.run(problem(address)) == f"no broker answers at {address}"


def test_a_broker_that_takes_connections_but_says_nothing_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert asyncio.run(problem(address)) == f"no broker answers at {address}"
