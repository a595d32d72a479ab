"""One file for each kind of meter file; `PROFILES` has them by name, `load_custom` makes one from TOML."""

from __future__ import annotations

from replay.profile import Profile
from replay.profiles.ausgrid import AUSGRID
from replay.profiles.cer import CER
from replay.profiles.custom import load_custom
from replay.profiles.datadis import DATADIS
from replay.profiles.dsmr import DSMR, HOMEWIZARD
from replay.profiles.eemeter import EEMETER
from replay.profiles.enedis import ENEDIS
from replay.profiles.eredes import EREDES
from replay.profiles.esb import ESB
from replay.profiles.fluvius import FLUVIUS
from replay.profiles.goiener import GOIENER
from replay.profiles.green_button import GREEN_BUTTON
from replay.profiles.london import LONDON, LONDON_KAGGLE
from replay.profiles.nem12 import NEM12
from replay.profiles.pge import PGE
from replay.profiles.sce import SCE
from replay.profiles.simbench import SIMBENCH
from replay.profiles.spec import SPEC
from replay.profiles.uci import UCI
from replay.profiles.uk_portals import N3RGY, OCTOPUS

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        SPEC, LONDON, LONDON_KAGGLE, UCI, CER, AUSGRID, NEM12, GREEN_BUTTON, ESB, GOIENER, SIMBENCH,
        EEMETER, PGE, SCE, DATADIS, FLUVIUS, HOMEWIZARD, DSMR, ENEDIS, EREDES, N3RGY, OCTOPUS,
    )
}  # fmt: skip

__all__ = ["PROFILES", "SPEC", "Profile", "load_custom"]
