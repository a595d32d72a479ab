"""Settings: where they come from, and how a wrong one is said."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from gridwatch.domain.policy import MINUTE
from gridwatch.durations import parse_duration
from gridwatch.errors import UsageProblem
from gridwatch.settings import PREFIX, Settings, bootstrap_servers, load_settings

_CONTRACT_DEFAULTS = {
    "broker": "kafka://127.0.0.1:9092",
    "partitions": 6,
    "replication_factor": 1,
    "default_interval": timedelta(minutes=30),
    "grace": timedelta(minutes=15),
    "max_out_of_orderness": timedelta(seconds=10),
    "allowed_lateness": timedelta(hours=1),
    "state_ttl": timedelta(days=7),
    "max_future_skew": timedelta(minutes=5),
    "max_watermark_jump": timedelta(hours=24),
    "idle_timeout": timedelta(seconds=30),
    "idle_delay": timedelta(seconds=60),
    "gap_memory": timedelta(hours=24),
    "metrics_window": timedelta(minutes=5),
    "timezone": "UTC",
    "web_host": "127.0.0.1",
    "web_port": 6066,
}


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in list(os.environ):
        if key.startswith(PREFIX):
            monkeypatch.delenv(key)


def test_defaults_are_those_that_users_rely_on() -> None:
    settings = load_settings()
    assert {key: getattr(settings, key) for key in _CONTRACT_DEFAULTS} == _CONTRACT_DEFAULTS


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_line_of_meaning(name: str) -> None:
    assert Settings.model_fields[name].description


def test_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gridwatch.toml"
    config.write_text('grace = "20m"\npartitions = 3\n')
    monkeypatch.setenv("GRIDWATCH_CONFIG", str(config))
    monkeypatch.setenv("GRIDWATCH_GRACE", "25m")
    settings = load_settings()
    assert settings.grace == timedelta(minutes=25)
    assert settings.partitions == 3
    assert settings.timezone == "UTC"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_GRACE", "")
    assert load_settings().grace == timedelta(minutes=15)


def test_a_retention_that_is_given_by_default_is_taken_away_by_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWATCH_AGGREGATES_1M_RETENTION", "")
    assert load_settings().aggregates_1m_retention == timedelta(days=30)
    monkeypatch.setenv("GRIDWATCH_AGGREGATES_1M_RETENTION", "none")
    config = tmp_path / "gridwatch.toml"
    config.write_text('regional_retention = "none"\naggregates_15m_retention = "1d"\nretention = "none"\n')
    monkeypatch.setenv("GRIDWATCH_CONFIG", str(config))
    settings = load_settings()
    assert settings.aggregates_1m_retention is settings.regional_retention is settings.retention is None
    assert settings.aggregates_15m_retention == timedelta(days=1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("grace", "0s"),
        ("grace", "-5m"),
        ("grace", "a while"),
        ("grace", "15 parsecs"),
        ("grace", "nan"),
        ("state_ttl", "99999999999999d"),
        ("retention", "0s"),
        ("aggregates_1m_retention", "never"),
        ("default_interval", "1.5s"),
        ("default_interval", "33d"),
        ("partitions", "0"),
        ("partitions", "six"),
        ("replication_factor", "0"),
        ("broker", "localhost"),
        ("broker", "kafka://localhost:0"),
        ("broker", "a:9092,b"),
        ("broker", ""),
        ("database_url", "mysql://x/y"),
        ("timezone", "Europe/Atlantis"),
        ("timezone", "../../etc/passwd"),
        ("web_port", "70000"),
        ("security_protocol", "TELEPATHY"),
        ("instance_id", "a b"),
        ("max_reading_kwh", "-1"),
    ],
)
def test_a_wrong_value_is_refused_by_name(key: str, value: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        load_settings(**{key: value})
    assert refused.value.exit_code == 2
    assert f"{PREFIX}{key.upper()}" in refused.value.message


def test_all_wrong_values_are_reported_at_once() -> None:
    with pytest.raises(UsageProblem) as refused:
        load_settings(grace="0", partitions=0)
    assert "GRIDWATCH_GRACE" in refused.value.message
    assert "GRIDWATCH_PARTITIONS" in refused.value.message


def test_a_refused_secret_is_not_repeated() -> None:
    with pytest.raises(UsageProblem) as refused:
        load_settings(database_url="mysql://user:hunter2@host/db")
    assert "hunter2" not in str(refused.value)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = load_settings(database_url="postgresql://u:hunter2@h/d", sasl_password=SecretStr("hunter3"))
    assert "hunter" not in repr(settings)
    assert settings.database == "postgresql://u:hunter2@h/d"


@pytest.mark.parametrize("text", ["grace == 1", "gracee = '15m'", "grace = 'soon'", "[grace]\nx = 1"])
def test_a_wrong_file_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "gridwatch.toml"
    config.write_text(text)
    monkeypatch.setenv("GRIDWATCH_CONFIG", str(config))
    with pytest.raises(UsageProblem):
        load_settings()


def test_the_error_of_a_misspelt_key_in_the_file_names_the_known_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gridwatch.toml"
    config.write_text("gracee = '15m'\n")
    monkeypatch.setenv("GRIDWATCH_CONFIG", str(config))
    with pytest.raises(UsageProblem, match=r"gracee.*max_out_of_orderness"):
        load_settings()


def test_settings_are_frozen() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.partitions = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("7d", 604800),
        ("250ms", 0.25),
        ("45", 45),
        (45, 45),
        ("1.5h", 5400),
    ],
)
def test_durations_are_read_as_people_write_them(text: object, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@given(st.integers(1, 10_000), st.sampled_from("smhd"))
def test_every_written_duration_keeps_its_length(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * parse_duration(f"1{unit}")


@pytest.mark.parametrize(
    "broker", ["kafka://a:1,kafka://b:2", "kafka://a:1;kafka://b:2", "kafka://a:1,b:2", "a:1,b:2", "a:1, b:2"]
)
def test_brokers_are_read_in_every_form(broker: str) -> None:
    assert bootstrap_servers(broker) == "a:1,b:2"


def test_the_policy_gets_every_rule_of_the_stream() -> None:
    policy = load_settings(grace="1m", partitions=3, timezone="Europe/London", max_reading_kwh=5).policy()
    assert (policy.grace, policy.partitions, policy.timezone, policy.max_kwh) == (
        60_000_000,
        3,
        "Europe/London",
        5,
    )


@pytest.mark.parametrize(
    ("word", "judges", "window"),
    [
        ("15m", True, 15 * MINUTE),
        ("1m", True, MINUTE),
        ("reading", True, None),
        ("none", False, None),
    ],
)
def test_what_is_judged_for_anomalies_is_chosen_by_a_word(
    word: Any, judges: bool, window: int | None
) -> None:
    policy = Settings(anomaly_on=word).policy()
    assert policy.judges is judges
    assert policy.judged_window == window


def test_another_word_and_nominal_values_that_no_grid_has_are_refused() -> None:
    given: dict[str, Any]
    for given in ({"anomaly_on": "30m"}, {"nominal_voltage": 0}, {"nominal_frequency": 0.5}):
        with pytest.raises(ValidationError):
            Settings(**given)


def test_nominal_values_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}NOMINAL_VOLTAGE", "120")
    monkeypatch.setenv(f"{PREFIX}NOMINAL_FREQUENCY", "60")
    policy = Settings().policy()
    assert (policy.nominal_voltage, policy.nominal_frequency) == (120.0, 60.0)
