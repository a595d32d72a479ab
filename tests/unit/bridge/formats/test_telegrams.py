"""A telegram is read only if it is the meter's, to the last character."""

from __future__ import annotations

import pytest

from gridwatch.bridge.formats.dsmr import MAX_TELEGRAM, crc16
from tests.unit.bridge.formats.asking import one, refused
from tests.unit.bridge.formats.sample import telegram
from tests.unit.bridge.formats.samples_meters import DSMR_LINES, DSMR_VALUES


def test_an_object_without_electricity_is_no_telegram() -> None:
    for payload in ("{}", '{"V1":226.0,"el_consumed":24488767.0}', telegram("0-0:96.14.0(0002)")):
        assert refused("dsmr", payload).reasons == ("MISSING_FIELD",)


@pytest.mark.parametrize("number", ['"1,5"', "true", "[]", '""', '"nan"', '"1e999"'])
def test_a_member_of_dsmr_reader_must_be_a_number(number: str) -> None:
    problem = refused("dsmr", f'{{"phase_voltage_l1":{number}}}')
    assert (problem.reasons, problem.field) == (("NOT_A_NUMBER",), "phase_voltage_l1")


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc16(b"123456789") == 0xBB3D


def test_one_wrong_character_of_a_telegram_is_noticed() -> None:
    right = telegram(*DSMR_LINES)
    assert one("dsmr", right).values == DSMR_VALUES
    for at in (1, right.index("1234.567"), right.rindex("!") + 1):
        wrong = right[:at] + ("8" if right[at] != "8" else "9") + right[at + 1 :]
        assert refused("dsmr", wrong).reasons == ("BAD_CHECKSUM",)


@pytest.mark.parametrize("cut", [5, 6, 7, 200])
def test_a_telegram_that_is_cut_off_is_refused(cut: int) -> None:
    assert refused("dsmr", telegram(*DSMR_LINES)[:-cut]).reasons == ("BAD_CHECKSUM",)


def test_a_telegram_may_have_lost_its_carriage_returns() -> None:
    assert one("dsmr", telegram(*DSMR_LINES).replace("\r\n", "\n")).values == DSMR_VALUES
    assert one("dsmr", telegram(*DSMR_LINES, end="\n")).values == DSMR_VALUES


@pytest.mark.parametrize("version", ["1-3:0.2.8(42)", "0-0:96.1.4(50217)"])
def test_only_a_telegram_of_old_may_be_without_a_checksum(version: str) -> None:
    old = "/X\r\n\r\n1-0:32.7.0(230.1*V)\r\n"
    assert one("dsmr", f"{old}!\r\n").values == {"voltage": 230.1}
    assert refused("dsmr", f"{old}{version}\r\n!\r\n").reasons == ("BAD_CHECKSUM",)


def test_an_object_that_occurs_twice_in_a_telegram_is_refused() -> None:
    problem = refused("dsmr", telegram("1-0:32.7.0(230.1*V)", "1-0:32.7.0(230.1*V)"))
    assert (problem.reasons, problem.field) == (("DUPLICATE_KEY",), "1-0:32.7.0")


def test_an_object_without_a_number_is_refused() -> None:
    assert refused("dsmr", telegram("1-0:32.7.0(*V)")).reasons == ("NOT_A_NUMBER",)


def test_a_telegram_is_not_endless() -> None:
    assert refused("dsmr", "/" + "x" * MAX_TELEGRAM).reasons == ("TOO_LARGE",)


@pytest.mark.parametrize("written", ["453030", "45303000", "4530302020"])
def test_a_meter_is_named_as_its_telegram_says(written: str) -> None:
    assert one("dsmr", telegram(f"0-0:96.1.1({written})", "1-0:32.7.0(230.1*V)")).device == "E00"


@pytest.mark.parametrize("written", ["", "4530F", "FFFF", "0A0A", "E00"])
def test_a_meter_whose_name_is_no_text_is_named_by_the_topic(written: str) -> None:
    assert one("dsmr", telegram(f"0-0:96.1.1({written})", "1-0:32.7.0(230.1*V)")).device is None
