"""docker-compose.yml, the Dockerfile and what they mount fit each other, the commands and the settings.

That it is one by Compose's own schema is held in `tests/outside`, that services run in `tests/integration`.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from gridwatch.cli import COMMANDS, cli
from gridwatch.settings import PREFIX, Settings, load_settings
from sinks.database import read_url

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if "=" in line
)
#: What ends by itself.
ONCE = {"setup", "replay"}
each_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)

_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:\?[^}]*)?\}")


def _commands(service: dict[str, Any]) -> list[list[str]]:
    """The words of each `gridwatch …` that a service runs."""
    command = service.get("command", [])
    if "entrypoint" not in service:
        return [["gridwatch", *command]]
    [script] = command
    parts = re.split(r"&&|\n", script.replace("$$", "$"))
    return [shlex.split(part) for part in parts if part.strip()]


def test_the_services_are_those_of_the_picture() -> None:
    assert set(SERVICES) == {
        *("kafka", "timescaledb", "setup", "worker-1", "worker-2"),
        *("ingest", "mosquitto", "bridge"),
        *("sink", "relay", "replay", "prometheus", "grafana"),
    }


@each_of_ours
def test_a_service_runs_commands_that_there_are(name: str) -> None:
    for words in _commands(SERVICES[name]):
        assert words[0] == "gridwatch"
        assert words[1] in COMMANDS
        if words[1] not in ("worker", "sink"):  # those are Faust's, with options of its own
            command: Any = cli
            for word in words[1:]:
                if word.startswith("-") or not hasattr(command, "list_commands"):
                    break
                command = command.get_command(command.make_context("x", [], resilient_parsing=True), word)
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= known


def test_the_sample_is_made_and_read_by_the_commands_as_they_stand(tmp_path: Path) -> None:
    sample, replay = (words[1:] for words in _commands(SERVICES["replay"]))
    file = str(tmp_path / "meters.csv")
    sample = ["2024-01-01" if "date" in word else word for word in sample]
    for words in (sample, [*replay, "--dry-run"]):
        ran = CliRunner().invoke(cli, [file if word == "/tmp/meters.csv" else word for word in words])
        assert ran.exit_code == 0, ran.output


@each_of_ours
def test_what_is_set_are_settings_that_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = SERVICES[name]["environment"]
    ours = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
    assert {key.removeprefix(PREFIX).lower() for key in ours} <= set(Settings.model_fields)
    for key, value in ours.items():
        monkeypatch.setenv(key, _VARIABLE.sub("sekret", str(value)))
    settings = load_settings()
    assert settings.bootstrap == "kafka:9092"
    if "GRIDWATCH_DATABASE_URL" not in ours:
        assert name == "bridge", "it alone needs no database"
        return
    url = read_url(settings.database)
    assert (url.host, url.database, url.username) == (
        "timescaledb",
        SERVICES["timescaledb"]["environment"]["POSTGRES_DB"],
        SERVICES["timescaledb"]["environment"]["POSTGRES_USER"],
    )


def test_two_workers_are_told_apart() -> None:
    one, two = (SERVICES[name] for name in ("worker-1", "worker-2"))
    for key in ("GRIDWATCH_INSTANCE_ID", "GRIDWATCH_WEB_ADVERTISED_URL"):
        assert one["environment"][key] != two["environment"][key]
    assert one["volumes"] != two["volumes"]
    assert one["ports"] != two["ports"]


@each_service
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_no_two_services_take_one_port() -> None:
    taken = [port.rsplit(":", 1)[0] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(set(taken)) == len(taken)


@each_service
def test_images_are_pinned(name: str) -> None:
    if name not in OURS:
        assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+\.\d+[\w.-]*", SERVICES[name]["image"])


def test_the_dockerfile_is_pinned_in_stages_and_not_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-[\w-]+", base) for base in bases)
    assert int(re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)[-1]) > 0
    assert "HEALTHCHECK" in DOCKERFILE
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[-1]) == ["gridwatch"]


def test_the_image_is_built_from_what_is_let_through() -> None:
    let_through = set(
        re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    )
    copied = {
        source.split("/")[0]
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for source in line.split()
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_there_is_no_secret_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = dict(_VARIABLE.findall(text))
    assert set(asked) == set(EXAMPLE)
    assert all(rule.startswith(":?") for rule in asked.values()), "a missing password has to stop it"
    assert set(EXAMPLE.values()) == {""}
    for service in SERVICES.values():
        for key, value in service["environment"].items() if "environment" in service else ():
            if re.search("PASSWORD|SECRET|TOKEN", key):
                assert _VARIABLE.fullmatch(value), key


@each_service
def test_a_service_says_whether_it_is_well_or_ends(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    if name in ONCE:
        assert check == {"disable": True}
        assert SERVICES[name]["restart"] in ("no", "on-failure:3")
    else:
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
        assert SERVICES[name]["restart"] == "unless-stopped"


@each_service
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if needed in ONCE else "service_healthy"
        assert how == {"condition": expected}


def test_nothing_of_ours_starts_before_topics_and_schema_are_there() -> None:
    for name in ("worker-1", "worker-2", "sink", "relay", "ingest", "bridge"):
        assert {"kafka", "setup"} <= SERVICES[name]["depends_on"].keys()
    assert {"kafka", "timescaledb"} <= SERVICES["setup"]["depends_on"].keys()


@each_service
def test_a_service_has_limits(name: str) -> None:
    assert SERVICES[name]["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@each_service
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_page_that_is_asked_for_health_is_the_one_that_listens() -> None:
    default = re.search(r"HEALTH_PORT=(\d+)", DOCKERFILE)
    assert default is not None
    ports = {
        name: str(SERVICES[name]["environment"].get("HEALTH_PORT", default[1]))
        for name in ("worker-1", "worker-2", "sink", "ingest", "bridge")
    }
    worker, sink, ingest, bridge = (
        str(Settings.model_fields[key].default)
        for key in ("web_port", "sink_web_port", "ingest_port", "bridge_web_port")
    )
    workers = {"worker-1": worker, "worker-2": worker}
    assert ports == {**workers, "sink": sink, "ingest": ingest, "bridge": bridge}
    exposed = re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)
    assert exposed is not None
    assert set(ports.values()) == set(exposed[1].split())
    for name, port in ports.items():
        assert SERVICES[name]["ports"][0].endswith(f":{port}")
        assert "/live/" in SERVICES[name]["healthcheck"]["test"][-1]


def test_prometheus_reads_every_worker_the_sink_and_the_entrances() -> None:
    config = yaml.safe_load(
        (ROOT / "dashboards" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    )
    jobs = {
        job["job_name"]: sorted(target for group in job["static_configs"] for target in group["targets"])
        for job in config["scrape_configs"]
    }
    assert jobs == {
        "gridwatch-worker": ["worker-1:6066", "worker-2:6066"],
        "gridwatch-sink": ["sink:6067"],
        "gridwatch-ingest": ["ingest:3001"],
        "gridwatch-bridge": ["bridge:6069"],
    }
    assert {job["metrics_path"] for job in config["scrape_configs"]} == {"/metrics/"}
    mounted = dict(volume.split(":")[1::-1] for volume in SERVICES["prometheus"]["volumes"])
    assert [mounted[file] for file in config["rule_files"]] == ["./dashboards/alerts.yml"]


def test_grafana_is_given_every_variable_of_its_sources() -> None:
    folder = ROOT / "dashboards" / "provisioning"
    asked = set(
        re.findall(r"\$([A-Z_]+)", (folder / "datasources" / "gridwatch.yml").read_text(encoding="utf-8"))
    )
    environment = SERVICES["grafana"]["environment"]
    assert asked <= environment.keys()
    boards = yaml.safe_load((folder / "dashboards" / "gridwatch.yml").read_text(encoding="utf-8"))
    path = boards["providers"][0]["options"]["path"]
    assert f"./dashboards/json:{path}:ro" in SERVICES["grafana"]["volumes"]
    home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "dashboards" / "json" / Path(home).relative_to(path)).exists()


def test_the_reader_of_the_database_is_the_one_that_grafana_is() -> None:
    script = (ROOT / "dashboards" / "database" / "10-reader.sh").read_text(encoding="utf-8")
    environment = SERVICES["grafana"]["environment"]
    assert f"CREATE ROLE {environment['DATABASE_USER']} LOGIN" in script
    assert environment["DATABASE_PASSWORD"] == SERVICES["timescaledb"]["environment"]["READER_PASSWORD"]
