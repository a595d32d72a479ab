"""Settings by concern: one flat class, in which every key belongs to one concern."""

from __future__ import annotations

import inspect
import os
from itertools import combinations
from pathlib import Path

import pytest
from pydantic import BaseModel

import gridwatch.settings
from gridwatch.domain.policy import MINUTE, Policy
from gridwatch.settings import PREFIX, Settings

CONCERNS = tuple(base for base in Settings.__bases__ if base.__module__.startswith("gridwatch.settings."))
#: Files of the package that hold no concern.
OTHER_FILES = {"__init__", "flat", "loading"}


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in list(os.environ):
        if key.startswith(PREFIX):
            monkeypatch.delenv(key)


def test_the_defaults_of_the_settings_are_the_defaults_of_the_rules() -> None:
    # Windows, regions and anomalies are made unless told otherwise; the rules by themselves make none.
    assert Settings(windows=(), region_flows=()).policy() == Policy(judges=True)
    assert Settings().policy() == Policy(windows=(MINUTE, 15 * MINUTE), regional=True, judges=True)


def test_no_key_is_in_two_concerns() -> None:
    for one, other in combinations(CONCERNS, 2):
        assert one.model_fields.keys().isdisjoint(other.model_fields), (one, other)


def test_every_key_belongs_to_a_concern() -> None:
    assert {key for concern in CONCERNS for key in concern.model_fields} == Settings.model_fields.keys()
    assert not inspect.get_annotations(Settings).keys() & Settings.model_fields.keys()


def test_validators_and_properties_of_one_concern_do_not_hide_those_of_another() -> None:
    for one, other in combinations(CONCERNS, 2):
        shared = {name for name in vars(one).keys() & vars(other).keys() if name not in vars(BaseModel)}
        assert {name for name in shared if not name.startswith("__")} == set(), (one, other)


def test_a_file_of_the_package_is_one_concern_of_the_settings() -> None:
    folder = Path(gridwatch.settings.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - OTHER_FILES
    assert sorted(base.__module__.rpartition(".")[2] for base in CONCERNS) == sorted(files)


def test_keys_of_one_concern_stand_together_and_those_of_the_last_base_first() -> None:
    in_order = [key for concern in reversed(CONCERNS) for key in concern.model_fields]
    assert list(Settings.model_fields) == in_order
