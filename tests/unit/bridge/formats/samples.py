"""All samples."""

from __future__ import annotations

from tests.unit.bridge.formats import samples_meters, samples_plugs, samples_shelly

SAMPLES = [*samples_plugs.SAMPLES, *samples_shelly.SAMPLES, *samples_meters.SAMPLES]
