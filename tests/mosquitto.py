"""Mosquitto, which a machine may lack: its tests are left out there, and in CI never."""

from __future__ import annotations

import os
import shutil

import pytest

from chaos.entrances.mosquitto import program

#: Broker and clients are two packages.
INSTALLED = bool(program()) and shutil.which("mosquitto_pub") is not None

needs_mosquitto = pytest.mark.skipif(
    not INSTALLED and not os.environ.get("CI"), reason="Mosquitto and its clients are not installed here"
)
