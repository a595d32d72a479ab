"""A replay that is repeatedly killed and resumed, its broker killed too: the raw topic is compared.

Independent of the services: it checks whether the replay leaves the same records in the raw topic as one that
was not killed.
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from pathlib import Path

from confluent_kafka import KafkaException

from chaos.compare.changelog import Reader
from chaos.compare.differences import Difference, differences
from chaos.compare.snapshot import Snapshot
from chaos.servers import Servers
from chaos.site import RULES
from chaos.subject import GRIDWATCH
from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.polling import until
from gridwatch.deployment.process import ChildProcess
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import RAW, REPLAY_HEADER
from replay.sample.households import MONDAY
from replay.sample.lines import lines

_METERS, _DAYS, _INTERVAL_MINUTES = 40, 10, 30
#: Event time over wall time: slow enough to be killed in the middle, and as fast as possible. (Without any
#: pace there are fewer ticks: that would be another replay.)
_SPEED, _FULL_SPEED = 120_000, 100_000_000
_LONGEST_SECONDS = 120.0
_BROKER_EVERY = 3


def check_resume(servers: Servers, folder: Path, seed: int, kills: int) -> tuple[list[Difference], int]:
    """Compare the raw topic of a replay with that of the same one killed so many times.

    Returns the differences, and how many records were compared.
    """
    folder.mkdir()
    servers.start()
    chance = random.Random(f"replay {seed}")  # noqa: S311  to be repeated
    source = folder / "meters.csv"
    with source.open("w", encoding="utf-8") as file:
        file.writelines(lines(_METERS, _DAYS, _INTERVAL_MINUTES, seed, MONDAY, True))
    settings = load_settings(
        **RULES, broker=f"kafka://{servers.kafka.bootstrap}", app_id=f"chaos_replay_{seed}"
    )
    environment = environment_of({**RULES, "broker": settings.broker, "app_id": settings.app_id})
    command = [sys.executable, "-m", "gridwatch", "replay", str(source), "--faults", "seed-spec"]
    command += ["--seed", str(seed)]

    def replay(speed: int, *more: str) -> ChildProcess:
        return ChildProcess("replay", [*command, "--speed", str(speed), *more], folder, environment).start()

    servers.recreate_topics(settings, GRIDWATCH, compacted=False)
    with replay(_FULL_SPEED) as child:
        _wait_for_end(child)
    wanted = _content(settings)
    servers.recreate_topics(settings, GRIDWATCH, compacted=False)
    total = sum(len(found) for found in wanted.contents.values())
    for number in range(kills):
        with replay(_SPEED, "--resume") as child:
            goal = _sent(settings) + chance.randrange(1, max(2, total // (kills + 1)))
            while child.running and _sent(settings) < goal:
                time.sleep(0.02)
        if number % _BROKER_EVERY == _BROKER_EVERY - 1:
            servers.kafka.kill()
            servers.start()
    with replay(_SPEED, "--resume") as child:
        if chance.random() < 0.5:
            servers.kafka.kill()
            servers.start()
        _wait_for_end(child)
    return differences(wanted, _content(settings)), total


def _wait_for_end(replay: ChildProcess) -> None:
    until("a replay has ended", lambda: not replay.running, _LONGEST_SECONDS)
    code = replay.process.exit_code
    if code != 0:
        raise GridwatchError(f"a replay ended with code {code}; from its log:\n{replay.excerpt()}")


def _sent(settings: Settings) -> int:
    with contextlib.suppress(GridwatchError, KafkaException):
        return sum(Positions(settings).ends([RAW.name]).values())
    return 0


def _content(settings: Settings) -> Snapshot:
    """Every record of the raw topic by partition and offset, without the header that names the run."""
    reader = Reader(settings, RAW.name)
    try:
        found = Snapshot({})
        for message in reader.new():
            headers = [one for one in message.headers() or () if one[0] != REPLAY_HEADER]
            partition = found.contents.setdefault(f"raw {message.partition()}", {})
            partition[f"{message.offset():09d}"] = (message.key(), message.value(), str(headers))
    finally:
        reader.close()
    return found
