"""`gridwatch bridge`: the MQTT entrance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gridwatch.clock import now_micros
from gridwatch.errors import GridwatchError, UsageProblem
from gridwatch.logs import log_to_stderr
from gridwatch.settings import load_settings
from gridwatch.topics import flow


@click.command(epilog="Example:  gridwatch bridge --config bridge.toml")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with the MQTT broker and the rules.  [default: GRIDWATCH_BRIDGE_CONFIG]",
)
@click.option(
    "--check",
    nargs=2,
    metavar="TOPIC PAYLOAD",
    help="Explain what a message would become, and end; a PAYLOAD of - is stdin. Exit 1 for a dead letter.",
)
@click.option("--rules", "show_rules", is_flag=True, help="List the rules, and end.")
def command(config_file: Path | None, check: tuple[str, str] | None, show_rules: bool) -> None:
    """Bridge MQTT messages of a home to Kafka, until Ctrl-C.

    A message is acknowledged to the MQTT broker after Kafka has it, so nothing is lost while one of them is
    away. Rules say which messages become what; without a file homelab/energy/#, homelab/heatpump/# and
    homelab/temperature/# are read as JSON. Energy devices become readings of meters, too. docs/mqtt.md has
    the rules, docs/mqtt-formats.md the formats.

    \b
    What would this become?  gridwatch bridge --config bridge.toml \\
                               --check tele/plug1/SENSOR '{"Time": "…", "ENERGY": {"Total": 12.3}}'

    The broker is GRIDWATCH_MQTT_URL, or `url` in the file. Health is at GRIDWATCH_BRIDGE_WEB_PORT: /live/,
    /ready/, /metrics/.
    """
    given: dict[str, Any] = {} if config_file is None else {"bridge_config": config_file}
    settings = load_settings(**given)
    try:
        from gridwatch.bridge import explain
        from gridwatch.bridge.service import configured, run
        from gridwatch.bridge.translation import Message
    except ImportError as problem:
        raise UsageProblem(
            f"the MQTT entrance needs packages that are missing ({problem})",
            "pip install 'gridwatch[entrances]'",
        ) from problem
    config = configured(settings)
    if show_rules:
        click.echo("\n".join(explain.as_columns(explain.rules_table(config))))
        return
    if check is not None:
        topic, payload = check
        try:
            topic.encode()
        except UnicodeEncodeError:
            raise UsageProblem("the topic is not UTF-8", "write it as it is published") from None
        content = sys.stdin.buffer.read() if payload == "-" else payload.encode("utf-8", "surrogateescape")
        message = Message(topic, content, 1, False, False, now_micros())
        lines, good = explain.explain(config, settings.policy(), flow(settings.flow).raw.name, message)
        click.echo("\n".join(lines))
        if not good:
            raise GridwatchError("the message would become a dead letter", "see the reasons above")
        return
    log_to_stderr(settings, "bridge", "gridwatch", "uvicorn.error")
    try:
        good = run(settings, config)
    except SystemExit as ended:
        good = not ended.code
    if not good:
        raise GridwatchError("the bridge ended by itself", "its log says why")
