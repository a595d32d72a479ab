"""The command line: the help of every command, and the exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gridwatch import __version__, cli
from gridwatch.errors import GridwatchError, UsageProblem

_HANDED_TO_FAUST = {"worker", "sink", "tables", "agents"}


def _command(name: str) -> click.Command:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    return command


def _with_subcommands(name: str, command: click.Command) -> list[tuple[str, click.Command]]:
    below = command.commands.items() if isinstance(command, click.Group) else ()
    return [(name, command), *((f"{name} {sub}", found) for sub, found in below)]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> type[LookupError]:
    """A command `broken` that raises what the test puts into `problem`."""

    class Raising(LookupError):
        problem: BaseException = GridwatchError("")

    @click.command()
    def command() -> None:
        raise Raising.problem

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: command)
    return Raising


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    for full_name, command in _with_subcommands(name, _command(name)):
        assert command.help, full_name
        assert "Example" in (command.epilog or command.help or ""), f"{full_name} has no example"
        assert f"gridwatch {name}" in (command.epilog or command.help or ""), full_name


@pytest.mark.parametrize("name", sorted(cli.COMMANDS.keys() - _HANDED_TO_FAUST))
def test_help_of_every_command_exits_with_0(name: str) -> None:
    for full_name, _ in _with_subcommands(name, _command(name)):
        shown = CliRunner().invoke(cli.cli, [*full_name.split(), "--help"])
        assert shown.exit_code == 0, full_name
        assert "Usage:" in shown.output


@pytest.mark.parametrize("name", sorted(cli.COMMANDS.keys() - _HANDED_TO_FAUST))
def test_every_option_says_what_it_does(name: str) -> None:
    for full_name, command in _with_subcommands(name, _command(name)):
        silent = [
            p.name for p in command.params if isinstance(p, click.Option) and not p.help and not p.hidden
        ]
        assert not silent, f"{full_name}: no help for {silent}"


def test_the_list_of_commands_names_each_with_its_summary() -> None:
    shown = CliRunner().invoke(cli.cli, ["--help"], terminal_width=200)
    for name, (_, summary) in cli.COMMANDS.items():
        assert name in shown.output
        assert summary in shown.output


def test_help_imports_neither_faust_nor_a_database_driver() -> None:
    program = (
        "import sys; from gridwatch.cli import run; run(['--help']); "
        "loaded = {'faust', 'sqlalchemy', 'confluent_kafka', 'psycopg2', 'rich'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_failed_work_exits_with_1_and_prints_the_remedy(
    raising: type, capsys: pytest.CaptureFixture[str]
) -> None:
    raising.problem = GridwatchError("no Kafka broker answers at 127.0.0.1:9", "start one")
    assert cli.run(["broken"]) == 1
    printed = capsys.readouterr().err
    assert "127.0.0.1:9" in printed
    assert "remedy: start one" in printed


def test_a_usage_error_exits_with_2(raising: type) -> None:
    raising.problem = UsageProblem("GRIDWATCH_GRACE: write a duration", "15m")
    assert cli.run(["broken"]) == 2


def test_an_interrupt_exits_with_130(raising: type) -> None:
    raising.problem = KeyboardInterrupt()
    assert cli.run(["broken"]) == 130


def test_an_unexpected_error_is_not_hidden(raising: type) -> None:
    raising.problem = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        cli.run(["broken"])


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["topics", "nonsense"], []])
def test_unknown_commands_and_options_exit_with_2(arguments: list[str]) -> None:
    assert cli.run(arguments) == 2


def test_a_missing_settings_file_exits_with_2_and_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWATCH_CONFIG", "")
    assert cli.run(["--config", str(tmp_path / "none.toml"), "topics", "list"]) == 2
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["topics", "list"], ["db", "status"], ["doctor"], ["worker"], ["sink"]]
)
def test_a_wrong_setting_exits_with_2_and_names_the_key_before_anything_starts(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gridwatch", *arguments],
        env=os.environ | {"GRIDWATCH_GRACE": "soon"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "GRIDWATCH_GRACE" in ended.stderr
    assert "soon" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_color_keeps_messages_plain(
    raising: type, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raising.problem = GridwatchError("broken")
    monkeypatch.setattr(cli, "_colour", lambda: True)
    cli.run(["broken"])
    assert "\x1b[" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli._colour() is False
