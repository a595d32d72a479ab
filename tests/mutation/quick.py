"""A pytest plugin for runs against a mutant: what fails is to fail soon, and always in the same way."""

from __future__ import annotations

import resource
from typing import Final

import pytest
from hypothesis import Phase, settings

from tests.model import compare

PROFILE: Final = "mutants"
#: A mutant may loop and collect for ever: bytes.
MEMORY: Final = 2 << 30

# Examples do not depend on chance or on what an earlier mutant failed with, and nobody reads the shrunk ones.
settings.register_profile(
    PROFILE, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate], deadline=None
)


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are imported, whose settings begin with those of the profile."""
    settings.load_profile(PROFILE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    compare.shrink = lambda records, *_: records
