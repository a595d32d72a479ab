"""Every format reads what its devices publish, exactly."""

from __future__ import annotations

import math

import pytest

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.models.homelab import EnergyReading, HeatpumpReading, HomelabReading, TemperatureReading
from tests.unit.bridge.formats.sample import Sample
from tests.unit.bridge.formats.samples import SAMPLES

MODELS = {"energy": EnergyReading, "heatpump": HeatpumpReading, "temperature": TemperatureReading}
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def measured(sample: Sample, kind: str | None = None) -> list[Measured]:
    asked = Asked(kind or sample.kind, tuple(sample.topic.split("/")), sample.field, sample.zone)
    return FORMATS[sample.format](sample.payload.encode(), asked)


@each_sample
def test_a_message_is_what_its_device_means(sample: Sample) -> None:
    assert measured(sample) == sample.expected


@each_sample
def test_values_are_finite_numbers_and_texts_under_the_names_of_the_model(sample: Sample) -> None:
    fields = set(MODELS[sample.kind].__struct_fields__) - set(HomelabReading.__struct_fields__)
    for one in measured(sample):
        assert one.values
        assert one.values.keys() <= fields
        assert all(isinstance(value, str) or (type(value) is float and math.isfinite(value))
                   for value in one.values.values())  # fmt: skip


@each_sample
def test_what_is_passed_on_has_no_name_of_the_model(sample: Sample) -> None:
    fields = set(MODELS[sample.kind].__struct_fields__)
    assert all(fields.isdisjoint(one.more) for one in measured(sample))


def test_every_format_has_a_sample() -> None:
    assert {sample.format for sample in SAMPLES} == set(FORMATS)


def test_a_message_of_another_kind_is_no_measurement_of_this_one() -> None:
    for sample in SAMPLES:
        if sample.field is None and sample.kind == "energy":
            others = measured(sample, "temperature")
            assert all(one.values.keys() <= {"temperature_c", "humidity_percent"} for one in others), sample
