"""One module for each kind of meter file; `PROFILES` has them by name, `load_custom` makes one from TOML.

A new profile is a module of `datasets/` or `portals/`, named in `PROFILES` below and in docs/datasets.md.

spec.py     the plain form: what `gridwatch export` writes
datasets/   public data sets
portals/    what utilities, portals and meters' own software give out
custom/     profiles from TOML files
"""

from __future__ import annotations

from replay.files.profile import Profile
from replay.files.profiles.custom.load import load_custom
from replay.files.profiles.datasets.ausgrid import AUSGRID
from replay.files.profiles.datasets.cer import CER
from replay.files.profiles.datasets.eemeter import EEMETER
from replay.files.profiles.datasets.goiener import GOIENER
from replay.files.profiles.datasets.london import LONDON, LONDON_KAGGLE
from replay.files.profiles.datasets.simbench import SIMBENCH
from replay.files.profiles.datasets.uci import UCI
from replay.files.profiles.portals.datadis import DATADIS
from replay.files.profiles.portals.dsmr import DSMR, HOMEWIZARD
from replay.files.profiles.portals.enedis import ENEDIS
from replay.files.profiles.portals.eredes import EREDES
from replay.files.profiles.portals.esb import ESB
from replay.files.profiles.portals.fluvius import FLUVIUS
from replay.files.profiles.portals.green_button import GREEN_BUTTON
from replay.files.profiles.portals.nem12 import NEM12
from replay.files.profiles.portals.pge import PGE
from replay.files.profiles.portals.sce import SCE
from replay.files.profiles.portals.uk_portals import N3RGY, OCTOPUS
from replay.files.profiles.spec import SPEC

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        SPEC, LONDON, LONDON_KAGGLE, UCI, CER, AUSGRID, NEM12, GREEN_BUTTON, ESB, GOIENER, SIMBENCH,
        EEMETER, PGE, SCE, DATADIS, FLUVIUS, HOMEWIZARD, DSMR, ENEDIS, EREDES, N3RGY, OCTOPUS,
    )
}  # fmt: skip

__all__ = ["PROFILES", "SPEC", "Profile", "load_custom"]
